package analyses

import (
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// The columns of the list.
const (
	columnState = iota
	columnNumber
	columnName
	columnVersion
	columnPerson
	columnStarted
	columnTook
	columnWhere
	columnNote
)

var columns = []widget.Column{
	columnState:   {Title: "state", Min: 12, Max: 15, Weight: 3},
	columnNumber:  {Title: "#", Min: 5, Right: true, Main: true},
	columnName:    {Title: "algorithm", Min: 19, Max: 44, Weight: 4, Main: true},
	columnVersion: {Title: "version", Min: 7, Max: 12, Weight: 1, Drop: 6},
	columnPerson:  {Title: "by", Min: 8, Max: 14, Weight: 1, Drop: 4},
	columnStarted: {Title: "started", Min: 10},
	columnTook:    {Title: "took", Min: 6, Right: true, Drop: 1},
	columnWhere:   {Title: "where", Min: 6, Max: 18, Weight: 1, Drop: 5},
	columnNote:    {Title: "", Min: 14, Weight: 4, Drop: 2},
}

func (m *Screen) cell(i, column int) widget.Cell {
	t := style.Now()
	l := m.view.lines[i]
	if l.row == nil {
		return m.groupCell(l.group, column)
	}
	a := l.row.Analysis
	switch column {
	case columnState:
		s := a.State()
		role := t.Tone(s.Tone)
		return widget.Cell{Text: style.Sign(s.Tone) + " " + s.Word, Style: &role}
	case columnNumber:
		return widget.Cell{Text: number(a)}
	case columnName:
		name, _ := a.NameAndVersion()
		if a.Run != nil && a.Run.Image.Name != "" {
			name += " · " + a.Run.Image.Name
		}
		if l.group != nil && l.group.labels[l.row.ID] != "" {
			name = l.group.labels[l.row.ID]
		}
		if l.row.Mark.Starred() {
			name = "★ " + name
		}
		if l.group != nil {
			name = "  " + name
		}
		return widget.Cell{Text: name}
	case columnVersion:
		_, version := a.NameAndVersion()
		return widget.Cell{Text: version, Style: &t.Faint}
	case columnPerson:
		return widget.Cell{Text: a.Person(), Style: &t.Faint}
	case columnStarted:
		return widget.Cell{Text: text.Ago(started(a), m.now), Style: &t.Faint}
	case columnTook:
		if d := a.Duration(m.now); d > 0 {
			return widget.Cell{Text: text.Duration(d)}
		}
		return widget.Cell{}
	case columnWhere:
		return widget.Cell{Draw: func(width int) string { return t.Faint.Render(where(m.session.Where(a), width)) }}
	}
	return m.note(l.row)
}

// groupCell is a cell of the head of a group.
func (m *Screen) groupCell(g *group, column int) widget.Cell {
	t := style.Now()
	switch column {
	case columnState:
		s := g.state()
		role := t.Tone(s.Tone)
		return widget.Cell{Text: style.Sign(s.Tone) + " " + s.Word, Style: &role}
	case columnNumber:
		if g.open {
			return widget.Cell{Text: "▾"}
		}
		return widget.Cell{Text: "▸"}
	case columnName:
		return widget.Cell{Draw: func(width int) string { return widget.CutName(text.Line(g.name()), width) }}
	case columnStarted:
		return widget.Cell{Text: text.Ago(g.newest().Record.Created, m.now), Style: &t.Faint}
	case columnPerson:
		return widget.Cell{Text: g.rows[0].Person(), Style: &t.Faint}
	case columnNote:
		if p := g.progress(); p < 100 {
			return widget.Cell{Draw: func(width int) string {
				bar := widget.Progress(p, min(width, 24))
				if room := width - text.Width(bar) - 2; room > 12 {
					bar += t.Faint.Render("  " + text.Truncate(g.counts(), room))
				}
				return bar
			}}
		}
		return widget.Cell{Text: g.counts(), Style: &t.Faint}
	}
	return widget.Cell{}
}

// number tells analyses of one algorithm apart: the server's number, or the end
// of the run's id while it has none.
func number(a app.Analysis) string {
	if n := a.Number(); n > 0 {
		return "#" + strconv.Itoa(n)
	}
	key := a.Key()
	return key[max(len(key)-4, 0):]
}

// where leaves out what does not fit of "here, no container"; the detail has it.
func where(s string, width int) string {
	s = text.Line(s)
	if short, _, ok := strings.Cut(s, ","); ok && text.Width(s) > width {
		s = short
	}
	return text.Truncate(s, width)
}

// note is the most useful thing to say of an analysis in its state: how far it
// is, what it waits for, why it failed, or what it wrote; then what a person noted.
func (m *Screen) note(r *app.Row) widget.Cell {
	t := style.Now()
	a, s := r.Analysis, r.State()
	beside := r.Mark.Note
	for _, tag := range r.Mark.Tags {
		beside = strings.TrimSpace("#" + tag + " " + beside)
	}
	said := func(why string) widget.Cell {
		if beside != "" && why != "" {
			why = beside + " · " + why
		} else if beside != "" {
			why = beside
		}
		return widget.Cell{Text: why, Style: &t.Faint}
	}
	if quiet := a.Stuck(m.now); quiet > 0 {
		return widget.Cell{Text: stuck(a, quiet), Style: &t.Warn}
	}
	if s.Live {
		if p := a.Progress(); p > 0 {
			return widget.Cell{Draw: func(width int) string { return widget.Progress(p, min(width, 24)) }}
		}
		return said(a.Reason())
	}
	if s.Tone == app.Bad || s.Tone == app.Warn {
		why := a.FirstError()
		if why == "" {
			why = a.Reason()
		}
		return said(why)
	}
	if a.Job != nil && a.Job.DataDeleted {
		return said("results deleted")
	}
	if n := r.Record.Annotations; n > 0 {
		return said(text.Plural(n, "annotation"))
	}
	return said("")
}

// stuck says for how long nothing was heard of a job that has not ended.
func stuck(a app.Analysis, quiet time.Duration) string {
	since := strings.TrimSuffix(text.Ago(time.Time{}.Add(time.Hour), time.Time{}.Add(time.Hour+quiet)), " ago")
	if a.Job.Status == client.Indeterminate {
		return "end unknown for " + since
	}
	return "no news for " + since
}
