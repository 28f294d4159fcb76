package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
)

func newRetryCommand(c *cli) *cobra.Command {
	var o runOptions
	var group string
	cmd := &cobra.Command{
		Use:   "retry ANALYSIS... | --failed GROUP",
		Short: "launch failed or lost analyses once more, in their places",
		Long: `Launch analyses that failed, were lost or cancelled once more, as they were: the
same values, in the same group. A container named by a tag is the one that the
tag means now; 'rerun' takes the very container that ran.`,
		Example: `  cytorun retry @failed
  cytorun retry --failed g-20261120-150000-aaaa`,
		ValidArgsFunction: c.completeAnalyses,
		Args: func(cmd *cobra.Command, args []string) error {
			if group != "" {
				return noArgs(cmd, args)
			}
			return atLeast(1, "an analysis, or --failed GROUP")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.timeout > 0 && !o.wait {
				return usageError(errors.New("--timeout needs --wait"))
			}
			if group != "" {
				return c.retryGroup(cmd.Context(), group, o)
			}
			return c.retry(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&group, "failed", "", "all that failed or were lost of this `GROUP`")
	o.addManyFlags(f)
	o.addWaitFlags(f)
	completeFlag(cmd, "failed", c.completeGroups)
	return cmd
}

func (c *cli) retryGroup(ctx context.Context, name string, o runOptions) error {
	s, group, err := c.findGroup(ctx, name)
	if err != nil {
		return err
	}
	runs := slices.DeleteFunc(slices.Clone(group.Runs), func(r runner.Run) bool { return r.State != runner.Failed && r.State != runner.Lost })
	if len(runs) == 0 {
		c.say("nothing failed in group %s: %s", group.ID, group)
		return nil
	}
	if err := c.confirmCount(len(runs), "again of group "+group.ID, o); err != nil {
		return err
	}
	return c.repeat(ctx, s, group.ID, runs, nil, o)
}

func (c *cli) retry(ctx context.Context, names []string, o runOptions) error {
	var runs []runner.Run
	for _, name := range names {
		_, a, err := c.find(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case a.Run == nil:
			return fmt.Errorf("cannot launch %s again in its place: it ran elsewhere; use 'cytorun rerun %s'", a.Title(), a.Key())
		case a.Run.State == runner.Succeeded:
			return usageError(fmt.Errorf("%s has succeeded; 'cytorun rerun %s' launches it again", a.Title(), a.Key()))
		}
		if !slices.ContainsFunc(runs, func(r runner.Run) bool { return r.ID == a.Run.ID }) {
			runs = append(runs, *a.Run)
		}
	}
	s, err := c.connectRun(ctx, &runs[0])
	if err != nil {
		return err
	}
	if err := c.confirmCount(len(runs), "again", o); err != nil {
		return err
	}
	group := runs[0].Group
	if slices.ContainsFunc(runs, func(r runner.Run) bool { return r.Group != group }) {
		group = ""
	}
	return c.repeat(ctx, s, group, runs, nil, o)
}

// repeat launches runs again in their places, with other values where set.
func (c *cli) repeat(ctx context.Context, s *app.Session, group string, runs []runner.Run, set []client.Value, o runOptions) error {
	requests, err := s.Repeat(ctx, runs, set)
	if err != nil {
		return err
	}
	if o.set != nil { // retry has no such flags
		for i := range requests {
			o.change(&requests[i].Resources)
		}
		c.warnLimits(s, requests[0])
	}
	return c.launchAll(ctx, s, group, requests, o)
}
