package compareview

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width, m.height = max(width, 1), max(height, 1)
	m.fit()
}

// detailLines is what stands below the table: the cell under the cursor.
const detailLines = 2

// bodyHeight is the lines for rows: without the filter, the titles, and the
// detail.
func (m *Screen) bodyHeight() int { return max(m.height-2-1-detailLines, 1) }

// View draws the comparison.
func (m *Screen) View() string {
	switch {
	case len(m.analyses) == 0:
		return m.say("Mark two or more analyses with space in 2 Analyses, then press c.")
	case m.err != nil:
		return m.say(m.err.Error() + "\n\nctrl+r tries again")
	case !m.loaded:
		return m.say(m.reading())
	case m.plot.on:
		return widget.Fit(strings.Join(m.drawPlot(), "\n"), m.width, m.height)
	}
	lines := []string{m.top(), m.titles()}
	body := m.body()
	lines = append(lines, body...)
	for len(lines) < m.height-1-detailLines {
		lines = append(lines, "")
	}
	lines = append(lines, widget.Rule(m.width))
	lines = append(lines, m.detail()...)
	return widget.Fit(strings.Join(lines, "\n"), m.width, m.height)
}

// reading says how far the reading is.
func (m *Screen) reading() string {
	n := len(m.analyses)
	if done := int(m.done.Load()); n > 3 && done > 0 {
		return fmt.Sprintf("reading, %d of %d analyses\n%s", done, n, widget.Progress(100*done/n, min(m.width-4, 50)))
	}
	return fmt.Sprintf("reading %d analyses", n)
}

func (m *Screen) say(s string) string {
	return widget.Fit("\n"+strings.Join(widget.Paragraph(s, m.width-2, 2), "\n"), m.width, m.height)
}

// top is the line of the filter, or of the export's file name.
func (m *Screen) top() string {
	if m.export.open {
		return m.export.view(m.width)
	}
	equal := 0
	for _, r := range m.table.Rows {
		if !r.Differs {
			equal++
		}
	}
	note := fmt.Sprintf("%d of %d rows", len(m.rows), len(m.table.Rows))
	if !m.equal && equal > 0 && len(m.table.Columns) > 1 {
		note += fmt.Sprintf(", %d equal ones hidden", equal)
	}
	return m.filter.View(note+" ", m.width)
}

func (m *Screen) titles() string {
	t := style.Now()
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", m.grid.label+2))
	for i := m.grid.left; i < m.grid.left+m.grid.visible; i++ {
		s := text.Pad(widget.CutName(m.columnLabel(i), m.columnWidth(i)), m.columnWidth(i))
		b.WriteString(strings.Repeat(" ", gap))
		if i == m.grid.col {
			b.WriteString(t.Accent.Render(s))
		} else {
			b.WriteString(t.Head.Render(s))
		}
	}
	return m.more(b.String())
}

// more puts a sign at the ends of the titles where columns lie beyond.
func (m *Screen) more(line string) string {
	_, cols := m.size()
	right := ""
	if rest := cols - m.grid.left - m.grid.visible; rest > 0 {
		right = fmt.Sprintf(" +%d›", rest)
	}
	if m.grid.left > 0 {
		line = text.Pad(fmt.Sprintf("‹%d", m.grid.left), m.grid.label+2) + text.Cut(line, m.grid.label+2, m.width)
	}
	return widget.Ends(text.Truncate(line, m.width-text.Width(right)), style.Now().Faint.Render(right), m.width)
}

func (m *Screen) body() []string {
	rows, _ := m.size()
	if rows == 0 {
		why := "  nothing differs; = shows the equal rows"
		if m.filter.Value() != "" {
			why = "  no row has such a name; esc clears the filter"
		}
		return []string{"", style.Now().Faint.Render(why)}
	}
	var lines []string
	pens := newPens()
	for i := m.grid.top; i < rows && len(lines) < m.bodyHeight(); i++ {
		if h := m.heading(i, m.grid.top); h != "" && len(lines)+1 < m.bodyHeight() {
			lines = append(lines, style.Now().Faint.Render(h))
		}
		lines = append(lines, m.line(i, pens))
	}
	return lines
}

// heading is the section that begins at a row, or at the first row seen.
func (m *Screen) heading(row, first int) string {
	if m.transpose {
		return ""
	}
	s := m.table.Rows[m.rows[row]].Section
	if row > first && m.table.Rows[m.rows[row-1]].Section == s {
		return ""
	}
	return s.String()
}

func (m *Screen) line(row int, pens pens) string {
	t := style.Now()
	var b strings.Builder
	here := row == m.grid.row
	label := text.Pad(text.Truncate(m.rowLabel(row), m.grid.label), m.grid.label)
	if here {
		b.WriteString(t.Accent.Render("▌") + " " + t.Bold.Render(label))
	} else {
		b.WriteString(m.sign(row) + " " + label)
	}
	for i := m.grid.left; i < m.grid.left+m.grid.visible; i++ {
		b.WriteString(strings.Repeat(" ", gap))
		b.WriteString(m.cellShown(row, i).draw(pens, m.columnWidth(i), here && i == m.grid.col))
	}
	return text.Truncate(strings.TrimRight(b.String(), " "), m.width)
}

// sign tells a row in which analyses differ while equal ones are shown too.
func (m *Screen) sign(row int) string {
	if m.equal && !m.transpose && m.table.Rows[m.rows[row]].Differs {
		return style.Now().Warn.Render("≠")
	}
	return " "
}

// shown is a cell as it is drawn: its value, and what stands beside it.
type shown struct {
	value, beside string
	best, missing bool
}

func (s shown) whole() string {
	if s.beside == "" {
		return s.value
	}
	return s.value + " " + s.beside
}

// pens write the cells of one picture.
type pens struct{ here, missing, best, beside style.Pen }

func newPens() pens {
	t := style.Now()
	faint := style.PenOf(t.Faint)
	return pens{here: style.PenOf(t.Accent.Underline(true)), missing: faint, best: style.PenOf(t.Good), beside: faint}
}

func (s shown) draw(pens pens, width int, here bool) string {
	value := text.Truncate(s.value, width)
	room := width - text.Width(value) - 1
	beside := ""
	if room > 2 {
		beside = text.Truncate(s.beside, room)
	}
	out := value
	switch {
	case here:
		out = pens.here.Write(value)
	case s.missing:
		out = pens.missing.Write(value)
	case s.best:
		out = pens.best.Write(value)
	}
	used := text.Width(value)
	if beside != "" {
		out += " " + pens.beside.Write(beside)
		used += 1 + text.Width(beside)
	}
	return out + strings.Repeat(" ", max(width-used, 0))
}

// cellShown is the cell at a place of the screen.
func (m *Screen) cellShown(row, col int) shown {
	if m.transpose {
		row, col = col, row
	}
	r, c := m.rows[row], m.cols[col]
	cell := m.table.Rows[r].Cells[c]
	if cell.Missing {
		return shown{value: "–", missing: true}
	}
	s := shown{value: text.Line(cell.Text)}
	if slices.Contains(m.table.Rows[r].Best, c) {
		s.best = true
		s.value += " ★"
	}
	if d, ok := m.table.Delta(r, c, m.baseline); ok {
		s.beside = d
	} else if cell.Note != "" {
		s.beside = "(" + text.Line(cell.Note) + ")"
	}
	return s
}

func (m *Screen) rowLabel(i int) string {
	if m.transpose {
		return m.analysisLabel(m.cols[i])
	}
	return m.entryLabel(m.rows[i])
}

func (m *Screen) columnLabel(i int) string {
	if m.transpose {
		return m.entryLabel(m.rows[i])
	}
	return m.analysisLabel(m.cols[i])
}

func (m *Screen) analysisLabel(c int) string {
	s := text.Line(m.table.Columns[c].Title)
	if c == m.baseline {
		s = "◆ " + s
	}
	return s
}

func (m *Screen) entryLabel(r int) string {
	row := m.table.Rows[r]
	s := text.Line(row.Label)
	if row.Unit != "" {
		s += " " + text.Line(row.Unit)
	}
	if row.Key == m.sortKey {
		if m.descend {
			s += " ▾"
		} else {
			s += " ▴"
		}
	}
	return s
}

// detail shows the cell under the cursor whole.
func (m *Screen) detail() []string {
	lines := make([]string, detailLines)
	r, okR := m.rowIndex()
	c, okC := m.analysisIndex()
	if !okR || !okC {
		return lines
	}
	t := style.Now()
	row := m.table.Rows[r]
	cell := row.Cells[c]
	value := text.Line(cell.Text)
	if cell.Missing {
		value = "not recorded"
	}
	var beside []string
	if d, ok := m.table.Delta(r, c, m.baseline); ok {
		beside = append(beside, d+" against "+text.Line(m.table.Columns[m.baseline].Title))
	}
	if cell.Note != "" {
		beside = append(beside, text.Line(cell.Note))
	}
	if slices.Contains(row.Best, c) {
		word := "lowest"
		if row.Better == compare.Higher {
			word = "highest"
		}
		beside = append(beside, word+" of all")
	}
	name := text.Line(m.table.Columns[c].Title) + " · " + text.Line(row.Label)
	lines[0] = widget.Ends(" "+t.Faint.Render(text.Truncate(name, m.width-2)), t.Faint.Render(strings.Join(beside, ", ")), m.width)
	lines[1] = " " + text.Truncate(value, m.width-2)
	return lines
}
