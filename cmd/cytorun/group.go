package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// addManyFlags are the flags of everything that may launch several runs.
func (o *runOptions) addManyFlags(f *pflag.FlagSet) {
	f.BoolVarP(&o.yes, "yes", "y", false, "launch without asking")
	f.StringVar(&o.existing, "existing", "", "on EXACT, where an image has a job of the algorithm already: `skip` it, or redo it (default: ask)")
}

func (o *runOptions) addWaitFlags(f *pflag.FlagSet) {
	f.BoolVarP(&o.wait, "wait", "w", false, "wait for the end and exit with its code")
	f.DurationVar(&o.timeout, "timeout", 0, "with --wait: stop waiting after this time (exit 13)")
}

// addSplitFlags are the flags of a split.
func (o *runOptions) addSplitFlags(f *pflag.FlagSet) {
	f.StringVar(&o.split, "split", "", "one run for each option of `PARAMETER[:N]`, or for each N of them")
	f.IntVar(&o.stopAfter, "stop-after", app.StopAfter, "with --split or --sweep: start no more after so many failures in a row; 0 goes on")
}

// splitting takes PARAMETER[:N] apart.
func (o *runOptions) splitting() (parameter string, size int, err error) {
	parameter, number, found := strings.Cut(o.split, ":")
	if !found {
		return parameter, 1, nil
	}
	if size, err = strconv.Atoi(number); err != nil || size < 1 || parameter == "" {
		return "", 0, usageError(fmt.Errorf("%q is no split; write --split PARAMETER or --split PARAMETER:N", o.split))
	}
	return parameter, size, nil
}

// launchSplit launches the parts of a split as one group.
func (c *cli) launchSplit(ctx context.Context, s *app.Session, r app.LaunchRequest, o runOptions) error {
	parameter, size, err := o.splitting()
	if err != nil {
		return err
	}
	if o.stopAfter < 0 {
		return usageError(fmt.Errorf("--stop-after must not be negative; got %d", o.stopAfter))
	}
	parts, err := app.Split(r, parameter, size)
	if err != nil {
		return err
	}
	group := runner.NewGroupID(s.Env.Now())
	for i := range parts {
		parts[i].Group, parts[i].StopAfter = group, o.stopAfter
	}
	if o.dryRun {
		c.say("%s; the first of them:", countAnalyses(len(parts)))
		return c.dryRun(ctx, s, parts[0])
	}
	if err := c.check(ctx, s, parts...); err != nil { // before anybody is asked
		return err
	}
	for i := range parts {
		parts[i].Checked = true
	}
	if err := c.confirmCount(len(parts), "of "+text.Line(r.Algorithm.FullName()), o); err != nil {
		return err
	}
	return c.launchAll(ctx, s, group, parts, o)
}

// confirmCount says how many runs it will be, and asks where somebody can
// answer.
func (c *cli) confirmCount(n int, what string, o runOptions) error {
	if n < 2 || o.yes || o.dryRun {
		return nil
	}
	if !c.asks() {
		c.say("launching %s %s", countAnalyses(n), what)
		return nil
	}
	if !c.confirm(fmt.Sprintf("launch %s %s?", countAnalyses(n), what)) {
		return &exitError{exitFailed, errors.New("nothing launched")}
	}
	return nil
}

// launchAll launches runs and, if asked, waits for all of them.
func (c *cli) launchAll(ctx context.Context, s *app.Session, group string, requests []app.LaunchRequest, o runOptions) error {
	requests, err := c.settle(ctx, s, requests, o)
	if err != nil {
		return err
	}
	if len(requests) > 0 {
		c.sayRoom(ctx, s, requests[0]) // the others take the same
	}
	runs, err := s.LaunchAll(ctx, requests)
	if err != nil {
		return err
	}
	if group == "" && len(runs) == 1 {
		return c.launched(ctx, s, runs[0], o)
	}
	if len(runs) > 0 {
		c.sayModified(runs[0]) // as the others
	}
	if !o.wait || group == "" {
		if err := c.printGroupLaunch(s, group, runs); err != nil || !o.wait {
			return err
		}
		return usageError(errors.New("they are in no group; wait for each with 'cytorun wait'"))
	}
	c.say("launched %s in group %s", countAnalyses(len(runs)), group)
	return c.waitForGroup(ctx, s, group, o.timeout)
}

func (c *cli) printGroupLaunch(s *app.Session, group string, runs []runner.Run) error {
	if c.json {
		var out []analysisJSON
		for i := range runs {
			out = append(out, toAnalysisJSON(app.Analysis{Run: &runs[i]}, s.Env.Now()))
		}
		return c.printJSON(field{"group", group}, field{"analyses", list(out)})
	}
	if group == "" {
		for _, r := range runs {
			fmt.Fprintln(c.out, r.ID)
		}
		return nil
	}
	fmt.Fprintln(c.out, group)
	c.say("launched %s; 'cytorun analyses --group %s' lists them, 'cytorun wait %s' waits for all", countAnalyses(len(runs)), group, group)
	return nil
}

// waitForGroup waits for all runs of a group and turns their ends into the exit
// code: that of the first state in the order failed, lost, cancelled that one of
// them has.
func (c *cli) waitForGroup(ctx context.Context, s *app.Session, id string, timeout time.Duration) error {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	g, err := s.Env.WaitGroup(ctx, id, func(g runner.Group) { c.say("%s", g) })
	late := errors.Is(err, context.DeadlineExceeded) && timeout > 0
	if err != nil && !late {
		return err
	}
	if c.json {
		if err := c.printGroup(s, g); err != nil {
			return err
		}
	}
	if late {
		c.warn(fmt.Sprintf("group %s is not over after %s: %s; 'cytorun wait %s' waits on", id, timeout, g, id))
		return &exitError{code: runner.Running.ExitCode()}
	}
	if code := g.State().ExitCode(); code != 0 {
		c.warn(fmt.Sprintf("see 'cytorun analyses --group %s'; 'cytorun rerun --remaining %s' launches what has no result", id, id))
		return &exitError{code: code}
	}
	return nil
}

// printGroup prints a group for programs.
func (c *cli) printGroup(s *app.Session, g runner.Group) error {
	var out []analysisJSON
	for i := range g.Runs {
		out = append(out, toAnalysisJSON(app.Analysis{Run: &g.Runs[i]}, s.Env.Now()))
	}
	return c.printJSON(field{"group", g.ID}, field{"state", g.State()}, field{"counts", g.Count()}, field{"analyses", list(out)})
}

// groupHere finds a group without asking any server.
func (c *cli) groupHere(name string) (*app.Session, runner.Group, error) {
	env, err := c.environment()
	if err != nil {
		return nil, runner.Group{}, err
	}
	g, err := env.FindGroup(name)
	if err != nil {
		return nil, g, err
	}
	slices.SortStableFunc(g.Runs, func(a, b runner.Run) int {
		if a.Part == nil || b.Part == nil {
			return 0
		}
		return a.Part.Index - b.Part.Index
	})
	s, err := c.openRun(g.Runs[0])
	return s, g, err
}

// findGroup finds a group and connects to the server of its runs.
func (c *cli) findGroup(ctx context.Context, name string) (*app.Session, runner.Group, error) {
	_, g, err := c.groupHere(name)
	if err != nil {
		return nil, g, err
	}
	s, err := c.connectRun(ctx, &g.Runs[0])
	return s, g, err
}

// cancelGroup asks all of a group to end.
func (c *cli) cancelGroup(ctx context.Context, name string) error {
	s, g, err := c.groupHere(name)
	if err != nil {
		return err
	}
	asked, err := s.CancelGroup(ctx, g)
	if asked > 0 {
		c.say("asked %s of group %s to end; 'cytorun wait %s' returns when they have", countAnalyses(asked), g.ID, g.ID)
	}
	return err
}

// countAnalyses counts in words.
func countAnalyses(n int) string {
	if n == 1 {
		return "1 analysis"
	}
	return text.Count(n) + " analyses"
}

// listGroup lists the analyses of a group that count.
func (c *cli) listGroup(name string) error {
	s, g, err := c.groupHere(name)
	if err != nil {
		return err
	}
	if c.json {
		return c.printGroup(s, g)
	}
	var all []app.Analysis
	for i := range g.Runs {
		all = append(all, app.Analysis{Run: &g.Runs[i]})
	}
	c.say("group %s: %s", g.ID, g)
	return c.printAnalyses(s, all)
}

// completeGroups completes the ids of groups, the newest first.
func (c *cli) completeGroups(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	runs, err := env.Store.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	seen := map[string]bool{"": true}
	for _, r := range runs {
		if !seen[r.Group] {
			seen[r.Group] = true
			out = append(out, r.Group+"\t"+r.Algorithm.Name+", "+runner.GroupOf(runs, r.Group).String())
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
