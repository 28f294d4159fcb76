// Package widget holds the parts that screens are made of: a table that draws
// only the rows that are seen, a line of input, a fuzzy finder, and the small
// helpers that keep everything aligned at any size.
//
// Widgets are plain structs that their screen owns. They take text as it came
// from a server and make it safe themselves (internal/text), they never do I/O,
// and they draw exactly the size that they were given.
package widget

import (
	"strings"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// Fit makes s exactly height lines of at most width cells: what is too much is
// cut, what is missing is empty. s may hold colours; it must be safe already.
func Fit(s string, width, height int) string {
	if height <= 0 {
		return ""
	}
	lines := strings.Split(s, "\n")
	if len(lines) > height {
		lines = lines[:height]
	}
	for i, l := range lines {
		if text.Width(l) > width {
			lines[i] = text.Truncate(l, width)
		}
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	return strings.Join(lines, "\n")
}

// Beside sets two blocks side by side with a rule between them. left gets
// leftWidth cells, both get height lines.
func Beside(left, right string, leftWidth, rightWidth, height int) string {
	l := strings.Split(Fit(left, leftWidth, height), "\n")
	r := strings.Split(Fit(right, rightWidth, height), "\n")
	rule := style.Now().Rule.Render("│")
	var b strings.Builder
	for i := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(text.Pad(l[i], leftWidth))
		b.WriteByte(' ')
		b.WriteString(rule)
		if r[i] != "" {
			b.WriteByte(' ')
			b.WriteString(r[i])
		}
	}
	return b.String()
}

// Rule is a faint line over the width.
func Rule(width int) string {
	return style.Now().Rule.Render(strings.Repeat("─", max(width, 0)))
}

// Ends puts left and right at the two ends of a line; left gives way when they
// do not fit. Both must be safe already.
func Ends(left, right string, width int) string {
	rw := text.Width(right)
	if rw+2 > width {
		return text.Truncate(left, width)
	}
	return text.Pad(left, width-rw) + right
}

// CutName is Truncate for a name that ends in what tells it from others: the last
// word stays, as in "nuclei-seg… #12".
func CutName(s string, width int) string {
	i := strings.LastIndexByte(s, ' ')
	if text.Width(s) <= width || i < 0 {
		return text.Truncate(s, width)
	}
	last := s[i:]
	if room := width - text.Width(last); room >= 4 {
		return text.Truncate(s[:i], room) + last
	}
	return text.Truncate(s, width)
}

// Paragraph wraps text of several lines, which may be untrusted, to lines with
// an indent.
func Paragraph(s string, width, indent int) []string {
	pad := strings.Repeat(" ", indent)
	lines := text.Wrap(text.Block(s), max(width-indent, 8))
	for i, l := range lines {
		lines[i] = pad + l
	}
	return lines
}

// Progress draws a bar of width cells for 0..100 percent; a negative percent is
// an empty one. The number stands beside it. What is done is a heavy line and
// the rest a light one, so that the bar reads without colours too.
func Progress(percent, width int) string {
	t := style.Now()
	const number = 5 // " 100%"
	bar := width - number
	if percent < 0 || bar < 3 {
		return ""
	}
	percent = min(percent, 100)
	full := bar * percent / 100
	return t.Busy.Render(strings.Repeat("━", full)) + t.Rule.Render(strings.Repeat("─", bar-full)) +
		text.PadLeft(itoa(percent)+"%", number)
}
