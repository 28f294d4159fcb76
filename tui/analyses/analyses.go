// Package analyses is the screen of what was launched: the jobs of the server
// and the runs of this box in one list, each once.
//
// Runs of this box are read twice a second, the server is asked every ten
// seconds and on demand. Neither keeps anything: a second terminal shows the
// same.
package analyses

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// Screen lists the analyses of a project.
type Screen struct {
	session *app.Session
	list    list
	table   widget.Table
	filter  widget.Filter
	rest    widget.Rest
	detail  widget.Detail
	about   values
	asking  nav.Gen // for the values of a rerun or the nearest analysis

	now   time.Time
	width int
	split widget.Split
}

var (
	openLog   = keymap.Bind("enter", "log", "enter", "l")
	compare   = keymap.Bind("c", "compare marked", "c")
	rerun     = keymap.Bind("r", "rerun", "r")
	cancel    = keymap.Bind("x", "cancel", "x")
	nearestOK = keymap.Bind("d", "compare nearest success", "d")
	project   = keymap.Bind("P", "switch project", "P")
	copyName  = keymap.As(keymap.Copy, "copy name for commands")
)

// New makes the screen. Runs of this box are listed before the server answers.
func New(s *app.Session) *Screen {
	m := &Screen{session: s, now: s.Env.Now()}
	m.filter = widget.NewFilter("filter: words, state:failed by:me algorithm:…")
	m.table.Marks = true
	m.table.Columns = columns
	m.table.Cell = m.cell
	m.table.Key = func(i int) string { return m.list.at(i).Key() }
	m.detail.About = m.lines
	m.say()
	return m
}

// Init reads the runs of this box, and asks the server if it is known.
func (m *Screen) Init() tea.Cmd {
	return tea.Batch(m.list.readRuns(m.session, m.now), m.list.askServer(m.session, m.now))
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.Connected:
		if m.session.Project.ID != msg.Session.Project.ID {
			m.list.forget()
			m.refilter()
		}
		m.session = msg.Session
		return m.Init()
	case nav.Tick:
		return m.tick(msg.Now)
	case listed:
		return m.take(msg)
	case nav.Link:
		if !m.session.Connected() {
			m.list.err = msg.Err
			m.say()
		}
	case nav.OpenAnalyses:
		m.filter.Set(msg.Filter)
		m.refilter()
		m.detail.Follow()
	case nav.Launched:
		for _, r := range msg.Runs {
			m.table.GoToKey(r.ID)
		}
		return m.list.readRuns(m.session, m.now)
	case valuesRead:
		m.about.take(msg)
		m.detail.Refresh()
	case asked:
		return m.answered(msg)
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
			return m.follow()
		}
	}
	return nil
}

func (m *Screen) take(msg listed) tea.Cmd {
	mine, changed := m.list.take(msg)
	if !mine {
		return nil
	}
	cmds := []tea.Cmd{}
	if msg.server {
		cmds = append(cmds, nav.Send(nav.Link{Err: msg.err}))
	}
	if changed {
		m.refilter()
		m.detail.Refresh()
		if m.about.key == "" {
			cmds = append(cmds, m.follow())
		}
	}
	m.say()
	return tea.Batch(cmds...)
}

// tick asks for what is due and redraws ages and durations.
func (m *Screen) tick(now time.Time) tea.Cmd {
	m.now = now
	m.table.Touch()
	if a, ok := m.current(); ok && a.State().Live {
		m.detail.Refresh()
	}
	return tea.Batch(m.list.readRunsIfDue(m.session, now), m.list.askServerIfDue(m.session, now))
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if used, changed := m.filter.Update(k); used {
		if changed {
			m.refilter()
			m.table.GoTo(0)
			return m.rest.Move()
		}
		return nil
	}
	if keymap.Is(k, keymap.Refresh) {
		if !m.session.Connected() {
			return nav.Send(nav.Reconnect{})
		}
		return tea.Batch(m.list.readRuns(m.session, m.now), m.list.askServer(m.session, m.now), nav.Say("asking the server"))
	}
	if keymap.Is(k, project) {
		return nav.Send(nav.ChooseProject{})
	}
	if m.detail.Update(k) {
		return nil
	}
	if m.table.Update(k) {
		return m.rest.Move()
	}
	return m.act(k)
}

// act does something with the analysis under the cursor, or the marked ones.
func (m *Screen) act(k tea.KeyPressMsg) tea.Cmd {
	a, ok := m.current()
	if !ok {
		return nil
	}
	switch {
	case keymap.Is(k, openLog):
		return nav.Send(nav.OpenLog{Analysis: a})
	case keymap.Is(k, compare):
		if chosen := m.marked(); len(chosen) >= 2 {
			return nav.Send(nav.OpenCompare{Analyses: chosen})
		}
		return nav.Say("mark two or more analyses with space, then press c")
	case keymap.Is(k, rerun):
		return m.ask(a, rerunIt)
	case keymap.Is(k, nearestOK):
		return m.ask(a, nearestIt)
	case keymap.Is(k, cancel):
		return m.confirmCancel(a)
	case keymap.Is(k, copyName):
		return nav.Send(nav.Copy{Text: a.Key(), What: a.Key()})
	}
	return nil
}

// confirmCancel asks, with the name and what would be lost.
func (m *Screen) confirmCancel(a app.Analysis) tea.Cmd {
	if !a.State().Live {
		return nav.Say(text.Line(a.Title()) + " has ended already")
	}
	if a.Run == nil {
		return nav.Say(text.Line(a.Title()) + " does not run on this box; cancel it on the server")
	}
	spent := "It has not started yet."
	if d := a.Duration(m.now); d > 0 {
		spent = fmt.Sprintf("It has run for %s.", text.Duration(d))
	}
	s := m.session
	return nav.Send(nav.Confirm{
		Title: "cancel " + a.Title() + "?",
		Text:  spent + " What it wrote to the server stays there.",
		Yes:   "cancel it", No: "let it go on",
		Do: func() tea.Msg {
			ctx, stop := within()
			defer stop()
			if err := s.Cancel(ctx, a); err != nil {
				return nav.Toast{Text: err.Error(), Tone: app.Bad}
			}
			return nav.Toast{Text: "cancelling " + a.Title(), Tone: app.Busy}
		},
	})
}

// current is the analysis under the cursor.
func (m *Screen) current() (app.Analysis, bool) {
	if i := m.table.Cursor(); i >= 0 {
		return m.list.at(i), true
	}
	return app.Analysis{}, false
}

// marked are the marked analyses, oldest first: the first is the baseline.
func (m *Screen) marked() []app.Analysis {
	var out []app.Analysis
	for i := len(m.list.all) - 1; i >= 0; i-- {
		if m.table.IsMarked(m.list.all[i].Key()) {
			out = append(out, m.list.all[i])
		}
	}
	return out
}

func (m *Screen) refilter() {
	who := m.session.User.Username
	m.list.narrow(m.filter.Value(), who)
	m.table.SetRows(len(m.list.shown))
	m.say()
	if len(m.list.shown) == 0 {
		m.detail.Follow()
	}
}

// follow shows the analysis where the cursor rests, and reads its values.
func (m *Screen) follow() tea.Cmd {
	m.detail.Follow()
	a, ok := m.current()
	if !ok || m.split.DetailHeight == 0 {
		return nil
	}
	return m.about.read(m.session, a)
}
