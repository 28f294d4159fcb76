package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// completeAlgorithms completes the first word with the names of algorithms.
func (c *cli) completeAlgorithms(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := c.connect(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	algorithms, err := s.Server.Algorithms(cmd.Context(), s.Project.ID)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, a := range algorithms {
		if strings.HasPrefix(strings.ToLower(a.Name), strings.ToLower(prefix)) && !a.Deprecated {
			out = append(out, a.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeAnalyses completes run ids, which run folders know without a server.
func (c *cli) completeAnalyses(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	env, err := c.environment()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	runs, err := env.Store.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	out := []string{"@last", "@failed"}
	for i, r := range runs {
		if i == 200 {
			break
		}
		if strings.HasPrefix(r.ID, prefix) {
			out = append(out, r.ID+"\t"+r.Algorithm.Name+" "+string(r.State))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
