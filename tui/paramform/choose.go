package paramform

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform/picker"
)

// picking is the picker over the form.
type picking struct {
	at     spot
	pane   *picker.Picker
	fixed  bool   // of the choices of the parameter, in a box
	source string // key of the list that it shows
	text   string // what the field held when the picker was opened
}

// allOptions is what a default means by every option there is.
const allOptions = "all"

// choose opens the picker of the field under the cursor.
func (m *Screen) choose() tea.Cmd {
	s := m.here()
	f := m.field(s)
	p := f.Parameter
	if left := m.leftMarks(s); left != nil {
		return m.chooseAgain(left)
	}
	o := picker.Options{Title: p.Label(), Many: p.Type.IsList(), Chosen: f.Value().List(), Labels: f.Labels}
	m.picking = &picking{at: s, text: f.Text}
	var cmd tea.Cmd
	if len(p.Choices) > 0 {
		o.List, o.Fixed, m.picking.fixed = picker.Fixed(p.Choices), true, true
		o.Chosen, o.Labels = placesOf(o.Chosen, p.Choices), nil
	} else {
		if f.Text == allOptions && o.Many {
			o.Chosen, o.All = nil, true
		}
		m.picking.source = sourceKey(p)
		o.List, cmd = m.list(p)
	}
	o.Recent = m.recent[p.URI]
	m.picking.pane = picker.New(o)
	m.sizePicker()
	if m.picking.fixed {
		return nil
	}
	return tea.Batch(cmd, m.readSets(p))
}

// leftMarks is the picker of a field that was left with marks that were not
// taken; nil when there are none, or when the field has changed since.
func (m *Screen) leftMarks(s spot) *picking {
	left, f := m.left[s], m.field(s)
	if left == nil || f == nil || f.Text != left.text {
		return nil
	}
	return left
}

// chooseAgain opens a picker with the marks with which it was left.
func (m *Screen) chooseAgain(left *picking) tea.Cmd {
	m.picking = left
	delete(m.left, left.at)
	p := m.field(left.at).Parameter
	var cmd tea.Cmd
	if !left.fixed {
		var l *picker.List
		l, cmd = m.list(p)
		left.pane.SetList(l)
		cmd = tea.Batch(cmd, m.readSets(p))
	}
	left.pane.Say("not taken before; enter takes them, u goes back to those of the form")
	m.sizePicker()
	return cmd
}

// leavePicker closes the picker without taking its marks, and keeps them for the
// next time it is opened.
func (m *Screen) leavePicker() tea.Cmd {
	p := m.picking
	m.picking = nil
	n := p.pane.Changes()
	if n == 0 {
		return nil
	}
	m.left[p.at] = p
	m.detail.Refresh()
	return nav.Send(nav.Toast{Text: counted(n, "mark") + " not taken; enter opens the list with them again", Tone: app.Warn})
}

// placesOf gives the ids of texts in a fixed list.
func placesOf(texts, all []string) []string {
	var ids []string
	for _, t := range texts {
		for i, c := range all {
			if c == t {
				ids = append(ids, strconv.Itoa(i+1))
			}
		}
	}
	return ids
}

// toPicker gives the picker a message.
func (m *Screen) toPicker(msg tea.Msg) tea.Cmd {
	cmd, end := m.picking.pane.Update(msg)
	switch end {
	case picker.GivenUp:
		return m.leavePicker()
	case picker.Reload:
		return m.reload(m.field(m.picking.at).Parameter)
	case picker.Save, picker.Forget:
		return m.keepSet(end)
	case picker.Accepted:
		ids, labels := m.picking.pane.Chosen()
		fixed := m.picking.fixed
		m.picking = nil
		if fixed {
			return m.put(strings.Join(labels, ","))
		}
		return m.put(strings.Join(ids, ","), labels...)
	}
	return cmd
}

// sizePicker gives the picker its area: choices lie in a box over the form.
func (m *Screen) sizePicker() {
	if p := m.presets; p != nil && p.pane != nil {
		p.pane.SetSize(m.boxWidth()-4, max(min(len(p.list), m.area.height-4), 1))
	}
	if m.picking == nil {
		return
	}
	if !m.picking.fixed {
		m.picking.pane.SetSize(m.area.width, m.area.height)
		return
	}
	m.picking.pane.SetSize(m.boxWidth()-4, max(min(m.picking.pane.Height(), m.area.height-2), 1))
}

func (m *Screen) boxWidth() int {
	if m.area.width < 56 {
		return m.area.width
	}
	return 48
}
