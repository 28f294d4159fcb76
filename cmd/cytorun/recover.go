package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/supervisor"
)

func newRecoverCommand(c *cli) *cobra.Command {
	var resume []string
	var claim string
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "bring every run of this box in line with the facts",
		Long: `Compare each run folder of this box with what really runs, replace supervisors
that died, mark runs that were lost, and deliver to the server what it has not
accepted yet. Every other command does the same when it starts.

A box that got another name takes its own earlier runs for those of another host
and leaves them alone: --claim tells that it was called so.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			env, err := c.surroundings()
			if err != nil {
				return err
			}
			if claim != "" {
				if err := env.Store.Claim(claim); err != nil {
					return err
				}
			}
			for _, id := range resume {
				run, err := env.FindRun(id, nil)
				if err != nil {
					return err
				}
				if err := supervisor.Resume(run, env.Executable, env.User); err != nil {
					return err
				}
			}
			recovered, err := supervisor.Recover(env.Store, env.Executable)
			if err != nil {
				return err
			}
			if len(recovered) == 0 {
				c.say("nothing to mend")
			}
			if c.json {
				return c.printJSON(field{"recovered", recoveredJSON(recovered)})
			}
			for _, r := range recovered {
				fmt.Fprintln(c.out, text.Line(recoveredLine(r)))
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&resume, "resume", nil, "let a `RUN` start that waited when this box went down")
	cmd.Flags().StringVar(&claim, "claim", "", "this box was called `HOST`: its runs are judged here from now on")
	return cmd
}

func recoveredJSON(all []supervisor.Recovered) []any {
	type row struct {
		ID    string       `json:"id"`
		Was   runner.State `json:"was"`
		State runner.State `json:"state"`
		Waits bool         `json:"waits"`
		Error string       `json:"error,omitempty"`
	}
	rows := []any{}
	for _, r := range all {
		j := row{ID: r.ID, Was: r.Was, State: r.Now, Waits: r.Waits}
		if r.Err != nil {
			j.Error = r.Err.Error()
		}
		rows = append(rows, j)
	}
	return rows
}

// recoveredLine says what became of a run.
func recoveredLine(r supervisor.Recovered) string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: was %s, nobody looks after it: %v", r.ID, r.Was, r.Err)
	case r.Waits:
		return fmt.Sprintf("%s: waited when this box went down; 'cytorun recover --resume %s' lets it start, 'cytorun cancel %s' ends it", r.ID, r.ID, r.ID)
	case r.Was == r.Now:
		return fmt.Sprintf("%s: %s, looked after again", r.ID, r.Now)
	}
	return fmt.Sprintf("%s: was %s, is %s", r.ID, r.Was, r.Now)
}
