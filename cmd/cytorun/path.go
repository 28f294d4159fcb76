package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newPathCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "path [ANALYSIS]",
		Short: "print the folder of a run, or where cytorun keeps its files",
		Args:  atMost(1),

		ValidArgsFunction: c.completeAnalyses,
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				run, err := c.findRun(args[0])
				if err != nil {
					return err
				}
				if c.json {
					return c.printJSON(field{"id", run.ID}, field{"folder", run.Folder})
				}
				_, err = fmt.Fprintln(c.out, run.Folder)
				return err
			}
			p := env.Paths
			if c.json {
				return c.printJSON(field{"config", p.Config}, field{"data", p.Data}, field{"state", p.State}, field{"cache", p.Cache},
					field{"runs", p.Runs}, field{"containers", p.Containers}, field{"weights", p.Weights}, field{"work", p.Work}, field{"tmp", p.Tmp})
			}
			work := p.Work
			if work == "" {
				work = "in each run's folder"
			}
			tmp := p.Tmp
			if tmp == "" {
				tmp = "beside the containers"
			}
			return c.printTable([]string{"WHAT", "WHERE"}, [][]string{
				{"config", p.Config}, {"data", p.Data}, {"state", p.State}, {"cache", p.Cache},
				{"runs", p.Runs}, {"containers", p.Containers}, {"weights", p.Weights}, {"work", work}, {"tmp", tmp},
			})
		},
	}
}
