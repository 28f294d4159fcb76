package paramform

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// columns are the widths of a row: name, value, where it came from, what the
// field takes, its flag, the begin of its help. A column of 0 is not there.
type columns struct{ name, value, origin, takes, flag, help int }

// gutter holds the marker of the cursor and the sign of the field.
const gutter = 4

func (m *Screen) columns() columns {
	w := m.area.listWidth - gutter
	c := columns{name: 8, origin: 9}
	for _, s := range m.spots {
		c.name = max(c.name, text.Width(text.Line(m.field(s).Parameter.Label())))
	}
	c.name = min(c.name, max(w*3/10, 8))
	if w < 44 {
		c.origin = 0
	}
	rest := w - c.name - 2
	if c.origin > 0 {
		rest -= c.origin + 2
	}
	if w >= 64 {
		c.takes = min(rest*2/5, 30)
		rest -= c.takes + 2
	}
	if w >= 96 {
		c.flag = 18
		rest -= c.flag + 2
		if c.help = rest - 40 - 2; c.help < 16 {
			c.help = 0
		} else {
			rest = 40
		}
	}
	c.value = max(rest, 4)
	return c
}

// row draws a field.
func (m *Screen) row(t *style.Theme, i int) string {
	c := m.cols
	s := m.spots[i]
	f := m.field(s)
	here := i == m.cursor
	mark := " "
	if here {
		mark = t.Accent.Render("▌")
	}
	label := text.Pad(text.Line(f.Parameter.Label()), c.name)
	if here {
		label = t.Bold.Render(label)
	}
	left := mark + " " + m.sign(t, s) + " " + label + "  "
	if m.edit != nil && m.edit.at == s {
		return left + m.editor(t, f, m.area.listWidth-gutter-c.name-2)
	}
	shown, role := m.value(t, s)
	r := cells{line: left}
	r.add(shown, c.value, role)
	if f.Text != "" || m.opened(s).Text != "" { // nothing that was nothing before comes from nobody
		r.add(string(f.Origin), c.origin, originStyle(t, f))
	} else {
		r.add("", c.origin, t.Plain)
	}
	if sweep, ok := m.sweepOf(s.id); ok && !s.launch {
		r.add(counted(len(sweep.Values), "value"), c.takes, t.Busy)
	} else {
		r.add(m.takes(s), c.takes, t.Faint)
	}
	r.add(text.Line(f.Parameter.Flag), c.flag, t.Faint)
	if c.help > 0 {
		r.add(m.helps[s], c.help, t.Faint)
	}
	return r.line
}

// cells sets texts side by side, without styled blanks.
type cells struct {
	line string
	owed int // blanks before the next text
}

// add puts a text, safe already, into a cell; a cell of no width is left out.
func (c *cells) add(s string, width int, role lipgloss.Style) {
	if width <= 0 {
		return
	}
	s = text.Truncate(s, width)
	if s != "" {
		c.line += strings.Repeat(" ", c.owed) + role.Render(s)
		c.owed = 0
	}
	c.owed += width - text.Width(s) + 2
}

// sign says in one cell whether the field needs somebody.
func (m *Screen) sign(t *style.Theme, s spot) string {
	f := m.field(s)
	for _, p := range m.problems(s) {
		if !p.Warning {
			return t.Bad.Render("✗")
		}
	}
	switch {
	case untouched(f) && len(f.Problems) > 0:
		return t.Warn.Render("*")
	case len(m.problems(s)) > 0, len(m.absent[s.id]) > 0 && !s.launch, m.unreached(s), m.leftMarks(s) != nil:
		return t.Warn.Render("!")
	}
	return " "
}

// value is what a field shows when it is not edited.
func (m *Screen) value(t *style.Theme, s spot) (string, lipgloss.Style) {
	f := m.field(s)
	p := f.Parameter
	switch {
	case f.Text == "" && p.Default != nil && *p.Default != "" && f.Origin == client.FromUser:
		return "(none)", t.Faint
	case f.Text == "" && hasOptions(p):
		return m.nothingChosen(f), t.Faint
	case f.Text == "":
		return "–", t.Faint
	case hasOptions(p) || p.Type.IsList():
		return text.Line(m.chosen(f)), t.Plain
	}
	return text.Line(f.Text), t.Plain
}

// chosen names what was chosen: one name, or how many and the first names.
func (m *Screen) chosen(f *forms.Field) string {
	names := f.Labels // 100,000 ids are not read at every key
	if len(names) == 0 {
		names = f.Value().List()
	}
	switch len(names) {
	case 0: // not a value of this type
		return f.Text
	case 1:
		return names[0]
	}
	count := text.Count(len(names))
	if l := m.lists[sourceKey(f.Parameter)]; l != nil && l.Done && l.Len() > 0 {
		count += " of " + text.Count(l.Len())
	}
	return count + ": " + strings.Join(names[:min(len(names), 20)], ", ")
}

// nothingChosen says what there is to choose from.
func (m *Screen) nothingChosen(f *forms.Field) string {
	l := m.lists[sourceKey(f.Parameter)]
	switch {
	case l == nil:
		return "none"
	case l.Err != nil:
		return "none; the list did not load"
	case !l.Done && l.Len() == 0:
		return "none; loading the list"
	case !l.Done:
		return fmt.Sprintf("none of %s so far", text.Count(l.Len()))
	}
	return fmt.Sprintf("none of %s", text.Count(l.Len()))
}

// originStyle sets off what comes from elsewhere and is not the default anyway.
func originStyle(t *style.Theme, f *forms.Field) lipgloss.Style {
	switch {
	case f.Origin == client.FromUser:
		return t.Plain
	case f.Origin == client.FromDefault, !differs(f):
		return t.Faint
	}
	return t.Busy
}

// differs tells whether a field holds another value than its default. What is
// so long is no default, and is not read at every key.
func differs(f *forms.Field) bool { return len(f.Text) > 4096 || f.Changed() }

// editor draws the line that is typed, with what the field takes beside it.
func (m *Screen) editor(t *style.Theme, f *forms.Field, width int) string {
	hint := m.takes(m.edit.at)
	if f.Parameter.Type == descriptor.String && len(f.Parameter.Choices) == 0 && !m.edit.at.launch {
		hint = ""
	}
	hint = text.Truncate(hint, width/3)
	room := width - 2
	if hint != "" {
		room -= text.Width(hint) + 2
	}
	m.edit.input.SetWidth(max(room-1, 3))
	shown := m.edit.input.View()
	if m.edit.fresh {
		shown = t.Caret.Render(text.Truncate(m.edit.input.Value(), max(room, 3)))
	}
	return widget.Ends(shown, t.Faint.Render(hint)+" ", width)
}
