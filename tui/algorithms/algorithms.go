// Package algorithms is the screen that finds an algorithm: a list with what
// this box knows of each, and its description beside it.
package algorithms

import (
	"context"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// within bounds one request of this screen.
const within = 60 * time.Second

// Screen lists the algorithms of a project.
type Screen struct {
	session *app.Session
	rows    []app.AlgorithmRow
	shown   []int // indexes into rows, as the filter leaves them
	table   widget.Table
	filter  widget.Filter
	fuzzy   widget.Fuzzy
	rest    widget.Rest
	detail  widget.Detail

	loading nav.Gen // 0 when nothing is awaited
	loaded  bool
	err     error
	opening nav.Gen
	fresh   fresh
	now     time.Time

	width int
	split widget.Split
}

// keys of this screen.
var (
	openForm = keymap.As(keymap.Open, "form")
	history  = keymap.Bind("h", "its analyses", "h")
	project  = keymap.Bind("P", "switch project", "P")
	server   = keymap.Bind("W", "switch server", "W")
)

// New makes the screen; it loads when a session is connected.
func New(s *app.Session) *Screen {
	m := &Screen{session: s, now: s.Env.Now()}
	m.filter = widget.NewFilter("filter by name or description")
	m.table.Columns = []widget.Column{
		{Title: "algorithm", Min: 25, Weight: 3, Max: 60, Main: true},
		{Title: "version", Min: 7, Weight: 1, Max: 14, Drop: 2},
		{Title: "container", Min: 10, Max: 14, Weight: 1, Drop: 3},
		{Title: "last analysis", Min: 22, Weight: 2, Max: 30, Drop: 1},
	}
	m.table.Cell = m.cell
	m.table.Key = func(i int) string { return strconv.FormatInt(int64(m.row(i).ID), 10) }
	m.detail.About = m.about
	m.say()
	return m
}

// loaded answers load.
type loaded struct {
	gen  nav.Gen
	rows []app.AlgorithmRow
	err  error
}

// Init loads the list if the session is connected already.
func (m *Screen) Init() tea.Cmd { return m.load() }

func (m *Screen) load() tea.Cmd {
	if !m.session.Connected() {
		return nil
	}
	gen, s := nav.NewGen(), m.session
	m.loading = gen
	m.say()
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		rows, err := s.Algorithms(ctx)
		return loaded{gen, rows, err}
	}
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.Connected:
		if m.session.Project.ID != msg.Session.Project.ID {
			m.rows, m.loaded = nil, false
			m.refilter()
		}
		m.session, m.err = msg.Session, nil
		return m.load()
	case nav.Link:
		if !m.session.Connected() {
			m.err = msg.Err
			m.say()
		}
	case loaded:
		return m.take(msg)
	case opened:
		return m.openedForm(msg)
	case nav.Launched:
		return m.load()
	case nav.Tick:
		return m.tick(msg.Now)
	case runsRead:
		return m.takeRuns(msg)
	case nav.ThemeChanged:
		m.filter.Input.Restyle()
		m.table.Touch()
		m.detail.Refresh()
	case tea.PasteMsg:
		if _, changed := m.filter.Update(msg); changed {
			m.refilter()
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	default:
		if m.rest.Over(msg) {
			m.detail.Follow()
		}
	}
	return nil
}

func (m *Screen) take(msg loaded) tea.Cmd {
	if msg.gen != m.loading {
		return nil
	}
	m.loading, m.err = 0, msg.err
	if msg.err == nil {
		m.rows, m.loaded = msg.rows, true
		names, more := make([]string, len(m.rows)), make([]string, len(m.rows))
		for i, r := range m.rows {
			names[i] = text.Line(r.Name) + " " + text.Line(r.Version)
			more[i] = text.Line(text.HTML(r.Description))
		}
		m.fuzzy.SetLines(names, more)
	}
	m.refilter()
	m.detail.Follow()
	return nav.Send(nav.Link{Err: msg.err})
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if used, changed := m.filter.Update(k); used {
		if changed {
			m.refilter()
			if m.filter.Value() != "" { // the best match; cleared, the cursor stays with its row
				m.table.GoTo(0)
			}
			return m.rest.Move()
		}
		return nil
	}
	switch {
	case keymap.Is(k, openForm):
		return m.open()
	case keymap.Is(k, history):
		if r, ok := m.current(); ok {
			return nav.Send(nav.OpenAnalyses{Filter: widget.Field("algorithm", r.Name)})
		}
	case keymap.Is(k, project):
		return nav.Send(nav.ChooseProject{})
	case keymap.Is(k, server):
		return nav.Send(nav.ChooseServer{})
	case keymap.Is(k, keymap.Refresh):
		if !m.session.Connected() {
			return nav.Send(nav.Reconnect{})
		}
		return m.load()
	case m.detail.Update(k):
	case m.table.Update(k):
		return m.rest.Move()
	}
	return nil
}

// opened is an algorithm read whole, for its form.
type opened struct {
	gen       nav.Gen
	algorithm client.Algorithm
	err       error
}

// open reads the algorithm whole, since a list may lack parameters that the
// server fills, and then asks for its form.
func (m *Screen) open() tea.Cmd {
	r, ok := m.current()
	if !ok {
		return nil
	}
	if r.Missing != "" {
		return nav.Send(nav.Toast{Text: "it cannot run on this box: " + text.Line(r.Missing), Tone: app.Warn})
	}
	gen, s := nav.NewGen(), m.session
	m.opening = gen
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		a, err := s.AlgorithmToFill(ctx, r.ID)
		return opened{gen, a, err}
	}
}

func (m *Screen) openedForm(msg opened) tea.Cmd {
	if msg.gen != m.opening {
		return nil
	}
	m.opening = 0
	if msg.err != nil {
		return tea.Batch(nav.Fail(msg.err), nav.Send(nav.Link{Err: msg.err}))
	}
	return nav.Send(nav.OpenForm{Algorithm: msg.algorithm})
}

// current is the row under the cursor.
func (m *Screen) current() (app.AlgorithmRow, bool) {
	if i := m.table.Cursor(); i >= 0 {
		return m.row(i), true
	}
	return app.AlgorithmRow{}, false
}

func (m *Screen) row(i int) app.AlgorithmRow { return m.rows[m.shown[i]] }

func (m *Screen) refilter() {
	m.shown = nil
	if len(m.rows) > 0 {
		m.shown = m.fuzzy.Find(m.filter.Value())
	}
	m.table.SetRows(len(m.shown))
	m.say()
	if len(m.shown) == 0 {
		m.detail.Follow()
	}
}
