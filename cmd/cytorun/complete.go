package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// completeWithin bounds what a person who pressed tab waits for a server.
const completeWithin = 2 * time.Second

// completeAlgorithms completes the first word with the names of algorithms.
func (c *cli) completeAlgorithms(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	s, err := c.completing(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	algorithms, err := s.Server.Algorithms(ctx, s.Project.ID)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, a := range algorithms {
		// A name that a terminal does not show as it is cannot be typed either.
		if strings.HasPrefix(strings.ToLower(a.Name), strings.ToLower(prefix)) && !a.Deprecated && a.Name == text.Line(a.Name) {
			out = append(out, a.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeRoot completes a word that is no command with the names of
// algorithms, whose forms it opens. The server is asked only when no command is
// meant.
func (c *cli) completeRoot(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	for _, sub := range cmd.Root().Commands() {
		if strings.HasPrefix(sub.Name(), prefix) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	return c.completeAlgorithms(cmd, args, prefix)
}

// completing connects for a completion.
func (c *cli) completing(ctx context.Context) (*app.Session, error) {
	env, err := c.surroundings()
	if err != nil {
		return nil, err
	}
	s, err := env.Open(c.sel)
	if err != nil {
		return nil, err
	}
	return s.Connect(ctx, c.project)
}

// completeAnalyses completes run ids, which run folders know without a server.
func (c *cli) completeAnalyses(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	runs, err := env.Store.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	out := []string{app.Last, app.LastFailed}
	for i, r := range runs {
		if i == 200 {
			break
		}
		if strings.HasPrefix(r.ID, prefix) {
			out = append(out, r.ID+"\t"+text.Line(r.Algorithm.Name)+" "+string(r.State))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeProfiles completes the names of profiles.
func (c *cli) completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	config, err := profile.Load(env.Paths)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(config.Profiles)), cobra.ShellCompDirectiveNoFileComp
}

// completeFlag says what completes the value of a flag.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // no such flag: the first start would show it
	}
}

// fixed completes with fixed words.
func fixed(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}
