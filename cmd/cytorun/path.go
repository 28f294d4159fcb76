package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newPathCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "path [ANALYSIS]",
		Short: "print the folder of a run, or where cytorun keeps its files",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				run, err := env.FindRun(args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.out, run.Folder)
				return err
			}
			p := env.Paths
			if c.json {
				return c.printJSON(map[string]any{"schema": 1, "config": p.Config, "data": p.Data, "state": p.State, "cache": p.Cache, "runs": p.Runs, "containers": p.Containers, "work": p.Work})
			}
			return c.printTable([]string{"WHAT", "WHERE"}, [][]string{
				{"config", p.Config}, {"data", p.Data}, {"state", p.State}, {"cache", p.Cache},
				{"runs", p.Runs}, {"containers", p.Containers}, {"work", p.Work},
			})
		},
	}
}
