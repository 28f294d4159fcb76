package paramform

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// toldLabel is the name of the field that the help is about.
func (m *Screen) toldLabel() string {
	if f := m.field(m.told); f != nil {
		return f.Parameter.Label()
	}
	return ""
}

// about is the help of a field: what it is, what it takes, where its value came
// from.
func (m *Screen) about(width int) []string {
	f := m.field(m.told)
	if f == nil {
		return nil
	}
	t := style.Now()
	p := f.Parameter
	facts := widget.Facts{Width: width}
	if m.area.beside {
		facts.Title(p.Label())
	}
	for _, l := range text.Wrap(m.summary(f), max(width, 8)) {
		facts.Line(t.Faint.Render(l))
	}
	for _, w := range m.warnings(m.told) {
		for _, l := range text.Wrap("! "+text.Line(w), max(width, 8)) {
			facts.Line(t.Warn.Render(l))
		}
	}
	if d := text.HTML(p.Description); d != "" {
		facts.Text(d)
	}
	m.aboutValue(&facts, f)
	return facts.Lines
}

// summary is id, flag, type and limits in one line.
func (m *Screen) summary(f *forms.Field) string {
	p := f.Parameter
	var parts []string
	if p.Flag != "" {
		parts = append(parts, text.Line(p.Flag))
	}
	if strings.TrimLeft(p.Flag, "-") != p.ID {
		parts = append(parts, "id "+text.Line(p.ID))
	}
	parts = append(parts, strings.ToLower(string(p.Type)))
	if t := m.takes(m.told); p.Type != descriptor.Boolean && t != strings.ToLower(string(p.Type)) && t != "text" {
		parts = append(parts, t)
	}
	if p.LimitsFrom != "" {
		parts = append(parts, "limits from "+text.Line(p.LimitsFrom))
	}
	switch {
	case p.Default != nil && *p.Default != "":
		parts = append(parts, "default "+text.Line(*p.Default))
	case !p.Optional && p.Type != descriptor.Boolean:
		parts = append(parts, "required")
	default:
		parts = append(parts, "optional")
	}
	return strings.Join(parts, " · ")
}

// warnings are what is odd about a field although a launch is possible.
func (m *Screen) warnings(s spot) []string {
	var out []string
	if m.unreached(s) {
		out = append(out, "the command line has no place for it: it never reaches the program")
	}
	if left := m.leftMarks(s); left != nil {
		out = append(out, counted(left.pane.Changes(), "mark")+" not taken; enter opens the list with them again")
	}
	if missing := m.absent[s.id]; len(missing) > 0 && !s.launch {
		out = append(out, fmt.Sprintf("not in the server's list: %s", strings.Join(missing[:min(len(missing), 5)], ", ")))
	}
	if l := m.lists[sourceKey(m.field(s).Parameter)]; l != nil && l.Err != nil && hasOptions(m.field(s).Parameter) {
		out = append(out, "the list did not load: "+l.Err.Error()+"; ctrl+r tries again, enter lets you type ids")
	}
	return out
}

// unreached tells that the value has no place in the command.
func (m *Screen) unreached(s spot) bool {
	if s.launch || !m.whole {
		return false
	}
	for _, id := range m.preview.Unreached {
		if id == s.id {
			return true
		}
	}
	return false
}

// mostNames bounds how many chosen options the help lists.
const mostNames = 200

// aboutValue shows what does not fit into the row.
func (m *Screen) aboutValue(facts *widget.Facts, f *forms.Field) {
	switch {
	case len(f.Labels) > 0 && hasOptions(f.Parameter):
		facts.Head(counted(len(f.Labels), "option") + " chosen")
		ids := strings.SplitN(f.Text, ",", mostNames+1)
		for i, id := range ids[:min(len(ids), len(f.Labels), mostNames)] {
			facts.Line(text.Truncate(text.Line(f.Labels[i])+"  "+style.Now().Faint.Render(text.Line(id)), facts.Width))
		}
	case text.Width(text.Line(f.Text)) > m.cols.value:
		facts.Head("value")
		facts.Text(f.Text[:min(len(f.Text), 4000)])
	}
}
