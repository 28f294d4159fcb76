package app

import (
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/runner"
)

// Fields reads the parameters and results of analyses, by their keys, without
// asking the server: of runs from their folders, of jobs what a page with parameters
// and earlier looks at their results have brought. Jobs of which nothing is known are
// left out.
func (s *Session) Fields(analyses []Analysis) map[string][]filter.Field {
	out := make(map[string][]filter.Field, len(analyses))
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(analyses); i += workers {
				if f := s.fieldsOf(analyses[i]); f != nil {
					mu.Lock()
					out[analyses[i].Key()] = f
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return out
}

func (s *Session) fieldsOf(a Analysis) []filter.Field {
	if a.Run == nil {
		if a.Job == nil || a.Job.Parameters == nil {
			return nil
		}
		out := []filter.Field{}
		for _, p := range a.Job.Parameters {
			dp := descriptor.Parameter{ID: p.Name}
			if dp.IsServerInput() || dp.IsSecret() || p.Value == nil {
				continue
			}
			out = parameterFields(out, p.Name, p.Label, *p.Value, nil)
		}
		if r, _, ok := s.keptResults(a); ok {
			out = resultFields(out, r.Counts)
		}
		return out
	}
	full, err := s.full(a)
	if err != nil {
		return []filter.Field{}
	}
	labels := map[string]string{}
	for _, p := range full.Run.Algorithm.Parameters {
		labels[p.ID] = p.Label()
	}
	out := []filter.Field{}
	for _, v := range full.Run.Values {
		if !(descriptor.Parameter{ID: v.Parameter}).IsSecret() {
			out = parameterFields(out, v.Parameter, labels[v.Parameter], v.Text, v.Labels)
		}
	}
	if o, ok := runner.ReadOutputs(full.Run.Folder); ok {
		out = resultFields(out, termCounts(o))
	}
	return out
}

// parameterFields adds a value under the parameter's name and, where that differs,
// under its label; names of options count as the value too.
func parameterFields(out []filter.Field, name, label, value string, options []string) []filter.Field {
	f := filter.Field{Kind: filter.Parameter, Name: clean(name), Text: clean(value)}
	f.Number, f.IsNumber = numberOf(value)
	out = append(out, f)
	for _, o := range options {
		out = append(out, filter.Field{Kind: filter.Parameter, Name: f.Name, Text: clean(o)})
	}
	if l := clean(label); l != "" && l != f.Name {
		f.Name = l
		out = append(out, f)
	}
	return out
}

func numberOf(s string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return n, err == nil && !math.IsNaN(n)
}

// resultFields adds the counts of terms as NAME, and their areas as NAME.area.
func resultFields(out []filter.Field, counts []client.TermCount) []filter.Field {
	add := func(name string, n float64) {
		out = append(out, filter.Field{Kind: filter.Result, Name: clean(name), Text: formatNumber(n), Number: n, IsNumber: true})
	}
	for _, c := range counts {
		name := c.Name
		if name == "" {
			name = "no term"
		}
		add(name, float64(c.Count))
		if c.Unit != "" {
			add(name+".area", c.Area)
		}
	}
	return out
}

func termCounts(o runner.Outputs) []client.TermCount {
	var out []client.TermCount
	for _, t := range o.Terms {
		out = append(out, client.TermCount{Term: t.Term, Name: t.Name, Count: t.Count, Area: t.Area, Unit: t.Unit})
	}
	return out
}

// roughly is a length of time in one unit.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}
