package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

func newShellCommand(c *cli) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "shell ANALYSIS|ALGORITHM [-- COMMAND...]",
		Short: "open a shell where the program of an analysis runs",
		Long: `Open a shell in the container of an analysis or an algorithm, with the same
folders bound, the same HOME and variables, GPUs from the same queue, and the keys
of a job in CYTOMINE_PUBLIC_KEY and CYTOMINE_PRIVATE_KEY. A COMMAND after -- is
started in place of the shell. Its exit code is that of cytorun.

The job is a new one and says that somebody worked by hand: what is done in the
shell changes neither the results nor the state of the analysis. The shell itself
is an analysis too, marked as such.

The file whose name is printed starts the program exactly as cytorun does: in the
shell, and outside of it where you have the keys of a job. It holds no secret.

When the shell ends, all that was started in it ends, and its GPUs are free.`,
		Example: `  cytorun shell Nuclei#12
  cytorun shell Nuclei --bind ./src:/app --gpus 1
  cytorun shell @failed -- python -c 'import torch; print(torch.cuda.is_available())'`,
		ValidArgsFunction: c.completeAnalyses,
		Args:              atLeast(1, "an analysis or an algorithm"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 1 && dash != 1 {
				return usageError(errors.New("shell takes one analysis or algorithm; write a command to start in it after --"))
			}
			set, err := o.pairs()
			if err != nil {
				return err
			}
			s, r, err := c.shellRequest(cmd, args[0], &o, set)
			if err != nil {
				return err
			}
			return c.shell(cmd.Context(), s, r, args[1:])
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.set, "param", "p", nil, "set a parameter for its command: `NAME=VALUE`; again for more")
	f.StringVar(&o.container, "container", "", "open this `CONTAINER` instead: a reference, a .sif or .tar file, or a folder")
	f.StringVar(&o.runtime, "runtime", "apptainer", "apptainer, or process: no container, see --workdir")
	o.addResourceFlags(f)
	o.addDevelopFlags(cmd)
	completeFlag(cmd, "param", c.completeParameters)
	completeFlag(cmd, "runtime", fixed(string(runner.Apptainer), string(runner.Process)))
	return cmd
}

// shellRequest finds what a name means, an analysis before an algorithm, and puts
// the flags on top.
func (c *cli) shellRequest(cmd *cobra.Command, name string, o *runOptions, set []client.Value) (*app.Session, app.LaunchRequest, error) {
	ctx := cmd.Context()
	var r app.LaunchRequest
	s, earlier, err := c.findToRerun(ctx, name)
	if err == nil {
		plan, err := s.ShellOf(ctx, earlier)
		if err != nil {
			return nil, r, err
		}
		for _, note := range plan.Notes {
			c.warn(note)
		}
		r = plan.Request
		o.unlessChanged(cmd, r)
	} else {
		if !errors.Is(err, client.ErrNotFound) {
			return nil, r, err
		}
		notFound := err
		if s, err = c.connect(ctx); err != nil {
			return nil, r, err
		}
		if r.Algorithm, err = s.Algorithm(ctx, name); errors.Is(err, client.ErrNotFound) {
			return nil, r, fmt.Errorf("%q is neither an analysis nor an algorithm: %w", text.Line(name), notFound)
		} else if err != nil {
			return nil, r, err
		}
		r.Runtime = s.Runtime
	}
	values, err := s.ChooseSome(ctx, r.Algorithm, app.Choices{Earlier: r.Values, Set: set})
	if err != nil {
		return nil, r, err
	}
	r.Values, r.Runtime, r.Container = values, runner.Runtime(o.runtime), o.container
	o.change(&r.Resources)
	d, err := o.develop(r.Develop, r.Runtime)
	if err != nil {
		return nil, r, err
	}
	if d == nil {
		d = &runner.Develop{}
	}
	d.Shell = true
	r.Develop = d
	return s, r, nil
}

// noShell is the exit code of apptainer where the program is not in the container.
const noShell = 255

// shell launches it, waits for its turn, and is the terminal's side of it.
func (c *cli) shell(ctx context.Context, s *app.Session, r app.LaunchRequest, words []string) error {
	stop := c.sayIfSlow("asking nvidia-smi for the GPUs of this box")
	run, err := s.Launch(ctx, r)
	stop()
	if err != nil {
		return err
	}
	attached, err := s.OpenShell(ctx, run, func(a app.Analysis) {
		if line := progressLine(a); line != string(runner.Queued) {
			c.say("%s", line)
		}
	})
	if none := (*app.NoShellError)(nil); errors.As(err, &none) && none.State == runner.Cancelled {
		return &exitError{code: runner.Cancelled.ExitCode(), err: err}
	}
	if err != nil {
		return err
	}
	if fresh, err := s.Env.Store.Get(run.ID); err == nil {
		run = fresh
	}
	c.sayModified(run)
	where := attached.Plan.Script
	if attached.Plan.Inside != "" {
		where += ", in the shell " + attached.Plan.Inside
	}
	c.say("its command is in %s", where)
	code, ended, err := attached.Run(words)
	switch {
	case err != nil:
		return err
	case ended:
		return &exitError{code: runner.Cancelled.ExitCode(), err: errors.New("the shell was ended from outside")}
	case code == noShell && len(words) == 0 && attached.Plan.Inside != "":
		c.warn("where the container has no shell, start one of its programs: cytorun shell " + run.ID + " -- PROGRAM")
		return &exitError{code: code}
	case code != 0:
		return &exitError{code: code}
	}
	return nil
}
