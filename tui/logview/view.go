package logview

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// View draws the log.
func (m *Screen) View() string {
	if m.plot.on && m.log != nil {
		return widget.Fit(m.status()+"\n"+m.plot.view(m.width, m.bodyHeight()), m.width, m.height)
	}
	lines := strings.Split(m.status()+"\n"+m.body(), "\n")
	if below := m.below(); below != "" {
		lines[len(lines)-1] = below
	}
	return widget.Fit(strings.Join(lines, "\n"), m.width, m.height)
}

// status is the line above the log: how the analysis does, and where in the
// log the screen is.
func (m *Screen) status() string {
	t := style.Now()
	state := m.analysis.State()
	left := " " + t.Tone(state.Tone).Render(style.Sign(state.Tone)+" "+text.Line(state.Word))
	if p := m.analysis.Progress(); state.Live && p >= 0 {
		left += fmt.Sprintf(" %d%%", p)
	}
	if d := m.analysis.Duration(m.session.Env.Now()); d > 0 {
		left += t.Faint.Render(" · " + text.Duration(d))
	}
	if m.log == nil {
		return text.Truncate(left, m.width)
	}
	var right []string
	if _, total, _ := m.log.Errors(); total > 0 {
		right = append(right, t.Bad.Render(text.Plural(total, "error")))
	}
	if m.view.Filter != nil {
		right = append(right, "only "+text.Truncate(text.Line(m.find.filterText), 20))
	}
	right = append(right, m.position())
	switch {
	case m.follow && state.Live:
		right = append(right, t.Busy.Render("following"))
	case m.follow:
		right = append(right, "end")
	case m.atEnd:
		right = append(right, "end")
	default:
		right = append(right, "paused")
	}
	return widget.Ends(text.Truncate(left, m.width), strings.Join(right, t.Faint.Render(" · "))+" ", m.width)
}

// position says where the last line of the screen is, in lines as soon as they
// are counted, else in percent.
func (m *Screen) position() string {
	size := m.log.Size()
	count, complete := m.log.Count()
	if len(m.lines) == 0 {
		return text.Bytes(size)
	}
	last := m.lines[min(len(m.lines), m.bodyHeight())-1]
	if n, ok := m.log.Number(last.Offset); ok && complete {
		return fmt.Sprintf("line %s of %s", text.Count(int(n)), text.Count(int(count)))
	}
	percent := int64(100)
	if size > 0 {
		percent = 100 * last.End / size
	}
	return fmt.Sprintf("%d%% of %s", percent, text.Bytes(size))
}

func (m *Screen) body() string {
	height := m.bodyHeight()
	switch {
	case m.missing && m.analysis.State().Live:
		s := "The program has not started yet: " + m.analysis.State().Word + "."
		if r := m.analysis.Reason(); r != "" {
			s += "\n" + r
		}
		return m.say(s, height)
	case m.err != nil:
		return m.say(m.err.Error(), height)
	case m.log == nil:
		return m.say("opening the log", height)
	case len(m.lines) == 0 && m.view.Filter != nil && m.reading == 0:
		return m.say("no line matches; & and enter with nothing typed shows all", height)
	case len(m.lines) == 0:
		return m.say("the log is empty so far", height)
	}
	errs, _, _ := m.log.Errors()
	rows := make([]string, 0, height)
	for _, l := range m.lines {
		if len(rows) >= height && !m.bottom() {
			break
		}
		if l.Gap && len(rows) > 0 {
			rows = append(rows, style.Now().Faint.Render("  ⋯"))
		}
		rows = append(rows, m.rows(l, errs)...)
	}
	// Wrapped lines and bars of several rows make more rows than lines; at the
	// end of the log the last ones are the ones to see.
	if len(rows) > height {
		if m.bottom() {
			rows = rows[len(rows)-height:]
		} else {
			rows = rows[:height]
		}
	}
	return widget.Fit(strings.Join(rows, "\n"), m.width, height)
}

// bottom tells that the end of the log is what the screen shows.
func (m *Screen) bottom() bool { return m.follow && m.atEnd }

func (m *Screen) say(s string, height int) string {
	return widget.Fit("\n"+strings.Join(widget.Paragraph(s, m.width-2, 2), "\n"), m.width, height)
}

// rows draws one line of the log.
func (m *Screen) rows(l logfile.Line, errs []logfile.Error) []string {
	t := style.Now()
	gutter := " "
	if inError(errs, l.Offset) {
		gutter = t.Bad.Render("▎")
	}
	if m.find.at >= l.Offset && m.find.at < l.End {
		gutter = t.Accent.Render("▌")
	}
	if m.numbers {
		n := ""
		if v, ok := m.log.Number(l.Offset); ok {
			n = fmt.Sprint(v)
		}
		gutter += t.Faint.Render(text.PadLeft(n, 8)) + " "
	}
	if m.stamps {
		at := "        "
		if when, ok := m.log.Time(l.Offset); ok {
			at = when.Local().Format("15:04:05")
		}
		gutter += t.Faint.Render(at) + " "
	}
	width := max(m.width-text.Width(gutter), 8)
	var out []string
	for i, row := range l.Rows {
		row = app.RedactLine(row)
		if i == len(l.Rows)-1 && l.States > 1 {
			row += t.Faint.Render(fmt.Sprintf("  (%s states)", text.Count(l.States)))
		}
		row = m.highlight(row, l)
		if !m.wrap {
			out = append(out, gutter+cut(row, m.pan, width))
			continue
		}
		for j, part := range wrap(row, width) {
			g := gutter
			if j > 0 {
				g = strings.Repeat(" ", text.Width(gutter))
			}
			out = append(out, g+part)
		}
	}
	return out
}

// highlight paints what the search found. A row with a match loses its own
// colours, which would end where the paint begins.
func (m *Screen) highlight(row string, _ logfile.Line) string {
	if m.find.pattern == nil {
		return row
	}
	plain := text.Strip(row)
	spans := m.find.pattern.Spans(plain)
	if len(spans) == 0 {
		return row
	}
	t := style.Now()
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(plain[at:s[0]])
		b.WriteString(t.Match.Underline(true).Render(plain[s[0]:s[1]]))
		at = s[1]
	}
	b.WriteString(plain[at:])
	return b.String()
}

// cut is the part of a row that is seen, with signs where it goes on.
func cut(row string, pan, width int) string {
	total := text.Width(row)
	if pan == 0 && total <= width {
		return row
	}
	part := text.Cut(row, pan, pan+width)
	if pan+width < total {
		part = text.Cut(row, pan, pan+width-1) + style.Now().Faint.Render("›")
	}
	return part
}

// wrap breaks a row at the width of the screen.
func wrap(row string, width int) []string {
	total := text.Width(row)
	if total <= width {
		return []string{row}
	}
	var out []string
	for at := 0; at < total; at += width {
		out = append(out, text.Cut(row, at, at+width))
	}
	return out
}

// below takes the place of the last line while something is typed or searched.
func (m *Screen) below() string {
	t := style.Now()
	switch {
	case m.prompt.kind != noPrompt:
		return text.Truncate(t.Accent.Render(" "+m.prompt.label())+m.prompt.input.View(), m.width)
	case m.find.busy():
		return t.Busy.Render(fmt.Sprintf(" searching, %d%%", m.find.done.Load()))
	}
	return ""
}

// plainPage is the text on the screen, for copying.
func (m *Screen) plainPage() string {
	var b strings.Builder
	for _, l := range m.lines[:min(len(m.lines), m.bodyHeight())] {
		for _, row := range l.Rows {
			b.WriteString(app.RedactLine(text.Strip(row)) + "\n")
		}
	}
	return b.String()
}
