package paramform

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/widget"
)

// editing is a field whose text is being typed.
type editing struct {
	at     spot
	input  widget.Input
	before state
	// fresh tells that the whole value is selected, as in any form that one
	// tabs through: what is typed replaces it, an arrow keeps it.
	fresh bool
}

// isText tells whether a field is edited as a line of text, rather than turned
// over or chosen.
func (m *Screen) isText(s spot) bool {
	f := m.field(s)
	p := f.Parameter
	return p.Type != descriptor.Boolean && len(p.Choices) == 0 && !hasOptions(p)
}

// hasOptions tells whether a server lists what may be chosen.
func hasOptions(p descriptor.Parameter) bool {
	return p.URI != "" && (p.Type == descriptor.Domain || p.Type == descriptor.ListDomain)
}

// open does what enter does with the field under the cursor.
func (m *Screen) open() tea.Cmd {
	s := m.here()
	f := m.field(s)
	switch {
	case f.Parameter.Type == descriptor.Boolean:
		return m.turn()
	case !m.isText(s):
		return m.choose()
	}
	m.startEdit()
	return nil
}

func (m *Screen) startEdit() {
	s := m.here()
	in := widget.NewInput(placeholder(m.field(s)))
	in.SetValue(text.Line(m.field(s).Text)) // the field keeps its own unless somebody types
	in.CursorEnd()
	in.Focus()
	m.edit = &editing{s, in, m.state(s), in.Value() != ""}
}

// placeholder tells in an empty line what can be typed.
func placeholder(f *forms.Field) string {
	switch f.Parameter.Type {
	case descriptor.Number:
		return "1.5 or 1e-3"
	case descriptor.Date:
		return "YYYY-MM-DD"
	case descriptor.Domain:
		return "an id"
	case descriptor.ListDomain:
		return "ids, separated by commas"
	case descriptor.List:
		return "items, separated by commas"
	case descriptor.File, descriptor.Image:
		return "a path"
	}
	return ""
}

// editKey takes a key while text is typed.
func (m *Screen) editKey(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case keymap.Is(k, keymap.Cancel):
		m.set(m.edit.before)
		m.edit = nil
		m.refresh()
		return m.save()
	case keymap.Is(k, keymap.Accept):
		return m.endEdit()
	case keymap.Is(k, nextField), keymap.Is(k, previousField):
		by := 1
		if keymap.Is(k, previousField) {
			by = -1
		}
		cmd := tea.Batch(m.endEdit(), m.move(m.cursor+by))
		if m.isText(m.here()) {
			m.startEdit()
		}
		return cmd
	case k.String() == "up":
		return tea.Batch(m.endEdit(), m.move(m.cursor-1))
	case k.String() == "down":
		return tea.Batch(m.endEdit(), m.move(m.cursor+1))
	case keymap.Is(k, launchKey):
		return tea.Batch(m.endEdit(), m.launch())
	}
	return m.typeInto(k)
}

// typeInto gives the line a key or a paste, and the field what stands in it.
func (m *Screen) typeInto(msg tea.Msg) tea.Cmd {
	if paste, ok := msg.(tea.PasteMsg); ok {
		msg = tea.PasteMsg{Content: onOneLine(paste.Content, m.field(m.edit.at).Parameter.Type)}
	}
	changed := m.edit.replace(msg)
	if changed = m.edit.input.Type(msg) || changed; !changed {
		return nil
	}
	if v := m.edit.input.Value(); v != text.Line(v) { // what cannot be shown is not typed
		m.edit.input.SetValue(text.Line(v))
	}
	m.set(state{m.edit.at, m.edit.input.Value(), typed, nil})
	m.refresh()
	return m.save()
}

// replace takes the selected value away if the key or the paste is for its
// place, and tells whether it did.
func (e *editing) replace(msg tea.Msg) bool {
	if !e.fresh {
		return false
	}
	e.fresh = false
	if k, ok := msg.(tea.KeyPressMsg); ok && k.Text == "" && k.String() != "backspace" && k.String() != "delete" {
		return false
	}
	e.input.SetValue("")
	return true
}

// onOneLine makes pasted text one line; the lines of a list are its items.
func onOneLine(s string, t descriptor.Type) string {
	between := " "
	if t.IsList() {
		between = ","
	}
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines, between)
}

// endEdit keeps what was typed. Text that was not touched keeps its origin.
func (m *Screen) endEdit() tea.Cmd {
	before := m.edit.before
	m.edit = nil
	if m.field(before.at).Text == before.text {
		m.set(before)
	}
	m.refresh()
	return m.remember(change{before})
}

// turn turns a Boolean over, and takes the next of several choices.
func (m *Screen) turn() tea.Cmd {
	f := m.field(m.here())
	switch p := f.Parameter; {
	case p.Type == descriptor.Boolean && f.Text == "true":
		return m.put("false")
	case p.Type == descriptor.Boolean:
		return m.put("true")
	case len(p.Choices) > 0 && !p.Type.IsList():
		next := 0
		for i, c := range p.Choices {
			if c == f.Text {
				next = (i + 1) % len(p.Choices)
			}
		}
		return m.put(p.Choices[next])
	}
	return nil
}
