package compareview

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client/compare"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sort orders the analyses by the row under the cursor: upwards, then
// downwards, then as they were chosen.
func (m *Screen) sort() {
	r, ok := m.rowIndex()
	if !ok {
		return
	}
	key := m.table.Rows[r].Key
	switch {
	case m.sortKey != key:
		m.sortKey, m.descend = key, false
	case !m.descend:
		m.descend = true
	default:
		m.sortKey, m.descend = "", false
	}
	m.arrange()
}

// order applies the order that sort chose. What is missing comes last.
func (m *Screen) order() {
	i := slices.IndexFunc(m.table.Rows, func(r compare.Row) bool { return r.Key == m.sortKey })
	if m.sortKey == "" || i < 0 {
		return
	}
	cells := m.table.Rows[i].Cells
	slices.SortStableFunc(m.cols, func(a, b int) int {
		x, y := cells[a], cells[b]
		if x.Missing || y.Missing {
			return boolInt(x.Missing) - boolInt(y.Missing)
		}
		n := compareCells(x, y)
		if m.descend {
			n = -n
		}
		return n
	})
}

func compareCells(x, y compare.Cell) int {
	if x.IsNumber && y.IsNumber {
		switch {
		case x.Number < y.Number:
			return -1
		case x.Number > y.Number:
			return 1
		}
		return 0
	}
	if x.IsNumber != y.IsNumber {
		return boolInt(y.IsNumber) - boolInt(x.IsNumber)
	}
	return strings.Compare(x.Text, y.Text)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// toDifference moves the cursor to the next row, or column of a turned table,
// in which analyses differ.
func (m *Screen) toDifference(step int) {
	at := &m.grid.row
	if m.transpose {
		at = &m.grid.col
	}
	for i := *at + step; i >= 0 && i < len(m.rows); i += step {
		if m.table.Rows[m.rows[i]].Differs {
			*at = i
			break
		}
	}
	m.fit()
}
