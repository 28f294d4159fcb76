package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
)

func newLogoutCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "logout [NAME]",
		Short: "forget a server and your keys for it",
		Long: `Forget a server and your keys for it, by default the one used last. The token
that a login to EXACT made of your password is revoked there, so that runs which
still use it cannot report any more; one that you gave stays good.`,
		Args: atMost(1), ValidArgsFunction: c.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			config, err := profile.Load(env.Paths)
			if err != nil {
				return err
			}
			name := config.Current
			if len(args) == 1 {
				name = args[0]
			}
			if name == "" {
				return profile.ErrNoServer
			}
			return c.forget(cmd.Context(), name)
		},
	}
}

// forget forgets a profile, and says so where its token may still be good.
func (c *cli) forget(ctx context.Context, name string) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	kept, err := env.Logout(ctx, name)
	if err != nil {
		return err
	}
	if kept != nil {
		c.say("the token could not be revoked: %s; revoke it on your account page there", text.Line(kept.Error()))
	}
	c.say("%s and its keys are forgotten", name)
	return nil
}
