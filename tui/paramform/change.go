package paramform

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
)

// state is what a field held.
type state struct {
	at     spot
	text   string
	origin client.Origin
	labels []string
}

// change is what undo takes back: the fields as they were.
type change []state

func (m *Screen) state(s spot) state {
	f := m.field(s)
	if f == nil {
		return state{at: s}
	}
	return state{s, f.Text, f.Origin, f.Labels}
}

func (s state) same(t state) bool {
	return s.at == t.at && s.text == t.text && s.origin == t.origin && slices.Equal(s.labels, t.labels)
}

// set gives a field a value without a way back; see alter.
func (m *Screen) set(s state) {
	m.form(s.at).Set(s.at.id, s.text, s.origin, s.labels...)
	if !s.at.launch {
		m.label(s.at.id)
	}
	m.judge(s.at)
	m.failure = nil
}

// mostUndo bounds how many changes can be taken back.
const mostUndo = 200

// alter changes fields so that undo takes all of it back at once.
func (m *Screen) alter(spots []spot, do func()) tea.Cmd {
	before := make(change, len(spots))
	for i, s := range spots {
		before[i] = m.state(s)
	}
	do()
	return m.remember(before)
}

// remember keeps what fields were before they changed, and saves.
func (m *Screen) remember(before change) tea.Cmd {
	before = slices.DeleteFunc(before, func(s state) bool { return s.same(m.state(s.at)) })
	if len(before) == 0 {
		return nil
	}
	m.undo = append(m.undo, before)
	if len(m.undo) > mostUndo {
		m.undo = m.undo[1:]
	}
	m.refresh()
	return m.save()
}

// undoLast takes the last change back and goes there.
func (m *Screen) undoLast() tea.Cmd {
	if len(m.undo) == 0 {
		return nil
	}
	last := m.undo[len(m.undo)-1]
	m.undo = m.undo[:len(m.undo)-1]
	for _, s := range last {
		m.set(s)
	}
	if m.field(last[0].at) != nil {
		m.goTo(last[0].at)
	}
	m.refresh()
	return tea.Batch(m.save(), m.rest.Move())
}

// put gives the field under the cursor a value.
func (m *Screen) put(text string, labels ...string) tea.Cmd {
	s := m.here()
	return m.alter([]spot{s}, func() { m.set(state{s, text, typed, labels}) })
}

// clear takes the value of the field under the cursor away.
func (m *Screen) clear() tea.Cmd { return m.put("") }

// reset gives the field under the cursor its default back.
func (m *Screen) reset() tea.Cmd {
	s := m.here()
	return m.alter([]spot{s}, func() {
		m.form(s).Reset(s.id)
		m.judge(s)
	})
}

// resetAll makes the form what it was when it was opened.
func (m *Screen) resetAll() tea.Cmd {
	return m.alter(m.spots, func() {
		for _, s := range m.spots {
			f := m.opened(s)
			m.set(state{s, f.Text, f.Origin, f.Labels})
		}
	})
}

// opened is a field as it was when the form was opened.
func (m *Screen) opened(s spot) *forms.Field {
	if s.launch {
		return m.blockBase.Field(s.id)
	}
	return m.base.Field(s.id)
}

// changed are the fields that hold something else than when the form was opened.
func (m *Screen) changed() []spot {
	var out []spot
	for _, s := range m.spots {
		if f, was := m.field(s), m.opened(s); f.Text != was.Text {
			out = append(out, s)
		}
	}
	return out
}

// fill gives fields the values of a draft, of the last launch or of a preset, as
// far as they exist.
func (m *Screen) fill(d *draft) tea.Cmd {
	return m.alter(m.spots, func() {
		for _, v := range d.Values {
			if m.params.Field(v.Parameter) != nil {
				m.set(state{spot{id: v.Parameter}, v.Text, v.Origin, v.Labels})
			}
		}
		for _, v := range d.Launch {
			if m.block.Field(v.Parameter) != nil {
				m.set(state{spot{true, v.Parameter}, v.Text, v.Origin, v.Labels})
			}
		}
	})
}
