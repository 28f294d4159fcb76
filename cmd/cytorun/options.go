package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newOptionsCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:               "options ALGORITHM PARAMETER",
		Short:             "list what a Domain or ListDomain parameter may be set to",
		Args:              exactArgs("an algorithm", "a parameter"),
		ValidArgsFunction: c.completeAlgorithms,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			a, err := s.Algorithm(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			ps := app.UserParameters(a)
			i := slices.IndexFunc(ps, func(p descriptor.Parameter) bool { return p.ID == args[1] })
			if i < 0 {
				return fmt.Errorf("%s has no parameter %q: %w; 'cytorun algorithms show %s' lists them", text.Line(a.Name), args[1], client.ErrNotFound, text.Line(a.Name))
			}
			p := ps[i]
			if p.URI == "" {
				if len(p.Choices) == 0 {
					return usageError(fmt.Errorf("parameter %s is a %s without a list of options", p.ID, p.Type))
				}
				if c.json {
					return c.printJSON(field{"choices", p.Choices})
				}
				for _, choice := range p.Choices {
					fmt.Fprintln(c.out, text.Line(choice))
				}
				return nil
			}
			var all []client.Option
			err = s.Options(cmd.Context(), p, func(o []client.Option) error { all = append(all, o...); return nil })
			if err != nil {
				return err
			}
			app.SortOptions(p, all)
			type row struct {
				ID     int64             `json:"id"`
				Name   string            `json:"name"`
				Fields map[string]string `json:"fields"`
			}
			rows, cells := []row{}, [][]string{}
			for _, o := range all {
				name := app.OptionLabel(p, o)
				rows = append(rows, row{int64(o.ID), name, o.Fields.Map()})
				cells = append(cells, []string{strconv.FormatInt(int64(o.ID), 10), name})
			}
			if c.json {
				return c.printJSON(field{"options", rows})
			}
			if len(all) == 0 {
				c.say("the server has no options for %s in project %s", p.ID, s.Project.Name)
			}
			return c.printTable([]string{"ID", "NAME"}, cells)
		},
	}
}
