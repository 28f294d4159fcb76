package widget

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/style"
)

// Cell is what stands in one row and column.
type Cell struct {
	Text  string          // untrusted
	Style *lipgloss.Style // nil is plain
	// Draw draws the cell itself instead, in exactly width cells.
	Draw func(width int) string
}

// Table is a list of rows in columns that draws only the rows that are seen,
// so that 100,000 feel like ten. It asks for cells when it needs them and keeps
// nothing but the cursor and the marks, both by key: they stay where they are
// when rows come and go.
type Table struct {
	Columns []Column
	// Cell gives a cell of a row that is seen.
	Cell func(row, column int) Cell
	// Key identifies a row for as long as it exists.
	Key func(row int) string
	// Marks lets space mark rows.
	Marks bool
	// Marked, if not nil, tells of a row that stands for others whether it shows as
	// marked though it has no mark itself.
	Marked func(row int) bool
	// Empty is said instead of rows; lines of it may be untrusted.
	Empty string

	n, cursor, top int
	width, height  int
	marked         map[string]bool
	at             string // key of the row under the cursor
	late           string // key of a row to go to when it comes
	widths         []int  // per column, 0 where it is dropped
	view           string
	drawn          bool
}

// SetSize gives the area, the line of titles included.
func (t *Table) SetSize(width, height int) {
	t.width, t.height = max(width, 1), max(height, 1)
	t.widths = layout(t.Columns, t.width-t.gutter())
	t.scroll()
	t.drawn = false
}

// SetRows tells how many rows there are now. The cursor stays with its row; a
// row that is gone leaves it at its place.
func (t *Table) SetRows(n int) {
	t.n = n
	if t.late != "" {
		t.GoToKey(t.late)
	}
	if t.at != "" && (t.cursor >= n || t.Key(t.cursor) != t.at) {
		for i := range n {
			if t.Key(i) == t.at {
				t.top += i - t.cursor
				t.cursor = i
				break
			}
		}
	}
	t.move(t.cursor)
	t.drawn = false
}

// Touch tells that cells changed.
func (t *Table) Touch() { t.drawn = false }

// Len is the number of rows.
func (t *Table) Len() int { return t.n }

// Cursor is the row under the cursor, -1 when there is none.
func (t *Table) Cursor() int {
	if t.n == 0 {
		return -1
	}
	return t.cursor
}

// Seen are the rows that are drawn: from the first up to, not including, the end.
func (t *Table) Seen() (first, end int) { return t.top, min(t.top+t.rows(), t.n) }

// GoTo moves the cursor to a row.
func (t *Table) GoTo(row int) { t.move(row) }

// GoToKey moves the cursor to the row with a key. To one that is not there yet
// it goes when it comes with SetRows, unless somebody has moved it meanwhile.
func (t *Table) GoToKey(k string) {
	t.late = k
	for i := range t.n {
		if t.Key(i) == k {
			t.late = ""
			t.move(i)
			return
		}
	}
}

// MarkedCount is how many rows are marked, also those a filter hides now.
func (t *Table) MarkedCount() int { return len(t.marked) }

// IsMarked tells whether the row with this key is marked.
func (t *Table) IsMarked(key string) bool { return t.marked[key] }

// SetMark marks a row by its key, or takes its mark away, wherever it is.
func (t *Table) SetMark(key string, on bool) {
	if t.marked == nil {
		t.marked = map[string]bool{}
	}
	if on {
		t.marked[key] = true
	} else {
		delete(t.marked, key)
	}
	t.drawn = false
}

// ClearMarks takes every mark away.
func (t *Table) ClearMarks() { t.marked, t.drawn = nil, false }

func (t *Table) move(to int) {
	t.cursor = max(min(to, t.n-1), 0)
	if t.n > 0 {
		t.at = t.Key(t.cursor)
	}
	t.scroll()
	t.drawn = false
}

// gutter is the cells before the columns: the cursor's marker, and the mark.
func (t *Table) gutter() int {
	if t.Marks {
		return 3
	}
	return 2
}

// rows is how many rows are seen at once.
func (t *Table) rows() int { return max(t.height-1, 1) }

// scroll keeps the cursor in sight and the area filled.
func (t *Table) scroll() {
	rows := t.rows()
	t.top = min(t.top, t.cursor)
	t.top = max(t.top, t.cursor-rows+1)
	t.top = max(min(t.top, t.n-rows), 0)
}

// Update moves the cursor or marks a row; it tells whether the key was for it.
func (t *Table) Update(k tea.KeyPressMsg) bool {
	page := max(t.rows()-1, 1)
	switch {
	case keymap.Is(k, keymap.Up):
		t.move(t.cursor - 1)
	case keymap.Is(k, keymap.Down):
		t.move(t.cursor + 1)
	case keymap.Is(k, keymap.PageUp):
		t.move(t.cursor - page)
	case keymap.Is(k, keymap.PageDown):
		t.move(t.cursor + page)
	case keymap.Is(k, keymap.Home):
		t.move(0)
	case keymap.Is(k, keymap.End):
		t.move(t.n - 1)
	case t.Marks && keymap.Is(k, keymap.Mark):
		t.mark()
	default:
		return false
	}
	t.late = ""
	return true
}

// mark turns the mark of the row under the cursor and goes on to the next.
func (t *Table) mark() {
	if t.n == 0 {
		return
	}
	k := t.Key(t.cursor)
	if t.marked[k] {
		delete(t.marked, k)
	} else {
		if t.marked == nil {
			t.marked = map[string]bool{}
		}
		t.marked[k] = true
	}
	t.move(t.cursor + 1)
}

// Help lists the keys that move, for the full help.
func (t *Table) Help() []key.Binding {
	return []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End}
}

// View draws the titles and the rows that are seen.
func (t *Table) View() string {
	if t.drawn {
		return t.view
	}
	th := style.Now()
	lines := make([]string, 0, t.height)
	if t.n == 0 {
		for _, l := range Paragraph(t.Empty, t.width-1, 2) {
			lines = append(lines, th.Faint.Render(l))
		}
		t.view = Fit("\n"+strings.Join(lines, "\n"), t.width, t.height)
	} else {
		if t.height > 1 {
			lines = append(lines, t.titles(th))
		}
		for i := t.top; i < min(t.top+t.rows(), t.n); i++ {
			lines = append(lines, t.row(th, i))
		}
		for len(lines) < t.height {
			lines = append(lines, "")
		}
		t.view = strings.Join(lines, "\n")
	}
	t.drawn = true
	return t.view
}

func (t *Table) titles(th *style.Theme) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", t.gutter()))
	for i, c := range t.Columns {
		if w := t.widths[i]; w > 0 {
			b.WriteString(align(c.Title, w, c.Right))
			b.WriteString(gap)
		}
	}
	return th.Faint.Render(text.Truncate(strings.TrimRight(b.String(), " "), t.width))
}

func (t *Table) row(th *style.Theme, i int) string {
	var b strings.Builder
	here := i == t.cursor
	if here {
		b.WriteString(th.Accent.Render("▌"))
	} else {
		b.WriteByte(' ')
	}
	blanks := 1 // blanks owed, so that none stand at the end of a row
	if t.Marks && (t.marked[t.Key(i)] || t.Marked != nil && t.Marked(i)) {
		b.WriteString(th.Mark.Render("✚"))
	} else if t.Marks {
		blanks++
	}
	for c, col := range t.Columns {
		w := t.widths[c]
		if w == 0 {
			continue
		}
		cell := t.Cell(i, c)
		s := ""
		if cell.Draw != nil {
			s = cell.Draw(w)
		} else {
			s = text.Truncate(text.Line(cell.Text), w)
		}
		used := text.Width(s)
		if col.Right {
			blanks += w - used
		}
		if s != "" {
			b.WriteString(strings.Repeat(" ", blanks))
			blanks = 0
			b.WriteString(paint(th, cell, s, here && col.Main))
		}
		if !col.Right {
			blanks += w - used
		}
		blanks += len(gap)
	}
	return b.String()
}

func paint(th *style.Theme, cell Cell, s string, bold bool) string {
	switch {
	case cell.Draw != nil:
		return s
	case cell.Style == nil && bold:
		return th.Bold.Render(s)
	case cell.Style == nil:
		return s
	case bold:
		return cell.Style.Bold(true).Render(s)
	}
	return cell.Style.Render(s)
}
