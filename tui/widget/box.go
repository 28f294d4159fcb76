package widget

import (
	"strings"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// Box frames lines, which must be safe already, in a border with a title.
// width is that of the whole box.
func Box(title string, lines []string, width int) string {
	t := style.Now()
	inner := max(width-4, 1)
	title = text.Truncate(text.Line(title), inner-1)
	var b strings.Builder
	b.WriteString(t.Rule.Render("╭─ ") + t.Head.Render(title) + t.Rule.Render(" "+strings.Repeat("─", max(inner-text.Width(title)-1, 0))+"╮"))
	side := t.Rule.Render("│")
	for _, l := range lines {
		b.WriteString("\n" + side + " " + text.Pad(l, inner) + " " + side)
	}
	b.WriteString("\n" + t.Rule.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
	return b.String()
}

// Over lays a box in the middle of a base of width and height.
func Over(base, box string, width, height int) string {
	under := strings.Split(Fit(base, width, height), "\n")
	lines := strings.Split(box, "\n")
	boxWidth := 0
	for _, l := range lines {
		boxWidth = max(boxWidth, text.Width(l))
	}
	left, top := max((width-boxWidth)/2, 0), max((height-len(lines))/2, 0)
	for i, l := range lines {
		if top+i >= len(under) {
			break
		}
		u := under[top+i]
		under[top+i] = text.Pad(text.Cut(u, 0, left), left) + text.Pad(l, boxWidth) + text.Cut(u, left+boxWidth, width)
	}
	return Fit(strings.Join(under, "\n"), width, height)
}
