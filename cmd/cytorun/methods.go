package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
)

func newMethodsCommand(c *cli) *cobra.Command {
	var format, filter string
	cmd := &cobra.Command{
		Use:   "methods ANALYSIS...",
		Short: "write the paragraph and the table for a paper",
		Long: `methods tells what a paper tells of analyses: the algorithm with its version and
the digest of its container, the parameters that were not left at their defaults,
the images, the hardware and the dates, as a paragraph for each algorithm and a
table with a row for each analysis. What is not recorded is said.`,
		Example:           "  cytorun methods Nuclei#12 Nuclei#13 --format latex >methods.tex\n  cytorun methods --filter 'tag:fig2'",
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				format = "json"
			}
			if !slices.Contains(app.MethodsFormats, format) {
				return usageError(fmt.Errorf("no format %q; use one of %s", format, strings.Join(app.MethodsFormats, ", ")))
			}
			s, analyses, err := c.findMany(cmd.Context(), args, filter)
			if err != nil {
				return err
			}
			m, err := s.Methods(cmd.Context(), analyses)
			if err != nil {
				return err
			}
			return m.Write(c.out, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", strings.Join(app.MethodsFormats, ", "))
	completeFlag(cmd, "format", fixed(app.MethodsFormats...))
	c.addFilterFlag(cmd, &filter)
	return cmd
}
