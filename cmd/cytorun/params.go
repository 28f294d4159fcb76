package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// valueOptions are the flags that say where the values of a launch come from,
// besides -p.
type valueOptions struct {
	file       string
	preset     string
	descriptor string
	sweeps     []string
	zip        bool
	trial      int
	accessible bool
	words      []string // flags of the algorithm's own command line, after --
}

func (o *valueOptions) addValueFlags(c *cli, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "params", "", "values from a parameter `FILE`, TOML or JSON; - is standard input")
	f.StringVar(&o.preset, "preset", "", "values from the preset `NAME` of the algorithm")
	f.StringArrayVar(&o.sweeps, "sweep", nil, "one run for each of `NAME=VALUES`, such as sigma=1..3step0.5 or method=otsu,triangle; again for every combination")
	f.BoolVar(&o.zip, "zip", false, "with several --sweep: their first values together, then their second ones, and so on")
	f.IntVar(&o.trial, "trial", 0, "run on the first `N` of the images only, to see what comes of it")
	f.BoolVar(&o.accessible, "accessible", false, "ask for the values line by line, without a screen; so does ACCESSIBLE=1")
	addDescriptorFlag(cmd, &o.descriptor)
	completeFlag(cmd, "preset", c.completePresets)
	completeFlag(cmd, "sweep", c.completeParameters)
}

// addDescriptorFlag adds --descriptor, the file that knows more of an algorithm
// than its server does.
func addDescriptorFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "descriptor", "", "take choices and limits of parameters from this descriptor `FILE`")
}

// described is the session with the descriptor of --descriptor.
func described(s *app.Session, file string) (*app.Session, error) {
	if file == "" {
		return s, nil
	}
	return s.WithDescriptor(file)
}

// choices are what the flags say.
func (o *runOptions) choices(earlier, set []client.Value) app.Choices {
	return app.Choices{Divided: o.split != "" || o.trial > 0, Earlier: earlier, Preset: o.preset, File: o.file, Set: set, Flags: o.words, Sweeps: o.sweeps, Zip: o.zip}
}

// check finds flags that do not go together.
func (o *valueOptions) check() error {
	switch {
	case o.zip && len(o.sweeps) < 2:
		return usageError(errors.New("--zip goes with two --sweep or more"))
	case o.trial < 0:
		return usageError(fmt.Errorf("--trial must not be negative; got %d", o.trial))
	case o.accessible && len(o.sweeps) > 0:
		return usageError(errors.New("with --accessible a sweep is typed as the value of its parameter, such as 1, 2, 3; leave --sweep out"))
	case o.file == "-" && o.accessible:
		return usageError(errors.New("--params - and --accessible both need standard input; write the parameters into a file"))
	}
	return nil
}

// launchSweep launches one run for each combination as one group; with a split,
// one for each combination and part.
func (c *cli) launchSweep(ctx context.Context, s *app.Session, r app.LaunchRequest, chosen app.Chosen, o runOptions) error {
	if o.stopAfter < 0 {
		return usageError(fmt.Errorf("--stop-after must not be negative; got %d", o.stopAfter))
	}
	requests, err := chosen.Requests(r)
	if err != nil {
		return err
	}
	if requests, err = o.trials(requests); err != nil {
		return err
	}
	swept := make([]string, len(chosen.Sweeps))
	for i, sweep := range chosen.Sweeps {
		swept[i] = sweep.Parameter
	}
	if o.split != "" {
		if requests, err = o.splitEach(requests); err != nil {
			return err
		}
		swept = append(swept, requests[0].Part.Parameter)
	}
	group := runner.NewGroupID(s.Env.Now())
	for i := range requests {
		requests[i].Group, requests[i].StopAfter = group, o.stopAfter
		requests[i].Part = &runner.Part{Parameter: strings.Join(swept, ","), Index: i + 1, Of: len(requests)}
	}
	if err := c.check(ctx, s, requests...); err != nil { // before anybody is asked
		return err
	}
	for i := range requests {
		requests[i].Checked = true
	}
	estimate, err := s.Estimate(requests)
	if err != nil {
		return err
	}
	c.say("%s: %s", estimate, chosen.Describe())
	if o.dryRun {
		c.say("the first of them:")
		return c.dryRun(ctx, s, requests[0])
	}
	if err := c.confirmCount(len(requests), "of "+text.Line(r.Algorithm.FullName()), o); err != nil {
		return err
	}
	return c.launchAll(ctx, s, group, requests, o)
}

// splitEach splits each of several launches.
func (o *runOptions) splitEach(requests []app.LaunchRequest) ([]app.LaunchRequest, error) {
	parameter, size, err := o.splitting()
	if err != nil {
		return nil, err
	}
	var all []app.LaunchRequest
	for _, r := range requests {
		parts, err := app.Split(r, parameter, size)
		if err != nil {
			return nil, err
		}
		if all = append(all, parts...); len(all) > forms.MaxRuns {
			return nil, usageError(fmt.Errorf("sweep and split together make more than %d runs", forms.MaxRuns))
		}
	}
	return all, nil
}

// trials takes a few of the images where --trial says so.
func (o *valueOptions) trials(requests []app.LaunchRequest) ([]app.LaunchRequest, error) {
	if o.trial == 0 {
		return requests, nil
	}
	return app.Trial(requests, o.trial)
}

// confirmWhole asks before an algorithm takes every image of the project, where
// there is somebody to answer; everywhere it says how much that is.
func (c *cli) confirmWhole(ctx context.Context, s *app.Session, a client.Algorithm, o runOptions) error {
	if !app.TakesWholeProject(a) {
		return nil
	}
	takes := fmt.Sprintf("%s has no parameter for images: it takes the whole project %s, %s", text.Line(a.FullName()), text.Line(s.Project.Name), s.WholeProject(ctx))
	if o.yes || o.dryRun || !c.asks() {
		c.say("%s", takes)
		return nil
	}
	if !c.confirm(takes + "; launch it?") {
		return &exitError{exitFailed, errors.New("nothing launched")}
	}
	return nil
}

// printTemplate prints a commented parameter file, with the first options of the
// parameters that have any.
func (c *cli) printTemplate(ctx context.Context, s *app.Session, a client.Algorithm) error {
	return app.WriteParameters(c.out, a, nil, c.optionHints(ctx, s, a))
}

// What a template shows of options, and how long it waits for them: a template
// without them is a template all the same.
const (
	hintedOptions = 12
	hintsWithin   = 5 * time.Second
)

func (c *cli) optionHints(ctx context.Context, s *app.Session, a client.Algorithm) map[string][]string {
	ctx, cancel := context.WithTimeout(ctx, hintsWithin)
	defer cancel()
	hints := map[string][]string{}
	for _, p := range app.UserParameters(a) {
		if p.URI == "" || p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
			continue
		}
		var all []client.Option
		if err := s.Options(ctx, p, func(o []client.Option) error { all = append(all, o...); return nil }); err != nil {
			hints[p.ID] = []string{"its options cannot be read: " + text.Line(err.Error())}
			continue
		}
		app.SortOptions(p, all)
		var lines []string
		for _, o := range all[:min(len(all), hintedOptions)] {
			lines = append(lines, fmt.Sprintf("  %d  %s", o.ID, text.Truncate(text.Line(app.OptionLabel(p, o)), 60)))
		}
		if more := len(all) - hintedOptions; more > 0 {
			lines = append(lines, fmt.Sprintf("  and %d more: cytorun options %s %s", more, a.Name, p.ID))
		}
		hints[p.ID] = lines
	}
	return hints
}
