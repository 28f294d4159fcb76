package machine

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// line is one line of the screen; about is the live run of ours that it is about.
type line struct {
	text  string
	about place
}

// place is where the cursor may be: at a run, in the queue or in the list of our
// own.
type place struct {
	run    string
	queued bool
}

// page collects lines, as widget.Facts does, with their runs.
type page struct {
	widget.Facts
	places map[int]place // by line
}

func (p *page) about(at place, s string) {
	p.places[len(p.Lines)] = at
	p.Line(s)
}

// wrap says all of a text below something, on as many lines as that takes.
func (p *page) wrap(s string, role lipgloss.Style) {
	for i, l := range text.Wrap(text.Line(s), max(p.Width-4, 8)) {
		indent := "  "
		if i > 0 {
			indent = "    "
		}
		p.Line(indent + role.Render(l))
	}
}

// View draws the screen.
func (m *Screen) View() string {
	if !m.seen {
		return widget.Fit("\n"+style.Now().Faint.Render("  looking at this box"), m.width, m.height)
	}
	m.layout()
	var shown []string
	for _, l := range m.lines[m.top:min(m.top+m.height, len(m.lines))] {
		mark := " "
		if l.about != (place{}) && l.about == m.cursor {
			mark = style.Now().Accent.Render("▌")
		}
		shown = append(shown, mark+l.text)
	}
	return widget.Fit(strings.Join(shown, "\n"), m.width, m.height)
}

// layout makes the lines where they are not made, and keeps place and cursor
// among them.
func (m *Screen) layout() {
	if m.lines == nil {
		p := &page{Facts: widget.Facts{Width: m.width - 2}, places: map[int]place{}}
		m.draw(p)
		for i, s := range p.Lines {
			m.lines = append(m.lines, line{s, p.places[i]})
		}
	}
	m.top = max(min(m.top, len(m.lines)-m.height), 0)
	if m.at() < 0 {
		m.cursor = place{}
		for _, l := range m.lines {
			if l.about != (place{}) {
				m.cursor = l.about
				break
			}
		}
	}
}

func (m *Screen) draw(f *page) {
	t := style.Now()
	f.Title(m.machine.Host)
	m.drawGPUs(f)
	m.drawQueue(f)
	m.drawRuns(f)
	f.Head("this box")
	check(f, m.machine.Apptainer)
	f.Add("cached", text.Bytes(m.machine.Cached)+" of containers")
	for _, c := range m.machine.Disk {
		check(f, c)
	}
	f.Line(t.Faint.Render(text.Truncate("'cytorun doctor' checks the rest and names what mends it", f.Width)))
}

func check(f *page, c app.Check) {
	t := style.Now()
	role := t.Plain
	if !c.OK {
		role = t.Bad
	} else if c.Warn {
		role = t.Warn
	}
	f.AddStyled(c.Name, c.Text, role)
	if c.Next != "" && (!c.OK || c.Warn) {
		f.Add("", "→ "+c.Next)
	}
}

func (m *Screen) drawRuns(f *page) {
	t := style.Now()
	live := m.machine.Live
	if len(live) == 0 {
		f.Head("my analyses here")
		f.Line(t.Faint.Render("nothing runs and nothing waits"))
		return
	}
	f.Head(fmt.Sprintf("my analyses here: %d", len(live)))
	for _, a := range live {
		s := a.State()
		line := t.Tone(s.Tone).Render(text.Pad(style.Sign(s.Tone)+" "+s.Word, 12)) + " " + text.Pad(text.Line(a.Title()), min(28, f.Width/3)) + " "
		room := max(f.Width-text.Width(line), 1)
		what := a.Reason()
		if d := a.Duration(m.now); d > 0 {
			what = "for " + text.Duration(d)
			if p := a.Progress(); p > 0 {
				what += fmt.Sprintf(", %d%%", p)
			}
		}
		f.about(place{run: a.Key()}, line+t.Faint.Render(text.Truncate(text.Line(what), room)))
	}
}

func (m *Screen) drawGPUs(f *page) {
	t := style.Now()
	if len(m.machine.GPUs) == 0 {
		f.Head("GPUs")
		for _, l := range widget.Paragraph(m.machine.NoGPU, f.Width, 0) {
			f.Line(t.Faint.Render(l))
		}
		return
	}
	f.Head(fmt.Sprintf("GPUs: %d", len(m.machine.GPUs)))
	for _, g := range m.machine.GPUs {
		percent := -1
		if g.Total > 0 && g.Used >= 0 {
			percent = int(g.Used * 100 / g.Total)
		}
		load := "?"
		if g.Load >= 0 {
			load = fmt.Sprintf("%d%%", g.Load)
		}
		use := fmt.Sprintf("%s of %s, load %s", text.Memory(g.Used), text.Memory(g.Total), load)
		if g.Free {
			use += ", free"
		}
		name := text.Pad(g.Label+" "+text.Line(g.Name), min(28, f.Width/3))
		f.Line(t.Bold.Render(name) + " " + widget.Progress(percent, 16) + "  " + text.Truncate(use, max(f.Width-text.Width(name)-19, 1)))
		if g.Problem != "" {
			f.wrap(g.Problem, t.Warn)
		}
		for _, l := range g.Leases {
			f.wrap("leased by "+l.String(), t.Plain)
		}
		for _, h := range g.Holders {
			if h.Foreign {
				f.wrap("used without a lease by "+h.Text, t.Warn)
			}
		}
	}
}

// drawQueue shows who of all users has a turn, and who waits for one.
func (m *Screen) drawQueue(f *page) {
	t, box := style.Now(), m.machine
	if box.QueueProblem == "" && len(box.Turns)+len(box.Waiting) == 0 {
		return
	}
	f.Head(fmt.Sprintf("queue: %d of %s taken, %d waiting", len(box.Turns), text.Plural(box.Slots, "turn"), len(box.Waiting)))
	if box.QueueProblem != "" {
		for _, l := range widget.Paragraph(text.Line(box.QueueProblem), f.Width, 0) {
			f.Line(t.Bad.Render(l))
		}
	}
	for _, h := range box.Turns {
		if m.leased(h.Run) {
			continue // told at its GPU
		}
		f.Line(text.Truncate("has a turn: "+text.Line(h.String()), f.Width))
	}
	for i, w := range box.Waiting {
		said := text.Truncate(fmt.Sprintf("%2d. %s", i+1, text.Line(w.String())), f.Width)
		if m.own(w.Run) != nil {
			f.about(place{w.Run, true}, t.Bold.Render(said))
		} else {
			f.Line(said)
		}
		if i == 0 {
			for _, l := range text.Wrap(text.Line(w.Reason), max(f.Width-4, 8)) {
				f.Line(t.Faint.Render("    " + l))
			}
		}
	}
}

// leased tells whether a run has a GPU.
func (m *Screen) leased(run string) bool {
	return slices.ContainsFunc(m.machine.GPUs, func(g app.GPU) bool {
		return slices.ContainsFunc(g.Leases, func(l gpu.Lease) bool { return l.Run == run })
	})
}

// own is a live run of ours.
func (m *Screen) own(run string) *app.Analysis {
	for i := range m.machine.Live {
		if a := &m.machine.Live[i]; a.Key() == run {
			return a
		}
	}
	return nil
}
