package style

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// Pen writes many short texts of one line in one style. A Render looks at margins,
// borders and lines each time, which a screen of a thousand cells feels.
type Pen struct{ before, after string }

// PenOf is the pen of a style that has only colours and the like.
func PenOf(s lipgloss.Style) Pen {
	before, after, _ := strings.Cut(s.Render("x"), "x")
	return Pen{before, after}
}

// Write is s, which is one line without colours of its own, in the pen's style.
func (p Pen) Write(s string) string {
	if s == "" {
		return ""
	}
	return p.before + s + p.after
}
