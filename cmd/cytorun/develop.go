package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// developOptions are the flags for a person's own code. "none" takes away what an
// earlier analysis had.
type developOptions struct {
	binds   []string
	env     []string
	workdir string
	program string
	keep    bool
}

func (o *developOptions) addDevelopFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.binds, "bind", nil, "show a file or folder of this box in the container: `SRC:/inside[:ro]`; again for more")
	f.StringArrayVar(&o.env, "env", nil, "set a variable for the program: `NAME=VALUE`, or NAME to take a secret from your environment and keep it nowhere; again for more")
	f.StringVar(&o.workdir, "workdir", "", "with --runtime process: run your own source in this `FOLDER`, with your own interpreter")
	f.StringVar(&o.program, "program", "", "with --workdir: `WORDS` in place of the program in the command line, such as 'python run.py'")
	f.BoolVar(&o.keep, "keep", false, "keep the work folder when 'cytorun prune' tidies up, and say where it is")
}

// develop puts the flags on top of what an earlier analysis had.
func (o *developOptions) develop(earlier *runner.Develop, rt runner.Runtime) (*runner.Develop, error) {
	var d runner.Develop
	if earlier != nil {
		d = *earlier
	}
	if rt == runner.Process {
		d.Binds = nil
	} else {
		d.Source, d.Program, d.Words = nil, nil, 0
	}
	if len(o.binds) > 0 {
		d.Binds = nil
		for _, s := range without(o.binds) {
			b, err := app.ParseBind(s)
			if err != nil {
				return nil, usageError(fmt.Errorf("--bind: %w", err))
			}
			d.Binds = append(d.Binds, b)
		}
	}
	if len(o.env) > 0 {
		d.Env = nil
		for _, s := range without(o.env) {
			v, err := app.ParseVariable(s)
			if err != nil {
				return nil, usageError(fmt.Errorf("--env: %w", err))
			}
			d.Env = append(d.Env, v)
		}
	}
	if o.workdir != "" {
		d.Source, d.Program = nil, nil
		if o.workdir != "none" {
			src, err := app.SourceFolder(o.workdir)
			if err != nil {
				return nil, usageError(fmt.Errorf("--workdir: %w", err))
			}
			d.Source = &src
		}
	}
	if o.program != "" {
		if d.Source == nil {
			return nil, usageError(fmt.Errorf("--program goes with --workdir FOLDER"))
		}
		d.Program = strings.Fields(o.program)
	}
	d.Keep = d.Keep || o.keep
	if len(d.Binds) == 0 && len(d.Env) == 0 && d.Source == nil && d.Descriptor == nil && d.Instead == "" && !d.Keep {
		return nil, nil
	}
	return &d, nil
}

// without leaves the word "none" out.
func without(words []string) []string {
	var out []string
	for _, w := range words {
		if w != "none" {
			out = append(out, w)
		}
	}
	return out
}

// sayModified says how an analysis is marked, where it is.
func (c *cli) sayModified(run runner.Run) {
	if label := run.Develop.Label(); label != "" {
		c.say("%s is marked: %s", run.ID, label)
		for _, l := range app.DevelopLines(run.Develop, nil) {
			if l.Name == "bind" || l.Name == "source" || l.Name == "descriptor" {
				c.say("  %s %s", l.Name, l.Text)
			}
		}
	}
}

// sayKept says where the work folder of a run that keeps it is.
func (c *cli) sayKept(s *app.Session, run runner.Run) {
	if run.Develop != nil && run.Develop.Keep {
		for _, dir := range s.Env.Store.WorkFolders(run.ID, s.Env.Paths.Work) {
			c.say("its work folder stays: %s", text.Line(dir))
		}
	}
}

// modifiedOf is how an analysis is marked, empty for most.
func modifiedOf(a app.Analysis) string {
	if a.Run == nil {
		return ""
	}
	return a.Run.Develop.Label()
}

// algorithmNamed finds what 'run' is given: the name of an algorithm, or a
// descriptor file, which is registered where the server lacks it and the person
// agrees.
func (c *cli) algorithmNamed(ctx context.Context, s *app.Session, name string, yes bool) (*app.Session, app.LaunchRequest, error) {
	var r app.LaunchRequest
	var err error
	if !app.IsDescriptorFile(name) {
		r.Algorithm, err = s.Algorithm(ctx, name)
		return s, r, err
	}
	for registered := false; ; registered = true {
		var notes []string
		r.Algorithm, r.Develop, notes, err = s.AlgorithmOfFile(ctx, name)
		var u *app.Unregistered
		if errors.As(err, &u) && u.Missing == "" && !registered {
			if err := c.register(ctx, s, u, yes); err != nil {
				return s, r, err
			}
			continue
		}
		for _, note := range notes {
			c.say("%s", note)
		}
		return s, r, err
	}
}

// register asks, and registers.
func (c *cli) register(ctx context.Context, s *app.Session, u *app.Unregistered, yes bool) error {
	what := fmt.Sprintf("register %s with container %s", client.Algorithm{Name: u.Name, Version: u.Version}.FullName(), u.Container)
	if u.Elsewhere != nil {
		what = "add " + u.Elsewhere.FullName()
	}
	what += fmt.Sprintf(" to project %s of %s", s.Project.Name, u.Server)
	switch {
	case yes:
		c.say("%s", what)
	case !c.asks():
		return fmt.Errorf("%w, or let --yes %s", u, text.Line(what))
	case !c.confirm(what + "?"):
		return &exitError{exitFailed, errors.New("nothing launched")}
	}
	return s.Register(ctx, u)
}
