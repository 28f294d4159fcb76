package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui"
)

func newRootCommand(c *cli) *cobra.Command {
	var file string
	root := &cobra.Command{
		Use:   "cytorun [ALGORITHM]",
		Short: "launch image analysis algorithms of a Cytomine or EXACT server on this box",
		Long: `cytorun browses the algorithms of a Cytomine or EXACT server, fills their
parameters, runs them on this box in Apptainer containers, reports them to the
server, and compares past analyses side by side.

Without a command it opens the screens, straight at the form of ALGORITHM when
one is named. 'cytorun demo' needs no server.

Exit codes: 0 ok, 1 failed, 2 usage or invalid values, 3 not found,
4 not authorised, 5 server not reachable, 70 our own fault.
'wait' and 'run --wait' exit 0 for succeeded, 10 failed, 11 cancelled, 12 lost,
13 still running at --timeout.`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRoot,
		SilenceUsage:      true,
		SilenceErrors:     true,
		RunE: func(cmd *cobra.Command, args []string) error {
			algorithm := ""
			if len(args) == 1 {
				algorithm = args[0]
			}
			return c.screens(cmd, algorithm, file)
		},
	}
	addDescriptorFlag(root, &file)
	flags := root.PersistentFlags()
	flags.StringVarP(&c.sel.Server, "server", "S", "", "`NAME` of a profile, or address of a server")
	flags.StringVarP(&c.project, "project", "P", "", "project, by `NAME` or id")
	flags.StringVar(&c.sel.Host, "host", "", "`ADDRESS` of the server, instead of CYTOMINE_HOST")
	flags.StringVar(&c.sel.CA, "ca", "", "PEM `FILE` with the certificates to trust")
	flags.BoolVar(&c.json, "json", false, "print data as JSON")
	flags.BoolVar(&c.debug, "debug", false, "note every request in debug.log, see 'cytorun path'")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w; see '%s --help'", flagError(err), cmd.CommandPath()))
	})
	completeFlag(root, "server", c.completeProfiles)
	root.AddCommand(
		newDemoCommand(c), newServeCommand(c), newLoginCommand(c), newLogoutCommand(c), newProfileCommand(c),
		newProjectsCommand(c), newAlgorithmsCommand(c), newOptionsCommand(c),
		newRunCommand(c), newRerunCommand(c), newPresetCommand(c), newRetryCommand(c), newAnalysesCommand(c), newShellCommand(c), newLogsCommand(c), newResultsCommand(c),
		newWaitCommand(c), newCancelCommand(c), newCompareCommand(c), newMethodsCommand(c), newContainerCommand(c),
		newDescriptorCommand(c), newPathCommand(c), newRecoverCommand(c), newPruneCommand(c), newWorkerCommand(c), newMachineCommand(c), newUsageCommand(c), newDoctorCommand(c), newManCommand(c), newVersionCommand(c),
	)
	root.SetHelpCommand(newHelpCommand(root))
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Short = "print the script that completes cytorun's words in a shell"
	}
	return root
}

// newHelpCommand is cobra's own, but a word that is no command is an error.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "say what a command does",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			of, _, err := root.Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			var out []string
			for _, sub := range of.Commands() {
				if sub.IsAvailableCommand() {
					out = append(out, sub.Name()+"\t"+sub.Short)
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return usageError(err)
			}
			if len(rest) > 0 {
				return unknownCommand(cmd, rest[0])
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// screens opens the screens on the chosen server, or on the page that says how
// to get one.
func (c *cli) screens(cmd *cobra.Command, algorithm, descriptor string) error {
	if algorithm != "" && accessible() && c.asks() {
		if err := c.mistyped(cmd, algorithm); err != nil {
			return err
		}
		return c.runAccessibly(cmd.Context(), algorithm)
	}
	if err := tui.Usable(os.Getenv("TERM"), os.Stdin, os.Stdout); err != nil {
		if algorithm != "" {
			return c.noScreens(cmd, algorithm, err)
		}
		return err
	}
	env, err := c.environment()
	if err != nil {
		return err
	}
	if err := c.mistyped(cmd, algorithm); err != nil {
		return err
	}
	opts := tui.Options{Project: c.project, Algorithm: algorithm}
	session, err := env.Open(c.sel)
	switch {
	case err == nil:
		if opts.Session, err = described(session, descriptor); err != nil {
			return err
		}
	case c.sel == (profile.Selection{}) && errors.Is(err, profile.ErrNoServer):
		// No server yet: the first screen says what to do.
	default:
		return err
	}
	return tui.Run(cmd.Context(), env, opts)
}

// noScreens says what to do with a word where there is no terminal: it may be a
// mistyped command, or an algorithm whose form cannot be shown.
func (c *cli) noScreens(cmd *cobra.Command, word string, cause error) error {
	if len(suggestions(cmd, word)) > 0 {
		return unknownCommand(cmd, word)
	}
	return usageError(fmt.Errorf("cannot show the form of %q: %w; 'cytorun run %s' launches it from here", word, errors.Unwrap(cause), text.Line(word)))
}

// mistyped asks the server about a word that is nearly a command before the
// screens open on it as the name of an algorithm.
func (c *cli) mistyped(cmd *cobra.Command, word string) error {
	if word == "" || len(suggestions(cmd, word)) == 0 {
		return nil
	}
	s, err := c.connect(cmd.Context())
	if err == nil {
		_, err = s.Algorithm(cmd.Context(), word)
	}
	if err == nil || is[*app.ErrAmbiguous](err) {
		return nil
	}
	return unknownCommand(cmd, word)
}
