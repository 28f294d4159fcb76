package resultview

import (
	"fmt"
	"strconv"

	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// line is one line of the table: its cells, and the file that it stands for.
type line struct {
	key   string
	cells []string
	file  *app.ResultFile
	at    int // of the analysis
}

// arrange makes the lines of the part that is seen.
func (m *Screen) arrange() {
	m.lines = nil
	several := len(m.analyses) > 1
	var columns []widget.Column
	if several {
		columns = append(columns, widget.Column{Title: "analysis", Min: 10, Max: 30, Weight: 1, Main: true})
	}
	add := func(at int, key string, file *app.ResultFile, cells ...string) {
		if several {
			cells = append([]string{m.analyses[at].Title()}, cells...)
		}
		m.lines = append(m.lines, line{fmt.Sprint(at, "/", key), cells, file, at})
	}
	switch m.part {
	case annotations:
		columns = append(columns, m.drawnColumns()...)
		for i, d := range m.load.drawn {
			if d != nil && d.err == nil {
				for j, g := range d.drawn.By(m.by.image(), m.by.term()) {
					if g.Count > 0 {
						add(i, strconv.Itoa(j), nil, m.drawnCells(g)...)
					}
				}
			}
		}
	case files:
		columns = append(columns, widget.Column{Title: "file", Min: 16, Weight: 2, Main: true}, widget.Column{Title: "size", Min: 9, Right: true},
			widget.Column{Title: "key", Min: 6, Max: 20, Weight: 1, Drop: 2}, widget.Column{Title: "sha256", Min: 14, Max: 64, Weight: 1, Drop: 1})
		for i, f := range m.load.files {
			if f != nil {
				for j := range f.files {
					x := &f.files[j]
					size := "uploading"
					if x.Size >= 0 {
						size = text.Bytes(x.Size)
					}
					add(i, strconv.Itoa(j), x, x.Name, size, x.Key, x.SHA256)
				}
			}
		}
	case metrics:
		columns = append(columns, widget.Column{Title: "metric", Min: 10, Weight: 2, Main: true}, widget.Column{Title: "mean", Min: 9, Right: true},
			widget.Column{Title: "least", Min: 9, Right: true}, widget.Column{Title: "most", Min: 9, Right: true},
			widget.Column{Title: "images", Min: 6, Right: true, Drop: 2}, widget.Column{Title: "", Min: 14, Drop: 1})
		for i, r := range m.load.metrics {
			if r != nil {
				for j, x := range r.metrics {
					add(i, strconv.Itoa(j), nil, metricName(x), number(x.Mean), number(x.Min), number(x.Max), text.Count(x.Images), direction(x.Better))
				}
			}
		}
	}
	m.table.Columns = columns
	m.table.Empty = m.empty()
	m.resize()
	m.table.SetRows(len(m.lines))
}

func (m *Screen) drawnColumns() []widget.Column {
	var c []widget.Column
	if m.by.image() {
		c = append(c, widget.Column{Title: "image", Min: 12, Weight: 2, Main: true})
	}
	if m.by.term() {
		c = append(c, widget.Column{Title: "term", Min: 10, Weight: 1, Main: true})
	}
	if m.by == byNothing {
		c = append(c, widget.Column{Title: "", Min: 8, Weight: 1})
	}
	return append(c, widget.Column{Title: "count", Min: 7, Right: true}, widget.Column{Title: "area", Min: 13, Right: true, Drop: 1},
		widget.Column{Title: "in pixels", Min: 13, Right: true, Drop: 3}, widget.Column{Title: "mean score", Min: 10, Right: true, Drop: 2},
		widget.Column{Title: "reviewed", Min: 8, Right: true, Drop: 4})
}

func (m *Screen) drawnCells(g app.DrawnGroup) []string {
	var c []string
	if m.by.image() {
		name := g.ImageName
		if name == "" {
			name = fmt.Sprintf("image %d", g.Image)
		}
		c = append(c, name)
	}
	if m.by.term() {
		name := g.TermName
		if name == "" {
			name = "no term"
		}
		c = append(c, name)
	}
	if m.by == byNothing {
		c = append(c, "all")
	}
	pixels, score, reviewed := "", "", ""
	if g.Pixels > 0 {
		pixels = fmt.Sprintf("%.4g px²", g.Pixels)
	}
	if g.Scored > 0 {
		score = fmt.Sprintf("%.3f", g.Score)
	}
	if g.Reviewed > 0 {
		reviewed = text.Count(g.Reviewed)
	}
	return append(c, text.Count(g.Count), g.AreaText(), pixels, score, reviewed)
}

func metricName(m app.MetricSum) string {
	if m.Title != "" && m.Title != m.Name {
		return m.Name + ", " + m.Title
	}
	return m.Name
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }

func direction(b compare.Better) string {
	switch b {
	case compare.Higher:
		return "more is better"
	case compare.Lower:
		return "less is better"
	}
	return ""
}

func (m *Screen) cell(i, column int) widget.Cell {
	c := widget.Cell{Text: m.lines[i].cells[column]}
	if column == 0 && len(m.analyses) > 1 {
		// The number at the end of its name tells an analysis from the others.
		c.Draw = func(width int) string { return text.Pad(widget.CutName(text.Line(c.Text), width), width) }
	}
	if m.table.Columns[column].Drop > 0 {
		var faint lipgloss.Style = style.Now().Faint
		c.Style = &faint
	}
	return c
}

// empty says why there is nothing, or not yet.
func (m *Screen) empty() string {
	n := len(m.analyses)
	if m.load.done(m.part) < n {
		s := "reading the " + partNames[m.part]
		if seen := m.load.seen.Load(); m.part == annotations && seen > 0 {
			s += ", " + text.Count(int(seen)) + " so far"
		}
		return s
	}
	if err := m.failed(); err != nil {
		return err.Error() + "\n\nctrl+r tries again"
	}
	switch m.part {
	case annotations:
		return "No annotation: the layer of this analysis is empty."
	case files:
		return "No result file."
	}
	return "No metric was measured."
}

// failed is the first error of the part that is seen.
func (m *Screen) failed() error {
	for i := range m.analyses {
		switch {
		case m.part == annotations && m.load.drawn[i] != nil && m.load.drawn[i].err != nil:
			return m.load.drawn[i].err
		case m.part == files && m.load.files[i] != nil && m.load.files[i].err != nil:
			return m.load.files[i].err
		case m.part == metrics && m.load.metrics[i] != nil && m.load.metrics[i].err != nil:
			return m.load.metrics[i].err
		}
	}
	return nil
}
