package paramform

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// line is one line of the list of fields.
type line struct {
	kind lineKind
	at   int // index of the spot
	text string
	warn bool
	more bool // the text goes on from the line before
}

type lineKind int

const (
	headingLine lineKind = iota
	fieldLine
	problemLine
	blankLine
)

// makeLines lays out the list: all its lines, of which only those that are seen
// are drawn, and the columns of its rows.
func (m *Screen) makeLines() {
	m.cols = m.columns()
	out := m.lines[:0]
	last := ""
	for i, s := range m.spots {
		heading := "launch"
		if !s.launch {
			heading = m.field(s).Group.String()
		}
		if heading != last {
			if last != "" && m.area.listHeight >= 16 {
				out = append(out, line{kind: blankLine, at: i})
			}
			out = append(out, line{kind: headingLine, at: i, text: heading})
			last = heading
		}
		out = append(out, line{kind: fieldLine, at: i})
		for _, p := range m.problems(s) {
			for k, l := range text.Wrap(text.Line(p.Message), max(m.area.listWidth-8, 8)) {
				out = append(out, line{problemLine, i, l, p.Warning, k > 0})
			}
		}
	}
	m.lines = out
}

// drawList draws the lines that are seen.
func (m *Screen) drawList() []string {
	t := style.Now()
	var out []string
	if m.failure != nil {
		for i, l := range text.Wrap("not launched: "+text.Line(m.failure.Error()), m.area.listWidth-4) {
			sign := "  "
			if i == 0 {
				sign = "✗ "
			}
			out = append(out, " "+t.Bad.Render(sign)+l)
		}
	}
	for i := m.top; i < len(m.lines) && len(out) < m.area.listHeight; i++ {
		out = append(out, m.draw(t, m.lines[i]))
	}
	return out
}

func (m *Screen) draw(t *style.Theme, l line) string {
	switch l.kind {
	case headingLine:
		return " " + t.Head.Render(strings.ToUpper(l.text))
	case fieldLine:
		return m.row(t, l.at)
	case problemLine:
		sign, role := "✗", t.Bad
		if l.warn {
			sign, role = "!", t.Warn
		}
		if l.more {
			sign = " "
		}
		return "    " + role.Render(sign+" "+l.text)
	}
	return ""
}

// hidden tells how many fields are above and below what is seen.
func (m *Screen) hidden() string {
	above, below := 0, 0
	for i, l := range m.lines {
		switch {
		case l.kind != fieldLine:
		case i < m.top:
			above++
		case i >= m.top+m.area.listHeight-m.failureHeight():
			below++
		}
	}
	if above+below == 0 {
		return ""
	}
	var parts []string
	if above > 0 {
		parts = append(parts, fmt.Sprintf("↑ %d", above))
	}
	if below > 0 {
		parts = append(parts, fmt.Sprintf("↓ %d more", below))
	}
	return style.Now().Faint.Render(strings.Join(parts, "  "))
}

// scroll keeps the field under the cursor in sight, with its problems, and with
// the heading above it.
func (m *Screen) scroll() {
	first, last := -1, -1
	for i, l := range m.lines {
		if l.at == m.cursor && l.kind != blankLine {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		m.top = 0
		return
	}
	height := m.area.listHeight - m.failureHeight()
	last = min(last, first+height-1)
	m.top = min(m.top, first)
	m.top = max(m.top, last-height+1)
	m.top = max(min(m.top, len(m.lines)-height), 0)
}

// relayout is for whatever makes lines come or go.
func (m *Screen) relayout() {
	if m.area.width > 0 {
		m.makeLines()
		m.scroll()
	}
}

func (m *Screen) failureHeight() int {
	if m.failure == nil {
		return 0
	}
	return len(text.Wrap("not launched: "+text.Line(m.failure.Error()), m.area.listWidth-4))
}
