package paramform

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/tui/paramform/picker"
)

// picking is the picker over the form.
type picking struct {
	at     spot
	pane   *picker.Picker
	fixed  bool   // of the choices of the parameter, in a box
	source string // key of the list that it shows
}

// allOptions is what a default means by every option there is.
const allOptions = "all"

// choose opens the picker of the field under the cursor.
func (m *Screen) choose() tea.Cmd {
	s := m.here()
	f := m.field(s)
	p := f.Parameter
	o := picker.Options{Title: p.Label(), Many: p.Type.IsList(), Chosen: f.Value().List(), Labels: f.Labels}
	m.picking = &picking{at: s}
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
		m.picking = nil
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
