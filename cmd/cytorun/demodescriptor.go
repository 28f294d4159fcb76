package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui"
	"github.com/cytorun/cytorun/tui/nav"
)

// demoDescriptor tries the algorithm of a file on the demo's server.
func (c *cli) demoDescriptor(ctx context.Context, env *app.Env, file string, screens bool, o runOptions) error {
	rt := runner.Runtime(o.runtime)
	if rt != runner.Apptainer && rt != runner.Process {
		return usageError(fmt.Errorf("no runtime %q; use %s or %s", o.runtime, runner.Apptainer, runner.Process))
	}
	set, err := o.assignments()
	if err != nil {
		return err
	}
	own, err := o.develop(nil, rt)
	if err != nil {
		return err
	}
	s, err := env.Demo(ctx, func(line string) { c.say("%s", line) })
	if err != nil {
		return err
	}
	r, notes, err := s.TryFile(ctx, file, o.container)
	if err != nil {
		return err
	}
	for _, note := range notes {
		c.say("%s", note)
	}
	r.Runtime, r.Develop = rt, app.Together(own, r.Develop)
	given := app.Choices{Set: append(app.TryValues(r.Algorithm, set), set...)}
	if screens && tui.Usable(os.Getenv("TERM"), os.Stdin, os.Stdout) == nil {
		// What is missing or wrong the form says.
		values, err := s.ChooseSome(ctx, r.Algorithm, given)
		if err != nil {
			c.warn(err.Error())
		}
		message := fmt.Sprintf("%s on the demo's server: ctrl+s launches it", text.Line(r.Algorithm.Name))
		return tui.Run(ctx, env, tui.Options{Session: s, Message: message, Form: &nav.OpenForm{
			Algorithm: r.Algorithm, Values: values, Develop: r.Develop, Container: r.Container,
		}})
	}
	chosen, err := s.Choose(ctx, r.Algorithm, given)
	if err != nil {
		return err
	}
	r.Values = chosen.Values
	run, err := s.Launch(ctx, r)
	if err != nil {
		return err
	}
	o.wait = true
	return c.launched(ctx, s, run, o)
}
