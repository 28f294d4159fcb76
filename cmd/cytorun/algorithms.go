package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newAlgorithmsCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "algorithms",
		Aliases: []string{"algorithm"},
		Short:   "list the algorithms of the project",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.listAlgorithms(cmd) },
	}
	var template bool
	var file string
	show := &cobra.Command{
		Use:               "show NAME",
		Short:             "show an algorithm and its parameters",
		Example:           "  cytorun algorithms show Nuclei --template >nuclei.toml",
		Args:              exactArgs("an algorithm"),
		ValidArgsFunction: c.completeAlgorithms,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.showAlgorithm(cmd, args[0], file, template) },
	}
	show.Flags().BoolVar(&template, "template", false, "print a commented parameter file for 'run --params'")
	addDescriptorFlag(show, &file)
	cmd.AddCommand(show)
	return cmd
}

type algorithmJSON struct {
	ID             int64           `json:"id"`
	Name           string          `json:"name"`
	Version        string          `json:"version,omitempty"`
	Description    string          `json:"description,omitempty"`
	Container      string          `json:"container,omitempty"`
	CommandLine    string          `json:"command_line,omitempty"`
	Deprecated     bool            `json:"deprecated,omitempty"`
	Package        string          `json:"package,omitempty"`
	Missing        string          `json:"missing,omitempty"`
	Here           bool            `json:"container_here"`
	ContainerBytes int64           `json:"container_bytes,omitempty"`
	Last           string          `json:"last_analysis,omitempty"`
	TypicalSeconds float64         `json:"typical_seconds,omitempty"`
	Parameters     []parameterJSON `json:"parameters,omitempty"`
}

type parameterJSON struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Type        descriptor.Type `json:"type"`
	Required    bool            `json:"required"`
	SetByServer bool            `json:"set_by_server,omitempty"`
	Default     *string         `json:"default,omitempty"`
	Choices     []string        `json:"choices,omitempty"`
	Minimum     *string         `json:"minimum,omitempty"`
	Maximum     *string         `json:"maximum,omitempty"`
	Integer     bool            `json:"integer,omitempty"`
	LimitsFrom  string          `json:"limits_from,omitempty"`
	URI         string          `json:"uri,omitempty"`
	Flag        string          `json:"flag,omitempty"`
}

func (c *cli) listAlgorithms(cmd *cobra.Command) error {
	s, err := c.connect(cmd.Context())
	if err != nil {
		return err
	}
	rows, err := s.Algorithms(cmd.Context())
	if err != nil {
		return err
	}
	if c.json {
		out := []algorithmJSON{}
		for _, r := range rows {
			j := toAlgorithmJSON(r.Algorithm)
			j.Missing = r.Missing
			j.Here, j.ContainerBytes, j.TypicalSeconds = r.Here, r.Size, r.Typical.Seconds()
			if r.Last != nil {
				j.Last = r.Last.Key()
			}
			out = append(out, j)
		}
		return c.printJSON(field{"algorithms", out})
	}
	if len(rows) == 0 {
		c.say("project %s has no algorithms; a manager adds them on the server", s.Project.Name)
	}
	names := map[string]int{}
	for _, r := range rows {
		names[r.Name+" "+r.Version]++
	}
	var cells [][]string
	var missing []string
	for _, r := range rows {
		here, last := "not here", "never"
		if r.Here {
			here = text.Bytes(r.Size)
		}
		if r.Container == "" {
			here = "none"
		}
		if r.Missing != "" {
			here, missing = "unbound", append(missing, r.Missing)
		}
		if r.Last != nil {
			last = r.Last.State().Word + " " + text.Ago(r.Last.Created(), s.Env.Now())
		}
		name := r.Name
		if names[r.Name+" "+r.Version] > 1 && r.Package != "" {
			name = fmt.Sprintf("%s (id %d)", r.Name, r.ID) // names of plugins are not unique
		}
		if r.Deprecated {
			name += " (deprecated)"
		}
		cells = append(cells, []string{name, r.Version, here, last, firstLine(text.HTML(r.Description))})
	}
	if err := c.printTable([]string{"NAME", "VERSION", "CONTAINER", "LAST", "DESCRIPTION"}, cells); err != nil {
		return err
	}
	slices.Sort(missing)
	for _, why := range slices.Compact(missing) {
		c.say("not here: %s", why)
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return text.Truncate(line, 80)
}

func toAlgorithmJSON(a client.Algorithm) algorithmJSON {
	return algorithmJSON{ID: int64(a.ID), Name: a.Name, Version: a.Version, Description: a.Description, Package: a.Package,
		Container: app.ContainerReference(a), CommandLine: a.CommandLine, Deprecated: a.Deprecated}
}

func (c *cli) showAlgorithm(cmd *cobra.Command, name, descriptor string, template bool) error {
	s, err := c.connect(cmd.Context())
	if err != nil {
		return err
	}
	if s, err = described(s, descriptor); err != nil {
		return err
	}
	a, err := s.Algorithm(cmd.Context(), name)
	if err != nil {
		return err
	}
	if template {
		return c.printTemplate(cmd.Context(), s, a)
	}
	if c.json {
		j := toAlgorithmJSON(a)
		for _, p := range a.Parameters {
			j.Parameters = append(j.Parameters, parameterJSON{p.ID, p.Label(), p.Description, p.Type, !p.Optional,
				p.SetByServer || p.IsServerInput(), p.Default, p.Choices, p.Minimum, p.Maximum, p.Integer, p.LimitsFrom, p.URI, p.Flag})
		}
		return c.printJSON(field{"algorithm", j})
	}
	fmt.Fprintln(c.out, text.Line(a.FullName()))
	if d := strings.TrimSpace(text.HTML(a.Description)); d != "" {
		fmt.Fprintln(c.out, "\n"+text.Block(d))
	}
	if why := s.Missing(a); why != "" {
		c.say("it cannot run on this box: %s", why)
		return nil
	}
	container := app.ContainerReference(a)
	if container == "" {
		container = "none: name one with --container when you run it"
	}
	fmt.Fprintf(c.out, "\ncontainer  %s\ncommand    %s\n\n", text.Line(container), text.Line(a.CommandLine))
	var cells [][]string
	for _, p := range app.UserParameters(a) {
		need := "required"
		if p.Optional {
			need = "optional"
		}
		value := ""
		if p.Default != nil {
			value = *p.Default
		}
		cells = append(cells, []string{p.ID, string(p.Type), need, value, limits(p), p.Label()})
	}
	if err := c.printTable([]string{"PARAMETER", "TYPE", "", "DEFAULT", "LIMITS", "NAME"}, cells); err != nil {
		return err
	}
	c.sayLimits(a)
	return nil
}

// sayLimits says where limits come from that the server itself does not have.
func (c *cli) sayLimits(a client.Algorithm) {
	said := map[string]bool{"": true}
	for _, p := range app.UserParameters(a) {
		if !said[p.LimitsFrom] {
			said[p.LimitsFrom] = true
			c.say("limits from %s", p.LimitsFrom)
		}
	}
}

// limits says in a few words what a parameter accepts.
func limits(p descriptor.Parameter) string {
	var parts []string
	switch {
	case p.Minimum != nil && p.Maximum != nil:
		parts = append(parts, *p.Minimum+".."+*p.Maximum)
	case p.Minimum != nil:
		parts = append(parts, "at least "+*p.Minimum)
	case p.Maximum != nil:
		parts = append(parts, "at most "+*p.Maximum)
	}
	if p.Integer {
		parts = append(parts, "whole")
	}
	if len(p.Choices) > 0 {
		parts = append(parts, strings.Join(p.Choices, "|"))
	}
	if p.URI != "" {
		parts = append(parts, "see 'cytorun options'")
	}
	return text.Truncate(strings.Join(parts, ", "), 48)
}
