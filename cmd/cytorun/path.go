package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newPathCommand(c *cli) *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "path [ANALYSIS]",
		Short: "print the folder of a run, or where cytorun keeps its files",
		Long: `Print the folder of a run, or where cytorun keeps its files. With --set a folder
is put elsewhere, in [paths] of config.toml: state, runs, containers, weights
(downloaded models), work (HOME and tmp of programs), tmp (what building a
container needs), cache or data. The new folder is made and tried; what lies in
the old one stays there.`,
		Example: `  cytorun path @last
  cytorun path --set containers=/scratch/ann/containers --set tmp=/scratch/ann/tmp
  cytorun path --set tmp=`,
		Args: atMost(1),

		ValidArgsFunction: c.completeAnalyses,
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			if len(set) > 0 {
				if len(args) > 0 {
					return usageError(errors.New("--set is for the folders of all runs; leave out the analysis"))
				}
				return c.setPlaces(env, set)
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
	cmd.Flags().StringArrayVar(&set, "set", nil, "put a folder elsewhere: `NAME=FOLDER`; again for more, and with no FOLDER where it is by default")
	completeFlag(cmd, "set", cobra.FixedCompletions([]string{"state=", "runs=", "containers=", "weights=", "work=", "tmp=", "cache=", "data="}, cobra.ShellCompDirectiveNoSpace))
	return cmd
}
