package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
)

// errNothing tells that a filter means no analysis.
var errNothing = client.ErrNotFound

// newMarkCommand notes something of analyses.
func newMarkCommand(c *cli) *cobra.Command {
	var star, unstar bool
	var note, filter string
	var tags, untag []string
	cmd := &cobra.Command{
		Use:               "mark ANALYSIS...",
		Short:             "give analyses a star, a note or tags",
		Example:           "  cytorun analyses mark @last --star --note 'the good one'\n  cytorun analyses mark g-20261120 --tag fig2",
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			noted := cmd.Flags().Changed("note")
			if !star && !unstar && !noted && len(tags) == 0 && len(untag) == 0 {
				return usageError(errors.New("nothing to mark; use --star, --unstar, --note, --tag or --untag"))
			}
			s, analyses, err := c.findMany(cmd.Context(), args, filter)
			if err != nil {
				return err
			}
			_, err = s.Mark(analyses, func(m *app.Mark) {
				m.Star = (m.Star || star) && !unstar
				if noted {
					m.Note = note
				}
				m.Tags = append(m.Tags, app.ParseTags(strings.Join(tags, " "))...)
				slices.Sort(m.Tags)
				gone := app.ParseTags(strings.Join(untag, " "))
				m.Tags = slices.DeleteFunc(slices.Compact(m.Tags), func(t string) bool { return slices.Contains(gone, t) })
			})
			if err == nil {
				c.say("marked %d", len(analyses))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&star, "star", false, "give a star")
	f.BoolVar(&unstar, "unstar", false, "take the star away")
	f.StringVar(&note, "note", "", "a `NOTE`; empty takes it away")
	f.StringSliceVar(&tags, "tag", nil, "add a `TAG`; again for more")
	f.StringSliceVar(&untag, "untag", nil, "take a `TAG` away")
	c.addFilterFlag(cmd, &filter)
	return cmd
}

// newFiltersCommand lists, saves and forgets filters.
func newFiltersCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "filters",
		Short: "list the saved filters; @NAME stands for one",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			env, err := c.surroundings()
			if err != nil {
				return err
			}
			filters, err := env.Filters()
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(field{"filters", filters})
			}
			var rows [][]string
			for _, name := range app.FilterNames(filters) {
				rows = append(rows, []string{"@" + name, filters[name]})
			}
			return c.printTable([]string{"NAME", "FILTER"}, rows)
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: "save NAME FILTER", Short: "save a filter under a name", Args: exactArgs("a name", "a filter"),
		RunE: func(_ *cobra.Command, args []string) error { return c.saveFilter(args[0], args[1]) },
	}, &cobra.Command{
		Use: "forget NAME", Short: "forget a saved filter", Args: exactArgs("a name"), ValidArgsFunction: c.completeFilters,
		RunE: func(_ *cobra.Command, args []string) error { return c.saveFilter(args[0], "") },
	})
	return cmd
}

func (c *cli) saveFilter(name, query string) error {
	env, err := c.surroundings()
	if err != nil {
		return err
	}
	if err := env.SaveFilter(strings.TrimPrefix(name, "@"), query); err != nil {
		return fmt.Errorf("%w; 'cytorun analyses filters' lists them", err)
	}
	return nil
}
