// Package machine is the screen of this box: what runs and waits here, its
// GPUs and who holds them, its disks and its Apptainer.
package machine

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
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
	lines         []line
	cursor        place // none where there is no run
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
	case cancelled:
		if msg.err != nil {
			return nav.Fail(msg.err)
		}
		m.due = time.Time{}
		return nav.Say("cancelling " + msg.title)
	case nav.ThemeChanged:
		m.lines = nil
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return nil
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width, m.height, m.lines = width, height, nil
}

// Title names the screen.
func (m *Screen) Title() string { return "Machine" }

// Editing is never: nothing is typed here.
func (m *Screen) Editing() bool { return false }
