package analyses

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
)

// wish is what somebody wants with an analysis that takes a question first.
type wish int

const (
	rerunIt wish = iota
	nearestIt
)

// asked answers ask: the message that fulfils the wish.
type asked struct {
	gen nav.Gen
	msg tea.Msg
	err error
}

// ask reads what a wish needs, and then fulfils it by a message.
func (m *Screen) ask(a app.Analysis, w wish) tea.Cmd {
	gen, s := nav.NewGen(), m.session
	m.asking = gen
	candidates := m.candidates(a)
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		if w == rerunIt {
			algorithm, values, err := s.Again(ctx, a)
			return asked{gen, nav.OpenForm{Algorithm: algorithm, Values: values}, err}
		}
		if len(candidates) == 0 {
			return asked{gen, nil, fmt.Errorf("no analysis of %s succeeded that this one could be compared with", text.Line(a.Name()))}
		}
		mine, err := s.Values(ctx, a)
		if err != nil {
			return asked{gen, nil, err}
		}
		best := nearest(mine, a.Created(), candidates, func(c app.Analysis) []client.Value {
			v, err := s.Values(ctx, c)
			if err != nil {
				return nil
			}
			return v
		})
		return asked{gen, nav.OpenCompare{Analyses: []app.Analysis{best, a}}, nil}
	}
}

func (m *Screen) answered(msg asked) tea.Cmd {
	if msg.gen != m.asking {
		return nil
	}
	m.asking = 0
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	return nav.Send(msg.msg)
}

// mostCandidates bounds how many analyses are read for their values.
const mostCandidates = 30

// candidates are the latest analyses of the same algorithm that succeeded.
func (m *Screen) candidates(a app.Analysis) []app.Analysis {
	var out []app.Analysis
	for _, c := range m.list.all {
		if c.Key() != a.Key() && c.State().Tone == app.Good && c.Name() == a.Name() && len(out) < mostCandidates {
			out = append(out, c)
		}
	}
	return out
}

// nearest is the candidate with the fewest different values, the one closest in
// time among equals.
func nearest(mine []client.Value, at time.Time, candidates []app.Analysis, valuesOf func(app.Analysis) []client.Value) app.Analysis {
	var best app.Analysis
	least, gap := -1, time.Duration(0)
	for _, c := range candidates {
		n, g := differences(mine, valuesOf(c)), at.Sub(c.Created()).Abs()
		if least < 0 || n < least || n == least && g < gap {
			best, least, gap = c, n, g
		}
	}
	return best
}

// differences counts the parameters whose values are not the same.
func differences(a, b []client.Value) int {
	texts := make(map[string]string, len(a))
	for _, v := range a {
		texts[v.Parameter] = v.Text
	}
	n := 0
	for _, v := range b {
		if t, ok := texts[v.Parameter]; !ok || t != v.Text {
			n++
		}
		delete(texts, v.Parameter)
	}
	return n + len(texts)
}
