package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/text"
)

func newCancelCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:               "cancel ANALYSIS...",
		Short:             "end analyses that wait or run on this box",
		Args:              atLeast(1, "analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.local(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range args {
				a, err := s.Find(cmd.Context(), name)
				if err != nil {
					return err
				}
				if err := s.Cancel(cmd.Context(), a); err != nil {
					return err
				}
				fmt.Fprintf(c.err, "asked %s to end; 'cytorun wait %s' returns when it has\n", text.Line(a.Title()), a.Key())
			}
			return nil
		},
	}
}
