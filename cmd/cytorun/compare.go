package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
)

func newCompareCommand(c *cli) *cobra.Command {
	var only bool
	var baseline, format string
	cmd := &cobra.Command{
		Use:               "compare ANALYSIS ANALYSIS...",
		Short:             "put analyses side by side",
		Example:           "  cytorun compare Nuclei#1 Nuclei#2 --only-differences --baseline Nuclei#1 --format md",
		Args:              atLeast(2, "analyses"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				format = "json"
			}
			if !slices.Contains(compare.Formats, format) {
				return usageError(fmt.Errorf("no format %q; use one of %s", format, strings.Join(compare.Formats, ", ")))
			}
			s, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			var analyses []app.Analysis
			base := -1
			for _, name := range args {
				a, err := s.Find(cmd.Context(), name)
				if err != nil {
					return err
				}
				analyses = append(analyses, a)
			}
			if baseline != "" {
				b, err := s.Find(cmd.Context(), baseline)
				if err != nil {
					return err
				}
				base = slices.IndexFunc(analyses, func(a app.Analysis) bool { return a.Key() == b.Key() })
				if base < 0 {
					analyses, base = append([]app.Analysis{b}, analyses...), 0
				}
			}
			t, err := s.Compare(cmd.Context(), analyses)
			if err != nil {
				return err
			}
			if only {
				t = t.Differences()
			}
			return t.Export(c.out, format, base)
		},
	}
	cmd.Flags().BoolVarP(&only, "only-differences", "d", false, "leave out the rows in which all agree")
	cmd.Flags().StringVarP(&baseline, "baseline", "b", "", "show differences against this `ANALYSIS`")
	cmd.Flags().StringVarP(&format, "format", "f", "table", strings.Join(compare.Formats, ", "))
	return cmd
}
