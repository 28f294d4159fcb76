package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/forms/prompt"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// accessible tells whether the person wants questions in place of screens:
// ACCESSIBLE=1 says so for every program that knows it.
func accessible() bool {
	v := os.Getenv("ACCESSIBLE")
	return v != "" && v != "0" && !strings.EqualFold(v, "false")
}

// runAccessibly is 'run ALGORITHM', for who would otherwise get its form.
func (c *cli) runAccessibly(ctx context.Context, algorithm string) error {
	run := newRunCommand(c)
	run.SilenceUsage, run.SilenceErrors = true, true
	run.SetArgs([]string{"--accessible", algorithm})
	return run.ExecuteContext(ctx)
}

// asksValues tells whether a launch asks for its values line by line: the flag
// says so, or the environment does where nothing else says what they are.
func (c *cli) asksValues(o runOptions) bool {
	if o.accessible {
		return true
	}
	given := len(o.set) > 0 || len(o.words) > 0 || len(o.sweeps) > 0 || o.file != "" || o.preset != "" || o.from != ""
	return accessible() && c.asks() && !given && !o.yes && !o.dryRun
}

// askValues asks for the values of a launch line by line, beginning with what the
// flags say, and whether to launch.
func (c *cli) askValues(ctx context.Context, s *app.Session, r app.LaunchRequest, set []client.Value, o runOptions) (app.Chosen, error) {
	parameters := app.UserParameters(r.Algorithm)
	start, err := s.ChooseSome(ctx, r.Algorithm, o.choices(r.Values, set))
	if err != nil {
		return app.Chosen{}, err
	}
	form := forms.New(parameters, start)
	form.AllowSweeps()
	fmt.Fprintln(c.err, text.Line(r.Algorithm.FullName()+" in project "+s.Project.Name))
	launch, err := prompt.Ask(ctx, form, prompt.Options{
		In: c.in, Out: c.err,
		Find:    c.finder(s),
		Preview: func() string { return c.describeLaunch(ctx, s, r, form) },
	})
	if err != nil {
		return app.Chosen{}, err
	}
	if !launch {
		return app.Chosen{}, &exitError{exitFailed, errors.New("nothing launched")}
	}
	chosen, problems := takeApart(form)
	if problems.Errors() > 0 {
		return app.Chosen{}, problems
	}
	return chosen, nil
}

// takeApart gives what was typed into a form: single values, and sweeps.
func takeApart(form *forms.Form) (app.Chosen, forms.Problems) {
	single, sweeps, problems := forms.Sweeps(form.Parameters(), form.Values())
	return app.Chosen{Values: single, Sweeps: sweeps}, problems
}

// finder finds options for questions; a list is sorted once.
func (c *cli) finder(s *app.Session) func(context.Context, descriptor.Parameter, string, int) ([]prompt.Option, int, error) {
	sorted := map[string][]prompt.Option{}
	return func(ctx context.Context, p descriptor.Parameter, part string, limit int) ([]prompt.Option, int, error) {
		if strings.HasPrefix(part, "@") {
			options, err := s.OptionsNamed(ctx, p, []string{part})
			return named(p, options), len(options), err
		}
		all, ok := sorted[p.ID]
		if !ok {
			options, err := s.OptionsNamed(ctx, p, nil)
			if err != nil {
				return nil, 0, err
			}
			all = named(p, options)
			sorted[p.ID] = all
		}
		var fit []prompt.Option
		count := 0
		lower := strings.ToLower(part)
		for _, o := range all {
			if strings.Contains(strings.ToLower(o.Name), lower) || o.ID == part {
				if count++; limit < 0 || count <= limit {
					fit = append(fit, o)
				}
			}
		}
		return fit, count, nil
	}
}

func named(p descriptor.Parameter, options []client.Option) []prompt.Option {
	out := make([]prompt.Option, len(options))
	for i, o := range options {
		out[i] = prompt.Option{ID: strconv.FormatInt(int64(o.ID), 10), Name: app.OptionLabel(p, o)}
	}
	return out
}

// describeLaunch says what a launch of the form would do.
func (c *cli) describeLaunch(ctx context.Context, s *app.Session, r app.LaunchRequest, form *forms.Form) string {
	chosen, _ := takeApart(form)
	requests, err := chosen.Requests(r)
	if err != nil {
		return err.Error()
	}
	var lines []string
	if len(requests) > 1 {
		if e, err := s.Estimate(requests); err == nil {
			lines = append(lines, e.String()+": "+chosen.Describe())
		}
		lines = append(lines, "The first of them runs:")
	} else {
		lines = append(lines, "This runs:")
	}
	preview := s.Preview(requests[0])
	lines = append(lines, preview.String())
	for _, u := range preview.Unreached {
		lines = append(lines, u+" never reaches the program: its key is not in the command line")
	}
	lines = append(lines, preview.Notes...)
	if app.TakesWholeProject(r.Algorithm) {
		lines = append(lines, fmt.Sprintf("It has no parameter for images: it takes the whole project, %s.", s.WholeProject(ctx)))
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}
