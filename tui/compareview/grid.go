package compareview

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
)

// grid is the cursor and what is seen of a table that may be far larger than
// the screen. Rows and columns are those on the screen, whichever way the
// table is turned.
type grid struct {
	row, col  int
	top, left int
	widths    map[int]int // of columns that were seen, by index on the screen
	label     int         // width of the frozen first column
	visible   int         // how many columns fit from left on
}

// Limits of columns in cells. A long value is cut; the line below the table
// shows it whole.
const (
	minColumn = 8
	maxLabel  = 30
	gap       = 2
)

// maxColumn lets at least three analyses stand side by side on a narrow
// terminal, and fewer have all its room.
func (m *Screen) maxColumn() int {
	_, cols := m.size()
	fair := (m.width-m.grid.label-2)/max(cols, 1) - gap
	return max(min(max(m.width/4, fair), 60), 12)
}

// turn swaps rows and columns under the cursor.
func (g *grid) turn() {
	g.row, g.col = g.col, g.row
	g.top, g.left = 0, 0
}

// size is how many rows and columns there are on the screen.
func (m *Screen) size() (rows, cols int) {
	if m.transpose {
		return len(m.cols), len(m.rows)
	}
	return len(m.rows), len(m.cols)
}

// move moves the cursor; it tells whether the key was for it.
func (m *Screen) move(k tea.KeyPressMsg) bool {
	page := max(m.bodyHeight()-2, 1)
	switch {
	case keymap.Is(k, keymap.Up):
		m.grid.row--
	case keymap.Is(k, keymap.Down):
		m.grid.row++
	case keymap.Is(k, left):
		m.grid.col--
	case keymap.Is(k, right):
		m.grid.col++
	case keymap.Is(k, keymap.PageUp):
		m.grid.row -= page
	case keymap.Is(k, keymap.PageDown):
		m.grid.row += page
	case keymap.Is(k, keymap.Home):
		m.grid.row, m.grid.col = 0, 0
	case keymap.Is(k, keymap.End):
		m.grid.row = len(m.rows) + len(m.cols)
	default:
		return false
	}
	m.scroll()
	return true
}

// fit forgets the widths, because other cells are shown, and scrolls.
func (m *Screen) fit() {
	m.grid.widths = map[int]int{}
	m.grid.label = 0
	rows, _ := m.size()
	for i := range rows {
		m.grid.label = max(m.grid.label, text.Width(m.rowLabel(i)))
	}
	m.grid.label = max(min(m.grid.label, maxLabel, m.width/3), minColumn)
	m.scroll()
}

// scroll keeps the cursor inside the table and in sight.
func (m *Screen) scroll() {
	g := &m.grid
	rows, cols := m.size()
	g.row = max(min(g.row, rows-1), 0)
	g.col = max(min(g.col, cols-1), 0)
	// Headings of sections take lines too, so the window is counted in lines.
	body := m.bodyHeight()
	g.top = min(g.top, g.row)
	for g.top < g.row && m.linesBetween(g.top, g.row) > body {
		g.top++
	}
	g.left = min(g.left, g.col)
	for g.left < g.col && !m.fits(g.left, g.col) {
		g.left++
	}
	g.visible = m.countVisible()
}

// fits tells whether the columns from..to fit beside the labels.
func (m *Screen) fits(from, to int) bool {
	w := m.grid.label + 2
	for i := from; i <= to; i++ {
		w += gap + m.columnWidth(i)
		if w > m.width {
			return false
		}
	}
	return true
}

// countVisible is how many columns are drawn; the last may be cut.
func (m *Screen) countVisible() int {
	_, cols := m.size()
	w, n := m.grid.label+2, 0
	for i := m.grid.left; i < cols; i++ {
		w += gap + m.columnWidth(i)
		if w > m.width && n > 0 {
			// Half a column is worth showing when it says anything.
			if m.width-(w-m.columnWidth(i)) < minColumn {
				break
			}
			n++
			break
		}
		n++
	}
	return n
}

// columnWidth is the width of a column on the screen, found once by looking at
// its cells.
func (m *Screen) columnWidth(i int) int {
	if w, ok := m.grid.widths[i]; ok {
		return w
	}
	rows, _ := m.size()
	w := max(minColumn, text.Width(m.columnLabel(i)))
	for r := range rows {
		w = max(w, text.Width(m.cellShown(r, i).whole()))
		if w >= m.maxColumn() {
			break
		}
	}
	w = min(w, m.maxColumn())
	m.grid.widths[i] = w
	return w
}

// linesBetween is how many lines the rows from..to take, headings included.
func (m *Screen) linesBetween(from, to int) int {
	n := to - from + 1
	if m.transpose {
		return n
	}
	for i := from; i <= to; i++ {
		if m.heading(i, from) != "" {
			n++
		}
	}
	return n
}
