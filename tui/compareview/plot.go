package compareview

import (
	"fmt"
	"slices"
	"sort"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// plotter draws one row against another, such as a result against a parameter of a
// sweep, in place of the table.
type plotter struct {
	on   bool
	x, y int // rows of the table
}

var (
	plotKey  = keymap.Bind("p", "plot", "p")
	plotX    = keymap.Bind("x", "other parameter", "x", "right")
	plotY    = keymap.Bind("y", "other result", "y", "down")
	plotBack = keymap.Bind("Y", "result before", "Y", "up")
	plotEnd  = keymap.Bind("p", "back to the table", "p", "esc")
)

// startPlot draws the row under the cursor, as far as it says which it is: a
// parameter goes across, anything else with numbers up.
func (m *Screen) startPlot() tea.Cmd {
	xs, ys := m.plotRows()
	if len(xs) == 0 || len(ys) == 0 {
		return nav.Say("nothing to plot: it takes a parameter with several values, and a result that is a number")
	}
	m.plot = plotter{on: true, x: xs[0], y: ys[0]}
	if r, ok := m.rowIndex(); ok {
		if slices.Contains(xs, r) {
			m.plot.x = r
		}
		// The first row is where the cursor stands before anybody moved it.
		if slices.Contains(ys, r) && (m.grid.row > 0 || m.table.Rows[r].Section == compare.Results) {
			m.plot.y = r
		}
	}
	return nil
}

func (m *Screen) plotRows() (xs, ys []int) { return PlotRows(m.table) }

// PlotRows are the rows of a table that can go across in a plot, and those that can go
// up, results first.
func PlotRows(t compare.Table) (xs, ys []int) {
	for i, r := range t.Rows {
		numbers := 0
		for _, c := range r.Cells {
			if c.IsNumber {
				numbers++
			}
		}
		switch {
		case r.Section == compare.Parameters && r.Differs:
			xs = append(xs, i)
		case r.Section != compare.Parameters && numbers > 1:
			ys = append(ys, i)
		}
	}
	// Results before facts: they are what a sweep is for.
	sort.SliceStable(ys, func(a, b int) bool {
		return t.Rows[ys[a]].Section > t.Rows[ys[b]].Section
	})
	return xs, ys
}

func (m *Screen) plotKeys(k tea.KeyPressMsg) {
	xs, ys := m.plotRows()
	next := func(rows []int, at, step int) int {
		if len(rows) == 0 {
			return at
		}
		i := slices.Index(rows, at) + step
		return rows[(i+len(rows))%len(rows)]
	}
	switch {
	case keymap.Is(k, plotEnd):
		m.plot.on = false
	case keymap.Is(k, plotX):
		m.plot.x = next(xs, m.plot.x, 1)
	case keymap.Is(k, plotY):
		m.plot.y = next(ys, m.plot.y, 1)
	case keymap.Is(k, plotBack):
		m.plot.y = next(ys, m.plot.y, -1)
	}
}

// drawPlot draws it in the area.
func (m *Screen) drawPlot() []string {
	return Plot(m.table, m.cols, m.plot.x, m.plot.y).Draw(m.width, m.height)
}

// Plot puts row y of a table over row x, for some of its columns. Values that are no
// numbers stand beside each other as they come.
func Plot(t compare.Table, columns []int, rowX, rowY int) widget.Plot {
	x, y := t.Rows[rowX], t.Rows[rowY]
	p := widget.Plot{
		Title:  fmt.Sprintf(" %s against %s, %d analyses", text.Line(y.Label), text.Line(x.Label), len(columns)),
		XLabel: label(x), YLabel: label(y),
	}
	numbers := true
	for _, c := range columns {
		if cell := x.Cells[c]; !cell.Missing && !cell.IsNumber {
			numbers = false
		}
	}
	for _, c := range columns {
		up, across := y.Cells[c], x.Cells[c]
		if !up.IsNumber || across.Missing {
			continue
		}
		at := across.Number
		if !numbers {
			i := slices.Index(p.Names, across.Text)
			if i < 0 {
				i = len(p.Names)
				p.Names = append(p.Names, across.Text)
			}
			at = float64(i)
		}
		p.X, p.Y = append(p.X, at), append(p.Y, up.Number)
	}
	return p
}

func label(r compare.Row) string {
	s := text.Line(r.Label)
	switch {
	case r.Unit != "":
		s += " in " + text.Line(r.Unit)
	case r.Quantity == compare.Seconds:
		s += " in s"
	case r.Quantity == compare.Bytes, r.Quantity == compare.Memory:
		s += " in bytes"
	}
	return s
}
