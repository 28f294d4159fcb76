package paramform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// area shares the screen among the parts of the form: one line of head, the
// fields, the help of the field under the cursor, the command.
type area struct {
	width, height             int
	listWidth, listHeight     int
	detailWidth, detailHeight int // 0 high where there is no room
	beside                    bool
	commandHeight             int // lines of the command, without its rule
}

func areaFor(width, height int) area {
	a := area{width: width, height: height, listWidth: width}
	rest := height - 1
	switch {
	case height >= 40:
		a.commandHeight = 5
	case height >= 24:
		a.commandHeight = 3
	case height >= 12:
		a.commandHeight = 2
	}
	if a.commandHeight > 0 {
		rest -= a.commandHeight + 1
	}
	switch {
	case width >= 110:
		a.beside = true
		a.listWidth = width * 5 / 8
		a.detailWidth, a.detailHeight = width-a.listWidth-3, rest
	case height >= 30:
		a.detailWidth, a.detailHeight = width-2, 6
	case height >= 17:
		a.detailWidth, a.detailHeight = width-2, 3
	case height >= 14:
		a.detailWidth, a.detailHeight = width-2, 2
	}
	if !a.beside && a.detailHeight > 0 {
		rest -= a.detailHeight + 1
	}
	a.listHeight = max(rest, 1)
	return a
}

// View draws the form and what lies over it.
func (m *Screen) View() string {
	a := m.area
	switch {
	case m.picking != nil && !m.picking.fixed:
		return m.picking.pane.View()
	case m.command != nil:
		return m.commandPane()
	}
	lines := []string{m.head()}
	list := widget.Fit(strings.Join(m.drawList(), "\n"), a.listWidth, a.listHeight)
	if a.beside {
		list = widget.Beside(list, m.detail.View(), a.listWidth, a.detailWidth, a.listHeight)
	}
	lines = append(lines, list)
	if !a.beside && a.detailHeight > 0 {
		lines = append(lines, titled(m.toldLabel(), m.hidden(), a.width))
		lines = append(lines, widget.Fit(" "+strings.ReplaceAll(m.detail.View(), "\n", "\n "), a.width, a.detailHeight))
	}
	if a.commandHeight > 0 {
		note := m.commandNote()
		if h := m.hidden(); a.beside && h != "" {
			if note != "" {
				note += " "
			}
			note += h
		}
		lines = append(lines, titled("command", note, a.width), m.commandLines(a.commandHeight))
	}
	view := widget.Fit(strings.Join(lines, "\n"), a.width, a.height)
	switch {
	case m.picking != nil:
		box := widget.Box(m.field(m.picking.at).Parameter.Label(), strings.Split(m.picking.pane.View(), "\n"), m.boxWidth())
		return widget.Over(view, box, a.width, a.height)
	case m.presets != nil:
		return widget.Over(view, m.presetsBox(), a.width, a.height)
	case m.stage != filling:
		return widget.Over(view, m.checksBox(), a.width, a.height)
	}
	return view
}

// titled is a rule with a title at its left and a note, safe already, at its
// right.
func titled(title, note string, width int) string {
	t := style.Now()
	title = text.Truncate(text.Line(title), max(width-text.Width(note)-10, 4))
	fill := width - text.Width(title) - 5
	if note == "" {
		return t.Rule.Render("── ") + t.Head.Render(title) + t.Rule.Render(" "+strings.Repeat("─", max(fill+1, 0)))
	}
	fill -= text.Width(note) + 3
	return t.Rule.Render("── ") + t.Head.Render(title) + t.Rule.Render(" "+strings.Repeat("─", max(fill, 0))+" ") + note + t.Rule.Render(" ──")
}

// head names the algorithm and says how the form stands, or holds the line in
// which a parameter is looked for.
func (m *Screen) head() string {
	t := style.Now()
	if m.jump != nil {
		note := fmt.Sprintf("%d of %d ", len(m.jump.found), len(m.spots))
		if m.jump.input.Value() == "" {
			note = ""
		}
		m.jump.input.SetWidth(max(m.area.width-text.Width(note)-8, 4))
		return widget.Ends(t.Accent.Render(" / ")+m.jump.input.View(), t.Faint.Render(note), m.area.width)
	}
	name := t.Bold.Render(text.Line(m.algorithm.Name))
	if m.algorithm.Version != "" {
		name += " " + t.Faint.Render(text.Line(m.algorithm.Version))
	}
	if m.algorithm.Deprecated {
		name += " " + t.Warn.Render("! deprecated")
	}
	return widget.Ends(" "+name, m.standing(t)+" ", m.area.width)
}

// standing counts what is to be done.
func (m *Screen) standing(t *style.Theme) string {
	empty, wrong := 0, 0
	for _, s := range m.errors() {
		if untouched(m.field(s)) {
			empty++
		} else {
			wrong++
		}
	}
	var parts []string
	switch {
	case m.reading != 0 && !m.whole:
		parts = append(parts, t.Busy.Render("● reading"))
	case m.readErr != nil && !m.whole:
		parts = append(parts, t.Bad.Render("✗ not read whole, ctrl+r"))
	}
	if wrong > 0 {
		parts = append(parts, t.Bad.Render("✗ "+counted(wrong, "problem")))
	}
	if empty > 0 {
		parts = append(parts, t.Warn.Render(fmt.Sprintf("* %d to fill in", empty)))
	}
	if n := len(m.changed()); n > 0 {
		parts = append(parts, t.Faint.Render(fmt.Sprintf("%d changed", n)))
	}
	if wrong+empty == 0 {
		ready := "✓ ctrl+s launches"
		if m.several.runs > 1 {
			ready += " " + text.Count(m.several.runs) + " runs"
		}
		parts = append(parts, t.Good.Render(ready))
	}
	return strings.Join(parts, t.Faint.Render(" · "))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// untouched tells that nobody has given the field a value yet.
func untouched(f *forms.Field) bool { return f.Text == "" && f.Origin == "" }

// problems are what to say of a field now. That something is missing is said
// when the person has been there, or wants to launch.
func (m *Screen) problems(s spot) []forms.Problem {
	f := m.field(s)
	if untouched(f) && !m.strict {
		return nil
	}
	for i, p := range f.Problems {
		if p.Missing {
			out := slices.Clone(f.Problems)
			out[i].Message = missing(f.Parameter)
			return out
		}
	}
	return f.Problems
}

// missing says what a field without a value needs.
func missing(p descriptor.Parameter) string {
	switch {
	case p.Type.IsList():
		return "choose at least one"
	case hasOptions(p), len(p.Choices) > 0:
		return "choose one"
	}
	return "needs a value"
}
