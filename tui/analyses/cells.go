package analyses

import (
	"strconv"
	"strings"

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
	columnState:   {Title: "state", Min: 12},
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
	a := m.list.at(i)
	switch column {
	case columnState:
		s := a.State()
		role := t.Tone(s.Tone)
		return widget.Cell{Text: style.Sign(s.Tone) + " " + s.Word, Style: &role}
	case columnNumber:
		return widget.Cell{Text: number(a)}
	case columnName:
		name, _ := nameAndVersion(a)
		return widget.Cell{Text: name}
	case columnVersion:
		_, version := nameAndVersion(a)
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
		return widget.Cell{Draw: func(width int) string { return t.Faint.Render(where(a, width)) }}
	}
	return note(a)
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
func where(a app.Analysis, width int) string {
	s := text.Line(a.Where())
	if short, _, ok := strings.Cut(s, ","); ok && text.Width(s) > width {
		s = short
	}
	return text.Truncate(s, width)
}

// nameAndVersion parts what a job knows only as "name (version)".
func nameAndVersion(a app.Analysis) (name, version string) {
	if a.Run != nil {
		return a.Run.Algorithm.Name, a.Run.Algorithm.Version
	}
	full := a.Name()
	if i := strings.LastIndex(full, " ("); i > 0 && strings.HasSuffix(full, ")") {
		return full[:i], full[i+2 : len(full)-1]
	}
	return full, ""
}

// note is the most useful thing to say of an analysis in its state: how far it
// is, what it waits for, why it failed, or what it wrote.
func note(a app.Analysis) widget.Cell {
	t := style.Now()
	s := a.State()
	if s.Live {
		if p := a.Progress(); p > 0 {
			return widget.Cell{Draw: func(width int) string { return widget.Progress(p, min(width, 24)) }}
		}
		return widget.Cell{Text: a.Reason(), Style: &t.Faint}
	}
	if s.Tone == app.Bad || s.Tone == app.Warn {
		why := a.FirstError()
		if why == "" {
			why = a.Reason()
		}
		return widget.Cell{Text: why, Style: &t.Faint}
	}
	if a.Run != nil && a.Run.Result != nil && a.Run.Result.Annotations > 0 {
		return widget.Cell{Text: text.Plural(a.Run.Result.Annotations, "annotation"), Style: &t.Faint}
	}
	return widget.Cell{}
}
