package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/scripts"
)

func newDoctorCommand(c *cli) *cobra.Command {
	var install, notify, places bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "say what this box lacks, with the command that mends it",
		Long: `Say what this box lacks, with the command that mends it. It really builds and
runs a tiny container, tries the locks that runs rely on, and looks at the free
space and your quota of each folder. At its first use it asks where things that
grow shall lie.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			if install {
				if err := c.installApptainer(cmd); err != nil {
					return err
				}
			}
			if places && !c.asks() {
				return usageError(errors.New("--places asks, and standard input is no terminal; 'cytorun path --set NAME=FOLDER' says it"))
			}
			if places || c.asks() && !c.json && !notify && env.FirstUse() {
				if err := c.askPlaces(cmd.Context(), env); err != nil {
					return err
				}
			}
			if notify {
				return c.printChecks(env.TryNotify(cmd.Context()))
			}
			return c.printChecks(env.Doctor(cmd.Context()))
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "install Apptainer, under your home where you are not root")
	cmd.Flags().BoolVar(&places, "places", false, "ask where runs, containers and temporary files shall lie; so does the first use")
	cmd.Flags().BoolVar(&notify, "notify", false, "try how you are told that an analysis has ended, see [notify] in config.toml")
	return cmd
}

// installApptainer runs the installer that is part of this program. Its
// messages go to standard error as they come: it takes a while.
func (c *cli) installApptainer(cmd *cobra.Command) error {
	sh := exec.CommandContext(cmd.Context(), "bash", "-s", "--")
	sh.Stdin = strings.NewReader(scripts.InstallApptainer)
	sh.Stdout, sh.Stderr = c.err, c.err
	sh.Env = os.Environ()
	if err := sh.Run(); err != nil {
		return fmt.Errorf("cannot install Apptainer: %w; the lines above say why", err)
	}
	return nil
}

type checkJSON struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Warning bool   `json:"warning"`
	Text    string `json:"text"`
	Next    string `json:"next,omitempty"`
}

func (c *cli) printChecks(checks []app.Check) error {
	if c.json {
		if err := c.printJSON(field{"checks", toChecksJSON(checks)}); err != nil {
			return err
		}
	} else {
		c.printCheckLines(checks)
	}
	if slices.ContainsFunc(checks, func(ch app.Check) bool { return !ch.OK }) {
		return &exitError{code: exitFailed}
	}
	return nil
}

func toChecksJSON(checks []app.Check) []checkJSON {
	out := []checkJSON{}
	for _, ch := range checks {
		out = append(out, checkJSON{ch.Name, ch.OK, ch.Warn, ch.Text, ch.Next})
	}
	return out
}

// printCheckLines prints one line for each check, and one more for what to do.
func (c *cli) printCheckLines(checks []app.Check) {
	for _, ch := range checks {
		mark := "ok"
		switch {
		case !ch.OK:
			mark = "MISSING"
		case ch.Warn:
			mark = "look"
		}
		fmt.Fprintf(c.out, "%s  %s  %s\n", text.Pad(mark, 7), text.Pad(ch.Name, 16), text.Line(ch.Text))
		if ch.Next != "" && (ch.Warn || !ch.OK) {
			fmt.Fprintf(c.out, "%s  %s  -> %s\n", text.Pad("", 7), text.Pad("", 16), text.Line(ch.Next))
		}
	}
}
