package analyses

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
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
	say string // beside it
	err error
}

// ask reads what a wish needs, and then fulfils it by a message.
func (m *Screen) ask(a app.Analysis, w wish) tea.Cmd {
	gen, s := nav.NewGen(), m.session
	m.asking = gen
	var known []app.Analysis
	if w == nearestIt {
		for _, r := range m.feed.list.Rows() {
			known = append(known, r.Analysis)
		}
	}
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		if w == rerunIt {
			algorithm, values, err := s.Again(ctx, a)
			return asked{gen: gen, msg: nav.OpenForm{Algorithm: algorithm, Values: values, Resources: s.ResourcesOf(a), Develop: app.DevelopOf(a), Container: app.OtherContainer(a), Cache: app.CacheOf(a)}, err: err}
		}
		near, err := s.Nearest(ctx, a, known)
		if err != nil {
			return asked{gen: gen, err: err}
		}
		say := "the same values as " + near.Title() + ", which succeeded"
		if n := len(near.Differs); n > 0 {
			say = "differs from " + near.Title() + " in " + strings.Join(near.Differs[:min(n, 4)], ", ")
			if n > 4 {
				say += fmt.Sprintf(" and %d more", n-4)
			}
		}
		return asked{gen: gen, msg: nav.OpenCompare{Analyses: []app.Analysis{near.Analysis, a}}, say: say}
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
	if msg.say != "" {
		return tea.Batch(nav.Send(msg.msg), nav.Say(msg.say))
	}
	return nav.Send(msg.msg)
}
