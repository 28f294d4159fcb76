package main

import (
	"time"

	"github.com/spf13/cobra"
)

func newWaitCommand(c *cli) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "wait ANALYSIS",
		Short:             "wait for the end of an analysis and exit with its code",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
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
