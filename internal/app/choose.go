package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
)

// Choices say where the values of a launch come from, the weakest first; what
// none of them names has its default.
type Choices struct {
	Earlier []client.Value // of an analysis
	Preset  string         // by name
	File    string         // a parameter file; - is standard input
	Set     []client.Value // by hand
	Flags   []string       // words of the algorithm's own command line
	// Sweeps are NAME=VALUES, see forms.ParseSweep: one run for each value, for
	// each combination where there are several, or side by side with Zip.
	Sweeps []string
	Zip    bool
	// Divided tells that lists are divided among several runs before a launch, so
	// that they may be longer than the server stores.
	Divided bool
}

// Chosen is what Choices came to.
type Chosen struct {
	Values []client.Value // valid, without those that are swept
	Sweeps []forms.Sweep
	Zip    bool
}

// Choose puts the values of a launch together. Everything that is wrong with
// them is one forms.Problems error, with the place of it where it is in a file.
func (s *Session) Choose(ctx context.Context, a client.Algorithm, c Choices) (Chosen, error) {
	return s.choose(ctx, a, c, func(p forms.Problem) bool { return p.Long && c.Divided })
}

// ChooseSome is Choose for values that are no launch yet: what is required may be
// missing.
func (s *Session) ChooseSome(ctx context.Context, a client.Algorithm, c Choices) ([]client.Value, error) {
	missing := map[string]bool{}
	for _, f := range forms.New(UserParameters(a), nil).Fields {
		missing[f.Parameter.ID] = f.Text == ""
	}
	chosen, err := s.choose(ctx, a, c, func(p forms.Problem) bool { return p.Missing && missing[p.Parameter] })
	return chosen.Values, err
}

// choose leaves out the problems that may be.
func (s *Session) choose(ctx context.Context, a client.Algorithm, c Choices, mayBe func(forms.Problem) bool) (Chosen, error) {
	parameters := UserParameters(a)
	var problems forms.Problems
	files := map[client.Origin]placed{}

	prefill := slices.Clone(c.Earlier)
	add := func(origin client.Origin, path string, f forms.File, err error) error {
		var wrong forms.Problems
		if err != nil && !errors.As(err, &wrong) {
			return err
		}
		problems = append(problems, wrong...)
		files[origin] = placed{path, f}
		known, others := split(parameters, f.Values)
		prefill = append(prefill, known...)
		problems = append(problems, files[origin].problems(superfluous(parameters, others), others)...)
		return nil
	}
	if c.Preset != "" {
		p, err := s.Env.Preset(a.Name, c.Preset)
		f := forms.File{Values: p.Values}
		if p.Path != "" {
			f, err = ReadParameters(p.Path)
			f.Values = p.Values
		}
		if err := add(client.FromPreset, p.Path, f, err); err != nil {
			return Chosen{}, err
		}
	}
	if c.File != "" {
		f, err := ReadParameters(c.File)
		if err := add(client.FromFile, c.File, f, err); err != nil {
			return Chosen{}, err
		}
	}

	flags, err := FlagValues(a, c.Flags)
	if err != nil {
		problems = append(problems, forms.Problem{Message: err.Error()})
	}
	set := slices.DeleteFunc(slices.Clone(c.Set), func(v client.Value) bool { return names(flags, v.Parameter) })
	problems = append(problems, twice(set)...)
	problems = append(problems, twice(flags)...)

	sweeps, wrong, err := s.sweeps(ctx, parameters, c.Sweeps)
	if err != nil {
		return Chosen{}, err
	}
	problems = append(problems, wrong...)

	values, wrong, err := s.fill(ctx, a, prefill, append(set, flags...))
	if err != nil {
		return Chosen{}, err
	}
	for _, p := range append(wrong, forms.Validate(parameters, values)...) {
		// What is swept needs no single value, and what could not be looked up
		// has had its problem.
		if slices.ContainsFunc(sweeps, func(s forms.Sweep) bool { return s.Parameter == p.Parameter }) || mentions(problems, p.Parameter) || mayBe(p) {
			continue
		}
		problems = append(problems, p)
	}
	for origin, f := range files {
		of := slices.DeleteFunc(slices.Clone(values), func(v client.Value) bool { return v.Origin != origin })
		problems = f.problems(problems, of)
	}
	if problems.Errors() > 0 {
		slices.SortStableFunc(problems, func(a, b forms.Problem) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		return Chosen{}, problems
	}
	if _, err := forms.CountRuns(sweeps, c.Zip); err != nil {
		return Chosen{}, forms.Problems{{Message: err.Error()}}
	}
	return Chosen{Values: values, Sweeps: sweeps, Zip: c.Zip}, nil
}

// placed is a parameter file with its path.
type placed struct {
	path string
	file forms.File
}

// problems gives those of the problems that are about values of the file their
// places in it.
func (p placed) problems(problems forms.Problems, of []client.Value) forms.Problems {
	for i := range problems {
		if problems[i].File != "" || !names(of, problems[i].Parameter) && !problems[i].Missing {
			continue
		}
		one := p.file.Place(problems[i : i+1])
		if one[0].Line == 0 {
			continue // missing there too
		}
		one[0].File = filepath.Base(p.path)
		problems[i] = one[0]
	}
	return problems
}

func names(values []client.Value, parameter string) bool {
	return slices.ContainsFunc(values, func(v client.Value) bool { return strings.EqualFold(v.Parameter, parameter) })
}

func mentions(problems forms.Problems, parameter string) bool {
	return slices.ContainsFunc(problems, func(p forms.Problem) bool { return !p.Warning && strings.EqualFold(p.Parameter, parameter) })
}

// split parts values of parameters that exist from the others and from ones that
// come again.
func split(parameters []descriptor.Parameter, values []client.Value) (known, others []client.Value) {
	for _, v := range values {
		exists := slices.ContainsFunc(parameters, func(p descriptor.Parameter) bool { return p.ID == v.Parameter })
		if exists && !names(known, v.Parameter) {
			known = append(known, v)
		} else {
			others = append(others, v)
		}
	}
	return known, others
}

// superfluous says why values have no place: there is no such parameter, or it
// has a value already.
func superfluous(parameters []descriptor.Parameter, values []client.Value) forms.Problems {
	var problems forms.Problems
	for _, v := range values {
		if slices.ContainsFunc(parameters, func(p descriptor.Parameter) bool { return p.ID == v.Parameter }) {
			problems = append(problems, forms.Problem{Parameter: v.Parameter, Message: "is given twice"})
			continue
		}
		problems = append(problems, forms.Validate(parameters, []client.Value{v}).Of(v.Parameter)...)
	}
	return problems
}

func twice(values []client.Value) forms.Problems {
	var problems forms.Problems
	for i, v := range values {
		if names(values[:i], v.Parameter) && !mentions(problems, v.Parameter) {
			problems = append(problems, forms.Problem{Parameter: v.Parameter, Message: "is given twice"})
		}
	}
	return problems
}

// sweeps reads NAME=VALUES.
func (s *Session) sweeps(ctx context.Context, parameters []descriptor.Parameter, texts []string) (sweeps []forms.Sweep, problems forms.Problems, err error) {
	for _, one := range texts {
		name, values, _ := strings.Cut(one, "=")
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(parameters, func(p descriptor.Parameter) bool { return strings.EqualFold(p.ID, name) })
		if i < 0 {
			problems = append(problems, superfluous(parameters, []client.Value{{Parameter: name}})...)
			continue
		}
		p := parameters[i]
		if slices.ContainsFunc(sweeps, func(s forms.Sweep) bool { return s.Parameter == p.ID }) {
			problems = append(problems, forms.Problem{Parameter: p.ID, Message: "is swept twice; put all its values into one sweep"})
			continue
		}
		sweep, wrong, err := s.sweep(ctx, p, values)
		if err != nil {
			return nil, nil, err
		}
		problems = append(problems, wrong...)
		sweeps = append(sweeps, sweep)
	}
	return sweeps, problems, nil
}

// sweep reads the values of one sweep; of a Domain they may be names, a named
// selection, or all.
func (s *Session) sweep(ctx context.Context, p descriptor.Parameter, values string) (forms.Sweep, forms.Problems, error) {
	if p.Type == descriptor.Domain && p.URI != "" && !forms.IsSweep(p, values) && !isID(strings.TrimSpace(values)) {
		list := p
		list.Type = descriptor.ListDomain // a sweep chooses several of what one is chosen of
		ids, labels, problems, err := s.optionsNamed(ctx, list, values)
		if err != nil || len(problems) > 0 {
			return forms.Sweep{Parameter: p.ID}, problems, err
		}
		sweep := forms.Sweep{Parameter: p.ID}
		for i, id := range strings.Split(ids, ",") {
			v := client.Value{Parameter: p.ID, Text: id, Origin: client.FromUser}
			if i < len(labels) {
				v.Labels = labels[i : i+1]
			}
			sweep.Values = append(sweep.Values, v)
		}
		return sweep, sweep.Check(p), nil
	}
	sweep, err := forms.ParseSweep(p, values)
	if err != nil {
		return sweep, forms.Problems{{Parameter: p.ID, Message: err.Error()}}, nil
	}
	return sweep, sweep.Check(p), nil
}

// Requests gives the launches of all runs: one where nothing is swept.
func (c Chosen) Requests(r LaunchRequest) ([]LaunchRequest, error) {
	runs, err := forms.Combine(c.Values, c.Sweeps, c.Zip)
	if err != nil {
		return nil, err
	}
	requests := make([]LaunchRequest, len(runs))
	for i, values := range runs {
		requests[i] = r
		requests[i].Values = values
	}
	return requests, nil
}

// Describe says what is swept: "sigma 1, 1.5, 2; method otsu, triangle".
func (c Chosen) Describe() string {
	var parts []string
	for _, s := range c.Sweeps {
		var shown []string
		for i, v := range s.Values {
			if i == 6 {
				shown = append(shown, fmt.Sprintf("… (%d)", len(s.Values)))
				break
			}
			name := v.Text
			if len(v.Labels) == 1 {
				name = v.Labels[0]
			}
			shown = append(shown, text.Truncate(text.Line(name), 24))
		}
		parts = append(parts, s.Parameter+" "+strings.Join(shown, ", "))
	}
	return strings.Join(parts, "; ")
}
