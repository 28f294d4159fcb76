package paramform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// A form makes several runs when a field holds several values (a sweep) and when
// the options of a list are spread over runs (a split). Both together make each
// part of the split once for each combination.

// several is how many runs the form makes, and of what.
type several struct {
	single []client.Value // the values that all runs have
	sweeps []forms.Sweep
	runs   int
}

// has tells whether a parameter is swept.
func (v several) has(parameter string) bool {
	return slices.ContainsFunc(v.sweeps, func(s forms.Sweep) bool { return s.Parameter == parameter })
}

// count brings m.several up to date.
func (m *Screen) count() {
	v := several{}
	v.single, v.sweeps, _ = forms.Sweeps(m.params.Parameters(), m.params.Values())
	runs, err := forms.CountRuns(v.sweeps, m.sideBySide())
	v.runs = runs
	if size := m.splitSize(); size > 0 {
		parts := (len(m.splitItems()) + size - 1) / size
		v.runs *= max(parts, 1)
	}
	if err == nil && v.runs > forms.MaxRuns {
		err = fmt.Errorf("%s runs, at most %s are possible at once", text.Count(v.runs), text.Count(forms.MaxRuns))
	}
	at := blockSweeps
	if len(v.sweeps) < 2 {
		at = blockSplit
	}
	m.blame(at, err)
	m.several = v
}

// blame says at a field of the launch block why the runs cannot be counted.
func (m *Screen) blame(id string, err error) {
	m.block.Field(blockSweeps).Problems = nil
	if f := m.block.Field(blockSplit); f != nil {
		m.block.Set(blockSplit, f.Text, f.Origin) // its own problems alone
	}
	if f := m.block.Field(id); err != nil && f != nil {
		f.Problems = []forms.Problem{{Parameter: id, Message: err.Error()}}
	}
}

// judgeSweep judges each value of a field that holds several.
func (m *Screen) judgeSweep(f *forms.Field) {
	p := f.Parameter
	if !forms.IsSweep(p, f.Text) {
		return
	}
	s, err := forms.ParseSweep(p, f.Text)
	f.Problems = s.Check(p)
	if err != nil {
		f.Problems = []forms.Problem{{Parameter: p.ID, Message: err.Error()}}
	}
}

// judgeSplit judges a list that is spread over runs by its parts: all of it may
// be more than a server stores.
func (m *Screen) judgeSplit(changed spot) {
	p, ok := splitParameter(m.algorithm)
	if !ok || m.params.Field(p.ID) == nil || changed != (spot{id: p.ID}) && changed != (spot{true, blockSplit}) {
		return
	}
	f := m.params.Field(p.ID)
	if len(f.Text) <= forms.MaxValue {
		return
	}
	part := longest(f.Text, m.splitSize())
	f.Problems = forms.Validate([]descriptor.Parameter{f.Parameter}, []client.Value{{Parameter: p.ID, Text: part, Origin: f.Origin}})
}

// longest is the longest part of a list of ids with size of them in each part;
// all of it where there is no size.
func longest(text string, size int) string {
	if size == 0 {
		return text
	}
	items, best := strings.Split(text, ","), ""
	for from := 0; from < len(items); from += size {
		if part := strings.Join(items[from:min(from+size, len(items))], ","); len(part) > len(best) {
			best = part
		}
	}
	return best
}

// sweepOf is the sweep of a parameter, if it has one.
func (m *Screen) sweepOf(id string) (forms.Sweep, bool) {
	for _, s := range m.several.sweeps {
		if s.Parameter == id {
			return s, true
		}
	}
	return forms.Sweep{}, false
}

// splitParameter is the list that can be spread over runs: the images, where
// there are several lists.
func splitParameter(a client.Algorithm) (p descriptor.Parameter, ok bool) {
	for _, q := range app.UserParameters(a) {
		if q.Type != descriptor.ListDomain {
			continue
		}
		if images := strings.Contains(strings.ToLower(q.URI), "image"); !ok || images {
			p, ok = q, true
			if images {
				break
			}
		}
	}
	return p, ok
}

// splitSize is how many options each run gets, 0 for all.
func (m *Screen) splitSize() int {
	if app.PerImage(m.algorithm) {
		return 1
	}
	f := m.block.Field(blockSplit)
	if f == nil || len(f.Problems) > 0 {
		return 0
	}
	n, _ := f.Value().Number()
	return int(n)
}

// splitItems are the options that are spread.
func (m *Screen) splitItems() []string {
	if p, ok := splitParameter(m.algorithm); ok {
		if f := m.params.Field(p.ID); f != nil && f.Text != "" {
			return strings.Split(f.Text, ",")
		}
	}
	return nil
}

// sideBySide tells that the first values of all sweeps go together, and the
// second ones, rather than each with each.
func (m *Screen) sideBySide() bool {
	f := m.block.Field(blockSweeps)
	return f != nil && f.Text == together
}

// firstValues are the values of the first run.
func (m *Screen) firstValues() []client.Value {
	values := m.several.single
	for _, s := range m.several.sweeps {
		if len(s.Values) > 0 {
			values = append(values[:len(values):len(values)], s.Values[0])
		}
	}
	size := m.splitSize()
	if size == 0 {
		return values
	}
	items := m.splitItems()
	if len(items) <= size {
		return values
	}
	p, _ := splitParameter(m.algorithm)
	out := make([]client.Value, len(values))
	for i, v := range values {
		if v.Parameter == p.ID {
			if v.Text = strings.Join(items[:size], ","); len(v.Labels) == len(items) {
				v.Labels = v.Labels[:size]
			} else {
				v.Labels = nil
			}
		}
		out[i] = v
	}
	return out
}

// requests are the launches of all runs, from r with the values that they share.
// Several of them are one group.
func requests(r app.LaunchRequest, v several, together bool, split string, size int, group string) ([]app.LaunchRequest, error) {
	combinations, err := forms.Combine(r.Values, v.sweeps, together)
	if err != nil {
		return nil, err
	}
	var all []app.LaunchRequest
	for _, values := range combinations {
		one := r
		one.Values = values
		parts := []app.LaunchRequest{one}
		if app.PerImage(r.Algorithm) {
			if parts, err = app.EachImage(parts); err != nil {
				return nil, err
			}
		} else if size > 0 {
			if parts, err = app.Split(one, split, size); err != nil {
				return nil, err
			}
		}
		all = append(all, parts...)
	}
	if len(all) > 1 {
		for i := range all {
			all[i].Group, all[i].StopAfter = group, app.StopAfter
		}
	}
	return all, nil
}

// runsCheck says how many runs a launch makes, as the first line of the checks.
func runsCheck(all []app.LaunchRequest, v several) app.Check {
	c := app.Check{Name: "runs", OK: true}
	var of []string
	for _, s := range v.sweeps {
		of = append(of, fmt.Sprintf("%d of %s", len(s.Values), s.Parameter))
	}
	if p := all[0].Part; p != nil {
		of = append(of, fmt.Sprintf("%d parts of %s", p.Of, p.Parameter))
	}
	c.Text = fmt.Sprintf("%s analyses in one group: %s", text.Count(len(all)), strings.Join(of, " × "))
	return c
}

// newGroup names the group of several runs.
func (m *Screen) newGroup() string { return runner.NewGroupID(m.now()) }
