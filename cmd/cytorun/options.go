package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// optionsOptions are the flags of options.
type optionsOptions struct {
	save, forget string
	sets         bool
}

func newOptionsCommand(c *cli) *cobra.Command {
	var o optionsOptions
	cmd := &cobra.Command{
		Use:   "options ALGORITHM PARAMETER [OPTION...]",
		Short: "list what a Domain or ListDomain parameter may be set to",
		Long: `List what a Domain or ListDomain parameter may be set to: all of it, or the
options named by id, name or selection. --save keeps what is listed as a named
selection of the project, which stands for its options in -p and in the form.
Without the server the options are those that it gave last.`,
		Example: `  cytorun options Nuclei images
  cytorun options Nuclei images a.png b.png 1234 --save @cohort-a
  cytorun options Nuclei images --selections
  cytorun run Nuclei -p images=@cohort-a`,
		Args:              atLeast(2, "words: an algorithm and a parameter"),
		ValidArgsFunction: c.completeOptions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.listOptions(cmd, args, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.save, "save", "", "keep what is listed as the selection `@NAME`")
	f.StringVar(&o.forget, "forget", "", "remove the selection `@NAME`")
	f.BoolVar(&o.sets, "selections", false, "list the named selections of the project instead")
	return cmd
}

type optionJSON struct {
	ID     int64             `json:"id"`
	Name   string            `json:"name"`
	Fields map[string]string `json:"fields"`
}

func (c *cli) listOptions(cmd *cobra.Command, args []string, o optionsOptions) error {
	s, err := c.connect(cmd.Context())
	if err != nil {
		return err
	}
	if o.forget != "" {
		return s.DeleteOptionSet(o.forget)
	}
	a, err := s.Algorithm(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	ps := app.UserParameters(a)
	i := slices.IndexFunc(ps, func(p descriptor.Parameter) bool { return strings.EqualFold(p.ID, args[1]) })
	if i < 0 {
		return client.NotFound("%s has no parameter %q; 'cytorun algorithms show %s' lists them", text.Line(a.Name), args[1], text.Line(a.Name))
	}
	p := ps[i]
	if o.sets {
		return c.listSelections(s, p)
	}
	if p.URI == "" {
		if len(p.Choices) == 0 || len(args) > 2 || o.save != "" {
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
	all, err := s.OptionsNamed(cmd.Context(), p, args[2:])
	if err != nil {
		return err
	}
	if age := s.OptionsAge(p); age > 0 {
		c.warn("the server does not answer; these are the options of " + text.Ago(s.Env.Now().Add(-age), s.Env.Now()))
	}
	if o.save != "" {
		return c.saveSelection(s, p, o.save, all)
	}
	rows, cells := []optionJSON{}, [][]string{}
	for _, one := range all {
		name := app.OptionLabel(p, one)
		rows = append(rows, optionJSON{int64(one.ID), name, one.Fields.Map()})
		cells = append(cells, []string{strconv.FormatInt(int64(one.ID), 10), name})
	}
	if c.json {
		return c.printJSON(field{"options", rows})
	}
	if len(all) == 0 {
		c.say("the server has no options for %s in project %s", p.ID, s.Project.Name)
	}
	return c.printTable([]string{"ID", "NAME"}, cells)
}

func (c *cli) saveSelection(s *app.Session, p descriptor.Parameter, name string, options []client.Option) error {
	set := app.OptionSet{Name: name, URI: p.URI}
	for _, o := range options {
		set.IDs = append(set.IDs, strconv.FormatInt(int64(o.ID), 10))
		set.Labels = append(set.Labels, app.OptionLabel(p, o))
	}
	if err := s.SaveOptionSet(set); err != nil {
		return usageError(err)
	}
	c.say("@%s stands for %s now", strings.TrimPrefix(name, "@"), text.Plural(len(options), "option"))
	return nil
}

func (c *cli) listSelections(s *app.Session, p descriptor.Parameter) error {
	sets, err := s.OptionSets(p.URI)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(field{"selections", list(sets)})
	}
	var cells [][]string
	for _, set := range sets {
		cells = append(cells, []string{"@" + set.Name, text.Count(len(set.IDs)), text.Ago(set.Saved, s.Env.Now()), strings.Join(set.Labels[:min(len(set.Labels), 3)], ", ")})
	}
	return c.printTable([]string{"SELECTION", "OPTIONS", "SAVED", "FIRST"}, cells)
}

// completeOptions completes the algorithm, then one of its parameters with
// options, then its options.
func (c *cli) completeOptions(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return c.completeAlgorithms(cmd, args, prefix)
	}
	s, parameters, err := c.parametersToComplete(cmd.Context(), cmd, args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	if len(args) == 1 {
		var out []string
		for _, p := range parameters {
			if p.URI != "" || len(p.Choices) > 0 {
				out = append(out, p.ID+"\t"+text.Line(p.Label()))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	i := slices.IndexFunc(parameters, func(p descriptor.Parameter) bool { return p.ID == args[1] })
	if i < 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.optionsToComplete(cmd.Context(), s, parameters[i], prefix), cobra.ShellCompDirectiveNoFileComp
}
