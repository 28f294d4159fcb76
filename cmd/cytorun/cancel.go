package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
)

func newCancelCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:               "cancel ANALYSIS|GROUP...",
		Short:             "end analyses, or whole groups, that wait or run on this box",
		Args:              atLeast(1, "an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			var failed []error
			for _, name := range args {
				if app.IsGroup(name) {
					if err := c.cancelGroup(cmd.Context(), name); err != nil {
						failed = append(failed, fmt.Errorf("%s: %w", name, err))
					}
					continue
				}
				s, a, err := c.find(cmd.Context(), name)
				if err == nil {
					err = s.Cancel(cmd.Context(), a)
				}
				if err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", name, err))
					continue
				}
				c.say("asked %s to end; 'cytorun wait %s' returns when it has", a.Title(), a.Key())
			}
			if len(args) == 1 && len(failed) == 1 {
				return errors.Unwrap(failed[0])
			}
			return errors.Join(failed...)
		},
	}
}
