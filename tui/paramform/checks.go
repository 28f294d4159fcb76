package paramform

import (
	"strings"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// checksBox is the list of what a launch needs, over the form.
func (m *Screen) checksBox() string {
	t := style.Now()
	width := min(m.area.width, 92)
	switch m.stage {
	case checking:
		return widget.Box("before the launch", []string{t.Busy.Render("●") + " looking at server, container, disk and GPUs"}, width)
	case launching:
		return widget.Box("launch", []string{t.Busy.Render("●") + " starting"}, width)
	}
	var lines []string
	for _, c := range m.checks {
		lines = append(lines, checkLines(t, c, width-4)...)
	}
	keys := t.Key.Render("enter") + " launches, " + t.Key.Render("esc") + " goes back to the form"
	if m.blocked() {
		keys = t.Key.Render("esc") + " goes back to the form, " + t.Key.Render("a") + " launches anyway"
	}
	ask := []string{m.verdict() + "  " + keys}
	if text.Width(ask[0]) > width-4 {
		ask = append(text.Wrap(m.verdict(), width-4), keys)
	}
	room := max(m.area.height-3-len(ask), 1)
	if len(lines) > room {
		lines = lines[:room]
	}
	lines = append(append(lines, ""), ask...)
	return widget.Box("before the launch", lines, width)
}

const checkName = 10 // cells

func checkLines(t *style.Theme, c app.Check, width int) []string {
	sign, role := style.Sign(app.Good), t.Good
	switch {
	case !c.OK:
		sign, role = style.Sign(app.Bad), t.Bad
	case c.Warn:
		sign, role = style.Sign(app.Warn), t.Warn
	}
	room := max(width-checkName-4, 8)
	told := text.Wrap(text.Line(c.Text), room)
	if c.Next != "" && (!c.OK || c.Warn) {
		told = append(told, text.Wrap(text.Line("→ "+c.Next), room)...)
	}
	lines := []string{role.Render(sign) + " " + t.Faint.Render(text.Pad(text.Line(c.Name), checkName)) + "  " + told[0]}
	for _, l := range told[1:] {
		lines = append(lines, strings.Repeat(" ", checkName+4)+l)
	}
	return lines
}
