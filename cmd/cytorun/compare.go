package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
)

func newCompareCommand(c *cli) *cobra.Command {
	var only bool
	var baseline, format, filter, plot, against string
	cmd := &cobra.Command{
		Use:               "compare ANALYSIS...",
		Short:             "put analyses side by side",
		Example:           "  cytorun compare Nuclei#1 Nuclei#2 --only-differences --baseline Nuclei#1 --format md\n  cytorun compare g-20261120-1432 -d\n  cytorun compare --filter 'algorithm:nuclei state:succeeded since:7d' --format csv\n  cytorun compare g-20261120-1432 --plot nucleus --against sigma",
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				format = "json"
			}
			if !slices.Contains(compare.Formats, format) {
				return usageError(fmt.Errorf("no format %q; use one of %s", format, strings.Join(compare.Formats, ", ")))
			}
			if against != "" && plot == "" {
				return usageError(errors.New("--against goes with --plot"))
			}
			names := args
			if baseline != "" {
				names = append([]string{baseline}, args...)
			}
			s, analyses, err := c.findMany(cmd.Context(), names, filter)
			if err != nil {
				return err
			}
			base := -1
			if baseline != "" {
				analyses, base = withBaseline(analyses)
			}
			t, err := s.Compare(cmd.Context(), analyses, nil)
			if err != nil {
				return err
			}
			if plot != "" {
				return c.plotTable(t, plot, against)
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
	cmd.Flags().StringVar(&plot, "plot", "", "draw a `RESULT`, such as a term or duration, against a parameter")
	cmd.Flags().StringVar(&against, "against", "", "with --plot: the `PARAMETER`; otherwise the first in which they differ")
	completeFlag(cmd, "format", fixed(compare.Formats...))
	c.addFilterFlag(cmd, &filter)
	completeFlag(cmd, "baseline", c.completeAnalyses)
	return cmd
}

// withBaseline gives the analyses to compare, of which the first is the
// baseline and may be named again among the others, and the baseline's place.
func withBaseline(analyses []app.Analysis) ([]app.Analysis, int) {
	key := analyses[0].Key()
	if i := slices.IndexFunc(analyses[1:], func(a app.Analysis) bool { return a.Key() == key }); i >= 0 {
		return analyses[1:], i
	}
	return analyses, 0
}
