// Package machine is the screen of this box: what runs and waits here, its
// GPUs and who holds them, its disks and its Apptainer.
package machine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// The box is looked at this often while the screen is seen: the driver's own
// tool takes a while to answer.
const (
	lookEvery = 3 * time.Second
	lookFor   = 20 * time.Second
)

// Screen shows one box.
type Screen struct {
	session *app.Session
	machine app.Machine
	seen    bool
	looking nav.Gen
	due     time.Time
	now     time.Time

	top           int
	lines         []string
	width, height int
}

// New makes the screen; it looks when it is seen for the first time.
func New(s *app.Session) *Screen { return &Screen{session: s, now: s.Env.Now()} }

// looked answers look.
type looked struct {
	gen     nav.Gen
	machine app.Machine
	at      time.Time
}

// Init does nothing: who never opens this screen pays nothing for it.
func (m *Screen) Init() tea.Cmd { return nil }

func (m *Screen) look(now time.Time) tea.Cmd {
	gen, env := nav.NewGen(), m.session.Env
	m.looking = gen
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), lookFor)
		defer cancel()
		return looked{gen, env.Machine(ctx), now}
	}
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.Connected:
		m.session = msg.Session
	case nav.Tick:
		m.now = msg.Now
		m.lines = nil
		if m.looking == 0 && !msg.Now.Before(m.due) {
			return m.look(msg.Now)
		}
	case looked:
		if msg.gen == m.looking {
			m.machine, m.seen, m.looking, m.lines = msg.machine, true, 0, nil
			m.due = msg.at.Add(lookEvery)
		}
	case nav.ThemeChanged:
		m.lines = nil
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return nil
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	page := max(m.height-1, 1)
	switch {
	case keymap.Is(k, keymap.Refresh):
		return m.look(m.now)
	case keymap.Is(k, keymap.Down):
		m.top++
	case keymap.Is(k, keymap.Up):
		m.top--
	case keymap.Is(k, keymap.PageDown):
		m.top += page
	case keymap.Is(k, keymap.PageUp):
		m.top -= page
	case keymap.Is(k, keymap.Home):
		m.top = 0
	case keymap.Is(k, keymap.End):
		m.top = len(m.lines)
	}
	return nil
}

// View draws the screen.
func (m *Screen) View() string {
	if !m.seen {
		return widget.Fit("\n"+style.Now().Faint.Render("  looking at this box"), m.width, m.height)
	}
	if m.lines == nil {
		m.lines = m.draw(m.width - 2)
	}
	m.top = max(min(m.top, len(m.lines)-m.height), 0)
	shown := m.lines[m.top:min(m.top+m.height, len(m.lines))]
	return widget.Fit(" "+strings.Join(shown, "\n "), m.width, m.height)
}

func (m *Screen) draw(width int) []string {
	f := widget.Facts{Width: width}
	f.Title(m.machine.Host)
	m.drawRuns(&f)
	m.drawGPUs(&f)
	m.drawQueue(&f)
	t := style.Now()
	f.Head("this box")
	check(&f, m.machine.Apptainer)
	f.Add("cached", text.Bytes(m.machine.Cached)+" of containers")
	for _, c := range m.machine.Disk {
		check(&f, c)
	}
	f.Line(t.Faint.Render(text.Truncate("'cytorun doctor' checks the rest and names what mends it", width)))
	return f.Lines
}

func check(f *widget.Facts, c app.Check) {
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

func (m *Screen) drawRuns(f *widget.Facts) {
	t := style.Now()
	live := m.machine.Live
	if len(live) == 0 {
		f.Head("analyses here")
		f.Line(t.Faint.Render("nothing runs and nothing waits"))
		return
	}
	f.Head(fmt.Sprintf("analyses here: %d", len(live)))
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
		f.Line(line + t.Faint.Render(text.Truncate(text.Line(what), room)))
	}
}

func (m *Screen) drawGPUs(f *widget.Facts) {
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
		name := text.Pad(fmt.Sprintf("%s %s", g.Label, text.Line(g.Name)), min(28, f.Width/3))
		use := fmt.Sprintf("%s of %s", text.Bytes(g.Used), text.Bytes(g.Total))
		f.Line(t.Bold.Render(name) + " " + widget.Progress(percent, 16) + "  " + text.Truncate(use+", load "+load, max(f.Width-text.Width(name)-19, 1)))
		if g.Problem != "" {
			f.Line(t.Warn.Render(text.Truncate("  "+text.Line(g.Problem), f.Width)))
		}
		for _, l := range g.Leases {
			f.Line(text.Truncate("  leased by "+l.String(), f.Width))
		}
		for _, h := range g.Holders {
			who := h.User
			if who == "" {
				who = "somebody outside of sight"
			}
			line := fmt.Sprintf("  held by %s, process %d, %s", text.Line(who), h.PID, text.Bytes(h.Used))
			if !h.Since.IsZero() {
				line += ", since " + text.Ago(h.Since, m.now)
			}
			f.Line(t.Faint.Render(text.Truncate(line, f.Width)))
		}
	}
}

// drawQueue shows who of all users has a turn, and who waits for one.
func (m *Screen) drawQueue(f *widget.Facts) {
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
		f.Line(text.Truncate(h.String(), f.Width))
	}
	for i, w := range box.Waiting {
		line := fmt.Sprintf("%d. %s of %s, %s", i+1, w.Run, w.User, w.Reason)
		if !w.Start.IsZero() {
			line += ", may begin at " + w.Start.Local().Format("15:04")
		}
		f.Line(t.Faint.Render(text.Truncate(line, f.Width)))
	}
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width, m.height, m.lines = width, height, nil
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	more := len(m.lines) > m.height
	keys := []key.Binding{keymap.Refresh}
	for _, b := range []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End} {
		keys = append(keys, keymap.When(more, b))
	}
	return keys
}

// Title names the screen.
func (m *Screen) Title() string { return "Machine" }

// Editing is never: nothing is typed here.
func (m *Screen) Editing() bool { return false }
