package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
)

// mostSelected bounds how many analyses a filter may mean where each is read.
const mostSelected = 1000

// addFilterFlag is the flag of commands that also take the analyses of a filter.
func (c *cli) addFilterFlag(cmd *cobra.Command, filter *string) {
	cmd.Flags().StringVar(filter, "filter", "", "also those that a `FILTER` means, such as 'state:succeeded since:1d sigma>2'")
	completeFlag(cmd, "filter", c.completeFilters)
}

// findMany finds the analyses that are named, those of groups that are named, and
// those of a filter, the latter two oldest first. It opens their server.
func (c *cli) findMany(ctx context.Context, names []string, filter string) (*app.Session, []app.Analysis, error) {
	if len(names) == 0 && filter == "" {
		return nil, nil, usageError(errors.New("name at least one analysis, a group, or --filter"))
	}
	var plain []string
	for _, n := range names {
		if !app.IsGroup(n) {
			plain = append(plain, n)
			continue
		}
		env, err := c.environment()
		if err != nil {
			return nil, nil, err
		}
		g, err := env.FindGroup(n)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range g.Runs {
			plain = append(plain, r.ID)
		}
	}
	var s *app.Session
	var analyses []app.Analysis
	var err error
	if len(plain) > 0 {
		if s, analyses, err = c.findAll(ctx, plain); err != nil {
			return nil, nil, err
		}
	} else if s, err = c.local(ctx); err != nil {
		return nil, nil, err
	}
	if filter == "" {
		return s, analyses, nil
	}
	rows, err := s.Select(ctx, app.Selection{Filter: filter, Max: mostSelected, Seen: c.sayLookedAt()})
	if err != nil && len(rows) == 0 {
		return nil, nil, err
	}
	if err != nil {
		c.warn(err.Error())
	}
	if len(rows) == mostSelected {
		c.warn(fmt.Sprintf("the filter means more than %d analyses; only the newest are taken", mostSelected))
	}
	slices.Reverse(rows)
	for _, r := range rows {
		if !slices.ContainsFunc(analyses, func(a app.Analysis) bool { return a.Key() == r.ID }) {
			analyses = append(analyses, r.Analysis)
		}
	}
	if len(analyses) == 0 {
		return nil, nil, fmt.Errorf("no analysis matches %q: %w", filter, errNothing)
	}
	return s, analyses, nil
}

// completeFilters completes the names of saved filters.
func (c *cli) completeFilters(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	filters, err := env.Filters()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, name := range app.FilterNames(filters) {
		out = append(out, "@"+name+"\t"+filters[name])
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
