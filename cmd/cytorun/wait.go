package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
)

func newWaitCommand(c *cli) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "wait ANALYSIS|GROUP",
		Short:             "wait for the end of an analysis, or of a whole group, and exit with its code",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			if app.IsGroup(args[0]) {
				s, g, err := c.groupHere(args[0])
				if err != nil {
					return err
				}
				return c.waitForGroup(cmd.Context(), s, g.ID, timeout)
			}
			s, a, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.waitFor(cmd.Context(), s, a, timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "stop waiting after this time (exit 13)")
	return cmd
}
