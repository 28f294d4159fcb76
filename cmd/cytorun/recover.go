package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/supervisor"
)

func newRecoverCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "recover",
		Short: "bring every run of this box in line with the facts",
		Long: `Compare each run folder of this box with what really runs, replace supervisors
that died, mark runs that were lost, and deliver to the server what it has not
accepted yet. Every other command does the same when it starts.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			env, err := app.NewEnv(version())
			if err != nil {
				return err
			}
			recovered, err := supervisor.Recover(env.Store, env.Executable)
			if err != nil {
				return err
			}
			if len(recovered) == 0 {
				fmt.Fprintln(c.err, "nothing to mend")
			}
			for _, r := range recovered {
				fmt.Fprintln(c.out, text.Line(r.String()))
			}
			return nil
		},
	}
}
