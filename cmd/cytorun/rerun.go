package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
)

func newRerunCommand(c *cli) *cobra.Command {
	var o runOptions
	var algorithm, remaining, results string
	cmd := &cobra.Command{
		Use:   "rerun ANALYSIS|FOLDER [-p NAME=VALUE]...",
		Short: "launch an analysis again, with changes where wanted",
		Long: `Launch an analysis again with the same values, in the very container that ran
(by its digest), with changes where wanted. FOLDER is a run folder that was
copied here from another box. With -S it runs on another server: there the
algorithm is found by its name and version, options by their names, and what
cannot be matched is said.

With --remaining GROUP everything of a group that has no result yet is launched
again in its place, with changes of values where wanted; what such analyses left
on the server half written is kept or deleted.`,
		Example: `  cytorun rerun Nuclei#12 -p sigma=3
  cytorun rerun ./20261120-143205-k7qd -S other-site
  cytorun rerun --remaining g-20261120-150000-aaaa --results delete`,
		ValidArgsFunction: c.completeAnalyses,
		Args: func(cmd *cobra.Command, args []string) error {
			if remaining != "" {
				return noArgs(cmd, args)
			}
			return exactArgs("an analysis or the folder of a run")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := o.pairs()
			if err != nil {
				return err
			}
			if remaining != "" {
				if algorithm != "" || o.split != "" {
					return usageError(errors.New("--remaining launches what it was; leave out --algorithm and --split"))
				}
				return c.rerunRemaining(cmd.Context(), remaining, results, set, o)
			}
			if results != "" {
				return usageError(errors.New("--results goes with --remaining GROUP"))
			}
			s, earlier, err := c.findToRerun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			plan, err := s.Rerun(cmd.Context(), earlier, algorithm, o.container)
			if err != nil {
				return err
			}
			for _, note := range plan.Notes {
				c.warn(note)
			}
			o.unlessChanged(cmd, plan.Request)
			if earlier.Run == nil {
				c.likeLast(s, &plan.Request, o)
			}
			return c.launch(cmd.Context(), s, plan.Request, set, o)
		},
	}
	o.addFlags(c, cmd)
	f := cmd.Flags()
	f.StringVar(&algorithm, "algorithm", "", "launch this `ALGORITHM` with the values instead, NAME@VERSION or id")
	f.StringVar(&remaining, "remaining", "", "launch again what of this `GROUP` has no result yet")
	f.StringVar(&results, "results", "", "with --remaining: `keep` or delete what was left half written (default: ask)")
	completeFlag(cmd, "algorithm", func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return c.completeAlgorithms(cmd, nil, prefix)
	})
	completeFlag(cmd, "remaining", c.completeGroups)
	completeFlag(cmd, "results", fixed("keep", "delete"))
	return cmd
}

// unlessChanged takes over from an earlier analysis what no flag says.
func (o *runOptions) unlessChanged(cmd *cobra.Command, r app.LaunchRequest) {
	changed := cmd.Flags().Changed
	if !changed("container") {
		o.container = r.Container
	}
	if !changed("runtime") && r.Runtime != "" {
		o.runtime = string(r.Runtime)
	}
	if !changed("strict") {
		o.strict = r.Strict
	}
}

// findToRerun finds the analysis and connects to the server it shall run on: its
// own, or the one that flags choose.
func (c *cli) findToRerun(ctx context.Context, name string) (*app.Session, app.Analysis, error) {
	if app.IsOfServer(name) {
		s, err := c.connect(ctx)
		if err != nil {
			return nil, app.Analysis{}, err
		}
		a, err := s.Find(ctx, name)
		return s, a, err
	}
	var run runner.Run
	var err error
	if app.IsFolder(name) {
		if name, err = filepath.Abs(name); err == nil {
			run, err = runner.ReadFolder(name)
		}
	} else {
		run, err = c.findRun(name)
	}
	if err != nil {
		return nil, app.Analysis{}, err
	}
	s, err := c.connectToRerun(ctx, run)
	return s, app.Analysis{Run: &run}, err
}

func (c *cli) connectToRerun(ctx context.Context, run runner.Run) (*app.Session, error) {
	s, err := c.openRun(run)
	if err != nil {
		return nil, err
	}
	if s.Profile.URL == run.Server.URL {
		if !s.HasKeys() {
			return nil, fmt.Errorf("run %s belongs to %s, and this box has no keys for it: %w; run 'cytorun login %s', or choose another server with -S",
				run.ID, run.Server.URL, client.ErrUnauthorised, run.Server.URL)
		}
		return c.connectRun(ctx, &run)
	}
	if c.project != "" {
		return s.Connect(ctx, c.project)
	}
	// A project of the same name is what most people mean.
	same, err := s.Connect(ctx, run.Project.Name)
	if err == nil && same.Project.Name == run.Project.Name {
		return same, nil
	}
	return s.Connect(ctx, "")
}

// rerunRemaining launches what a group still lacks.
func (c *cli) rerunRemaining(ctx context.Context, name, results string, set []client.Value, o runOptions) error {
	if results != "" && results != "keep" && results != "delete" {
		return usageError(fmt.Errorf("--results is keep or delete, not %q", results))
	}
	s, group, err := c.findGroup(ctx, name)
	if err != nil {
		return err
	}
	left, err := s.Remaining(ctx, group)
	switch {
	case err != nil && results == "keep":
		c.warn(err.Error())
	case err != nil:
		return fmt.Errorf("%w; --results keep goes on without looking", err)
	}
	if left.Missing > 0 {
		c.warn(fmt.Sprintf("%d parts of the split were never launched; launch them with 'cytorun run' and the images that are missing", left.Missing))
	}
	if len(left.Runs) == 0 {
		c.say("nothing remains of group %s: %s", group.ID, group)
		return nil
	}
	if results, err = c.askHalf(left, results); err != nil {
		return err
	}
	if err := c.confirmCount(len(left.Runs), "again of group "+group.ID, o); err != nil {
		return err
	}
	if results == "delete" {
		for _, h := range left.Half {
			if err := s.DeleteResults(ctx, h.Run); err != nil {
				return err
			}
			c.say("deleted what %s left on the server", h.Run.ID)
		}
	}
	return c.repeat(ctx, s, group.ID, left.Runs, set, o)
}

// askHalf says what was left half written and asks what to do with it.
func (c *cli) askHalf(left app.Remaining, results string) (string, error) {
	if len(left.Half) == 0 {
		return "", nil
	}
	for _, h := range left.Half {
		c.say("%s is %s and left %d annotations and %d files on the server", h.Run.ID, h.Run.State, h.Annotations, h.Files)
	}
	if results != "" {
		return results, nil
	}
	const question = "keep or delete what they left? the new ones write their own beside it"
	if c.asks() {
		results = c.choose(question, "keep", "delete")
	}
	if results == "" {
		return "", usageError(errors.New("nothing launched; say --results keep or --results delete"))
	}
	return results, nil
}
