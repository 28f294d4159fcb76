package main

import (
	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/tui"
)

func newRootCommand(c *cli) *cobra.Command {
	var algorithm string
	root := &cobra.Command{
		Use:   "cytorun [ALGORITHM]",
		Short: "launch image analysis algorithms of a Cytomine server on this box",
		Long: `cytorun browses the algorithms of a Cytomine server, fills their parameters,
runs them on this box in Apptainer containers, reports them to the server, and
compares past analyses side by side.

Without a command it opens the screens, straight at the form of ALGORITHM when
one is named. 'cytorun demo' needs no server.

Exit codes: 0 ok, 1 failed, 2 usage or invalid values, 3 not found,
4 not authorised, 5 server not reachable, 70 our own fault.
'wait' and 'run --wait' exit 0 for succeeded, 10 failed, 11 cancelled, 12 lost,
13 still running at --timeout.`,
		Args:          cobra.MaximumNArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				algorithm = args[0]
			}
			return c.screens(cmd, algorithm)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&c.sel.Server, "server", "S", "", "`NAME` of a profile, or address of a server")
	flags.StringVarP(&c.project, "project", "P", "", "project, by `NAME` or id")
	flags.StringVar(&c.sel.Host, "host", "", "`ADDRESS` of the server, instead of CYTOMINE_HOST")
	flags.StringVar(&c.sel.CA, "ca", "", "PEM `FILE` with the certificates to trust")
	flags.BoolVar(&c.json, "json", false, "print data as JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err) })
	root.AddCommand(
		newDemoCommand(c), newServeCommand(c), newLoginCommand(c), newProfileCommand(c),
		newProjectsCommand(c), newAlgorithmsCommand(c), newOptionsCommand(c),
		newRunCommand(c), newRerunCommand(c), newAnalysesCommand(c), newLogsCommand(c), newResultsCommand(c),
		newWaitCommand(c), newCancelCommand(c), newCompareCommand(c),
		newDescriptorCommand(c), newPathCommand(c), newRecoverCommand(c), newDoctorCommand(c), newVersionCommand(c),
	)
	return root
}

// screens opens the screens on the chosen server, or on the page that says how
// to get one.
func (c *cli) screens(cmd *cobra.Command, algorithm string) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	opts := tui.Options{Project: c.project, Algorithm: algorithm}
	session, err := env.Open(c.sel)
	switch {
	case err == nil:
		opts.Session = session
	case c.sel == (profile.Selection{}) && exitCode(err) == exitUsage:
		// No server yet: the first screen says what to do.
	default:
		return err
	}
	return tui.Run(cmd.Context(), env, opts)
}
