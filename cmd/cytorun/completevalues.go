package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// A completion is answered from what was kept of an algorithm for so long,
// without asking the server.
const (
	completeFresh   = 24 * time.Hour
	completeOptions = 200 // options offered at most
)

// completeParameters completes NAME=VALUE of the algorithm that is the first
// word, or of the analysis that is: names of parameters, then choices and options.
// What the server said earlier is enough; it is asked where that is old or not
// there.
func (c *cli) completeParameters(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	s, parameters, err := c.parametersToComplete(ctx, cmd, args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	name, value, hasValue := strings.Cut(prefix, "=")
	if !hasValue {
		var out []string
		for _, p := range parameters {
			out = append(out, text.Line(p.ID)+"=\t"+text.Truncate(text.Line(p.Label()), 80))
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	i := slices.IndexFunc(parameters, func(p descriptor.Parameter) bool { return strings.EqualFold(p.ID, name) })
	if i < 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	p := parameters[i]
	// Of a list the last item is completed; so it is in a sweep.
	before := ""
	if at := strings.LastIndexByte(value, ','); at >= 0 && (p.Type.IsList() || cmd.Flags().Changed("sweep")) {
		before, value = value[:at+1], value[at+1:]
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if p.Type.IsList() {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	var out []string
	for _, v := range c.valuesToComplete(ctx, s, p, value) {
		out = append(out, name+"="+before+v)
	}
	return out, directive
}

// parametersToComplete finds the parameters of an algorithm, or of an analysis
// that is launched again.
func (c *cli) parametersToComplete(ctx context.Context, cmd *cobra.Command, word string) (*app.Session, []descriptor.Parameter, error) {
	env, err := c.surroundings()
	if err != nil {
		return nil, nil, err
	}
	s, err := env.Open(c.sel)
	if cmd.Name() == "rerun" {
		run, err := env.FindRun(word, nil)
		if err != nil {
			return nil, nil, err
		}
		var a client.Algorithm
		for _, p := range run.Algorithm.Parameters {
			a.Parameters = append(a.Parameters, client.Parameter{Parameter: p.Parameter})
		}
		return s, app.UserParameters(a), nil // s may be nil: then options are unknown
	}
	if err != nil {
		return nil, nil, err
	}
	kept, age, ok := s.CachedAlgorithm(word)
	if ok && age < completeFresh && c.project == "" {
		return s, app.UserParameters(kept), nil
	}
	connected, err := s.Connect(ctx, c.project)
	var a client.Algorithm
	if err == nil {
		a, err = connected.Algorithm(ctx, word)
	}
	switch {
	case err == nil:
		return connected, app.UserParameters(a), nil
	case ok && client.Transient(err):
		return s, app.UserParameters(kept), nil
	}
	return nil, nil, err
}

// valuesToComplete are the values of a parameter that fit what was typed.
func (c *cli) valuesToComplete(ctx context.Context, s *app.Session, p descriptor.Parameter, typed string) []string {
	switch {
	case len(p.Choices) > 0:
		return p.Choices
	case p.Type == descriptor.Boolean:
		return []string{"true", "false"}
	case p.Type == descriptor.Domain || p.Type == descriptor.ListDomain:
		return c.optionsToComplete(ctx, s, p, typed)
	case p.Default != nil:
		return []string{*p.Default + "\tdefault"}
	}
	return nil
}

// optionsToComplete are named selections, and options by name where a shell takes
// the name as one word, else by id.
func (c *cli) optionsToComplete(ctx context.Context, s *app.Session, p descriptor.Parameter, typed string) []string {
	var out []string
	if s == nil {
		return nil
	}
	if sets, err := s.OptionSets(p.URI); err == nil && p.Type == descriptor.ListDomain {
		for _, set := range sets {
			out = append(out, "@"+set.Name+"\t"+text.Plural(len(set.IDs), "option"))
		}
	}
	if p.Type == descriptor.ListDomain {
		out = append(out, "all\tevery option")
	}
	var options []client.Option
	collect := func(o []client.Option) error { options = append(options, o...); return nil }
	note := ""
	if age, ok, err := s.CachedOptions(p, collect); !ok || err != nil {
		options = nil
		if !s.Connected() {
			connected, err := s.Connect(ctx, c.project)
			if err != nil {
				return out
			}
			s = connected
		}
		if err := s.Options(ctx, p, collect); err != nil {
			return out
		}
	} else if age > time.Hour {
		now := time.Now()
		note = ", as of " + text.Ago(now.Add(-age), now)
	}
	app.SortOptions(p, options)
	for _, o := range options {
		id, name := idOf(o), app.OptionLabel(p, o)
		switch {
		case plainWord(name) && strings.HasPrefix(strings.ToLower(name), strings.ToLower(typed)):
			out = append(out, name+"\t"+id+note)
		case strings.HasPrefix(id, typed):
			out = append(out, id+"\t"+text.Line(name)+note)
		}
		if len(out) == completeOptions {
			break
		}
	}
	return out
}

func idOf(o client.Option) string { return strconv.FormatInt(int64(o.ID), 10) }

// plainWord tells whether a shell takes s as one word, and we as one name.
func plainWord(s string) bool {
	return s != "" && !strings.HasPrefix(s, "@") && strings.IndexFunc(s, func(r rune) bool {
		return !(r == '.' || r == '_' || r == '-' || r == '+' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}) < 0
}
