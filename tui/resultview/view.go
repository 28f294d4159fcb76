package resultview

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// View draws the results.
func (m *Screen) View() string {
	lines := m.facts()
	if m.height < 8 {
		lines = nil
	} else {
		lines = append(lines, m.note())
	}
	top := m.tabs()
	if m.prompt.kind != noPrompt {
		top = m.prompt.view(m.width)
	}
	lines = append(lines, top)
	body := m.table.View()
	if m.preview.shown() && m.split.DetailHeight > 0 {
		body = m.split.Draw(m.table.View(), m.preview.view(m.split.DetailWidth, m.split.DetailHeight))
	}
	return widget.Fit(strings.Join(lines, "\n")+"\n"+body, m.width, m.height)
}

// facts says of one analysis how it ended and what it took.
func (m *Screen) facts() []string {
	if len(m.analyses) != 1 || m.height < 14 {
		return nil
	}
	t := style.Now()
	a := m.analyses[0]
	s := a.State()
	line := " " + t.Tone(s.Tone).Render(style.Sign(s.Tone)+" "+text.Line(s.Word))
	var more []string
	if d := a.Duration(m.session.Env.Now()); d > 0 {
		more = append(more, "took "+text.Duration(d))
	}
	if a.Run != nil {
		if used := app.Used(*a.Run); used != "" {
			more = append(more, used)
		} else if a.Run.Resources.GPUs > 0 {
			more = append(more, text.Plural(a.Run.Resources.GPUs, "GPU"))
		}
	}
	for _, w := range more {
		line += t.Faint.Render(" · " + w)
	}
	if why := a.FirstError(); why != "" {
		line += t.Faint.Render(" · ") + t.Bad.Render(text.Line(why))
	}
	return []string{text.Truncate(line, m.width)}
}

// tabs names the parts, the one that is seen first among equals.
func (m *Screen) tabs() string {
	t := style.Now()
	var names []string
	for p := range parts {
		name := partNames[p]
		if n := m.count(p); n > 0 {
			name += " " + text.Count(n)
		}
		if p == m.part {
			names = append(names, t.Accent.Underline(true).Render(name))
		} else {
			names = append(names, t.Faint.Render(name))
		}
	}
	right := ""
	if m.part == annotations {
		right = byNames[m.by] + " "
	}
	return widget.Ends(" "+strings.Join(names, "   "), t.Faint.Render(right), m.width)
}

// count is how many things there are of a part so far.
func (m *Screen) count(p part) int {
	n := 0
	for i := range m.analyses {
		switch {
		case p == annotations && m.load.drawn[i] != nil:
			n += m.load.drawn[i].drawn.Total.Count
		case p == files && m.load.files[i] != nil:
			n += len(m.load.files[i].files)
		case p == metrics && m.load.metrics[i] != nil:
			n += len(m.load.metrics[i].metrics)
		}
	}
	return n
}

// note says what is still being read, what failed of several, or what is missing.
func (m *Screen) note() string {
	t := style.Now()
	if done := m.load.done(m.part); done < len(m.analyses) && len(m.lines) > 0 {
		return t.Faint.Render(text.Truncate(fmt.Sprintf(" reading, %d of %d", done, len(m.analyses)), m.width))
	}
	if err := m.failed(); err != nil && len(m.lines) > 0 {
		return t.Warn.Render(text.Truncate(" "+text.Line(err.Error()), m.width))
	}
	if m.part == annotations {
		for _, d := range m.load.drawn {
			if d != nil && d.drawn.Unmeasured != "" {
				return t.Faint.Render(text.Truncate(" "+text.Line(d.drawn.Unmeasured), m.width))
			}
		}
	}
	return ""
}
