package main

import (
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

func newProfileCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "list the servers you are logged in to",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return c.listProfiles() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "list the servers you are logged in to", Args: noArgs,
			RunE: func(*cobra.Command, []string) error { return c.listProfiles() },
		},
		&cobra.Command{
			Use: "show [NAME]", Short: "show a profile, without its keys", Args: atMost(1), ValidArgsFunction: c.completeProfiles,
			RunE: func(_ *cobra.Command, args []string) error { return c.showProfile(args) },
		},
		&cobra.Command{
			Use: "use NAME", Short: "make a profile the one that is used", Args: exactArgs("a profile"), ValidArgsFunction: c.completeProfiles,
			RunE: func(_ *cobra.Command, args []string) error { return c.useProfile(args[0]) },
		},
		&cobra.Command{
			Use: "remove NAME", Short: "forget a server and its keys", Args: exactArgs("a profile"), ValidArgsFunction: c.completeProfiles,
			RunE: func(cmd *cobra.Command, args []string) error { return c.forget(cmd.Context(), args[0]) },
		},
	)
	return cmd
}

type profileJSON struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	URL     string `json:"url"`
	User    string `json:"user,omitempty"`
	Project int64  `json:"project,omitempty"`
	CA      string `json:"ca,omitempty"`
	Current bool   `json:"current"`
}

func toProfileJSON(p profile.Profile, current string) profileJSON {
	return profileJSON{p.Name, string(p.Kind), p.URL, p.User, int64(p.Project), p.CA, p.Name == current}
}

func (c *cli) listProfiles() error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	config, err := profile.Load(env.Paths)
	if err != nil {
		return err
	}
	out, cells := []profileJSON{}, [][]string{}
	for _, name := range slices.Sorted(maps.Keys(config.Profiles)) {
		p := config.Profiles[name]
		p.Name = name
		j := toProfileJSON(p, config.Current)
		out = append(out, j)
		mark := ""
		if j.Current {
			mark = "*"
		}
		cells = append(cells, []string{mark, j.Name, j.Kind, j.User, j.URL})
	}
	if c.json {
		return c.printJSON(field{"profiles", out})
	}
	if len(cells) == 0 {
		return profile.ErrNoServer
	}
	return c.printTable([]string{"", "NAME", "KIND", "USER", "ADDRESS"}, cells)
}

func (c *cli) showProfile(args []string) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	sel := c.sel
	if len(args) == 1 {
		sel = profile.Selection{Server: args[0], CA: c.sel.CA}
	}
	p, keys, err := profile.Resolve(env.Paths, sel, os.Getenv)
	if err != nil {
		return err
	}
	config, err := profile.Load(env.Paths)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(field{"profile", toProfileJSON(p, config.Current)})
	}
	name := p.Name
	if name == "" {
		name = "(none: from the environment)"
	}
	public := "public key"
	if p.Kind == client.Exact {
		public = "token"
	}
	rows := [][]string{{"name", name}, {"kind", string(p.Kind)}, {"address", p.URL}, {"user", p.User}, {public, keys.Public}}
	if p.CA != "" {
		rows = append(rows, []string{"certificates", p.CA})
	}
	if p.Trust != "" {
		rows = append(rows, []string{"trusted certificate", p.Trust})
	}
	return c.printTable([]string{"PROFILE", ""}, rows)
}

func (c *cli) useProfile(name string) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	if _, _, err := profile.Resolve(env.Paths, profile.Selection{Server: name}, func(string) string { return "" }); err != nil {
		return err
	}
	if err := profile.Update(env.Paths, func(cfg *profile.Config) error {
		cfg.Current = name
		return nil
	}); err != nil {
		return err
	}
	c.say("%s is used from now on", name)
	return nil
}
