// Package analyses is the screen of what was launched: the jobs of the server
// and the runs of this box in one list, each once.
//
// Runs of this box are read twice a second, the newest jobs every ten seconds and
// on demand, older ones a page at a time as one scrolls or filters, and again while
// they are seen and have not ended. Jobs of an
// earlier look are shown until the server answers, with their age.
package analyses

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// Screen lists the analyses of a project.
type Screen struct {
	session *app.Session
	feed    feed
	view    view
	marks   app.Marks
	saved   map[string]string // filters by name
	table   widget.Table
	filter  widget.Filter
	base    string // the filter that the list has by itself
	prompt  prompt
	rest    widget.Rest
	detail  widget.Detail
	about   values
	clean   cleaning
	asking  nav.Gen // for the values of a rerun or the nearest analysis

	now   time.Time
	width int
	split widget.Split
}

var (
	openLog   = keymap.Bind("enter", "log", "enter", "l")
	fold      = keymap.Bind("enter", "fold or unfold", "enter", "z")
	results   = keymap.Bind("v", "results", "v")
	compare   = keymap.Bind("c", "compare marked", "c")
	rerun     = keymap.Bind("r", "rerun", "r")
	cancel    = keymap.Bind("x", "cancel", "x")
	nearestOK = keymap.Bind("d", "compare nearest success", "d")
	remove    = keymap.Bind("D", "delete", "D")
	cleanKey  = keymap.Bind("K", "delete results", "K")
	starKey   = keymap.Bind("*", "star", "*")
	tagKey    = keymap.Bind("t", "tags", "t")
	noteKey   = keymap.Bind("n", "note", "n")
	orderKey  = keymap.Bind("o", "order", "o")
	mineKey   = keymap.Bind("m", "everybody's", "m")
	filters   = keymap.Bind("F", "saved filters", "F")
	saveKey   = keymap.Bind("S", "save this filter", "S")
	unmark    = keymap.Bind("U", "take all marks away", "U")
	markAll   = keymap.Bind("A", "mark all shown", "A")
	project   = keymap.Bind("P", "switch project", "P")
	server    = keymap.Bind("W", "switch server", "W")
	allRuns   = keymap.Bind("B", "other servers' too", "B")
	copyName  = keymap.As(keymap.Copy, "copy name for commands")
)

// firstFilter is what the list shows at first: what the person launched.
const firstFilter = "by:me"

// New makes the screen. Runs of this box are listed before the server answers.
func New(s *app.Session) *Screen {
	m := &Screen{session: s, now: s.Env.Now(), feed: newFeed(s), base: firstFilter}
	m.filter = widget.NewFilter("filter: words, state:failed by:me since:7d sigma>2 -tag:bad")
	m.filter.Set(m.base)
	m.table.Marks = true
	m.table.Columns = columns
	m.table.Cell = m.cell
	m.table.Key = func(i int) string { return m.view.lines[i].key() }
	m.table.Marked = func(i int) bool { l := m.view.lines[i]; return l.row == nil && m.allMarked(l.group) }
	m.detail.About = m.lines
	m.say()
	return m
}

// Init reads what is kept and the runs of this box, and asks the server if it is
// known.
func (m *Screen) Init() tea.Cmd {
	return tea.Batch(m.feed.open(m.session), m.feed.readRuns(m.session, m.now), m.feed.askNewest(m.session, m.now))
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.Connected:
		return m.connected(msg.Session)
	case nav.Tick:
		return m.tick(msg.Now)
	case opened, runsRead, newestRead, pageRead, olderRead, fieldsRead:
		return m.take(msg)
	case nav.Link:
		if !m.session.Connected() {
			m.feed.err = msg.Err
			m.say()
		}
	case nav.OpenAnalyses:
		m.filter.Set(msg.Filter)
		cmd := m.refilter()
		m.detail.Follow()
		return cmd
	case nav.Launched:
		return m.launched(msg)
	case marked:
		return m.tookMarks(msg)
	case filtersSaved:
		return m.tookFilters(msg)
	case did:
		return m.done(msg)
	case planned:
		return m.askClean(msg)
	case cleanStarted:
		return m.clean.run(m.session, msg)
	case cleaned:
		return m.tookCleaned(msg)
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
		return m.paste(msg)
	case tea.KeyPressMsg:
		return m.key(msg)
	default:
		if m.rest.Over(msg) {
			return m.follow()
		}
	}
	return nil
}

// connected takes a session that knows more, or another project.
func (m *Screen) connected(s *app.Session) tea.Cmd {
	was := m.session
	m.session = s
	if was.Profile.URL != s.Profile.URL || was.Project.ID != 0 && was.Project.ID != s.Project.ID {
		m.feed = newFeed(s)
		m.view.open = nil
		m.table.ClearMarks()
	}
	m.feed.list.Know(s)
	return tea.Batch(m.refilter(), m.Init())
}

func (m *Screen) launched(msg nav.Launched) tea.Cmd {
	var cmd tea.Cmd
	for _, r := range msg.Runs {
		key := r.ID
		if r.Group != "" {
			key = groupKey + r.Group
		}
		m.table.GoToKey(key)
		// What was just launched is to be seen, whatever the filter was.
		rec := m.feed.list.Record(app.Analysis{Run: &r})
		if !m.view.query.Match(&rec) {
			m.filter.Set(m.base)
			cmd = m.refilter()
		}
	}
	return tea.Batch(cmd, m.feed.readRuns(m.session, m.now))
}

func (m *Screen) tookMarks(msg marked) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	m.marks = msg.marks
	m.feed.list.TakeMarks(msg.marks)
	m.detail.Refresh()
	return m.refilter()
}

func (m *Screen) tookFilters(msg filtersSaved) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	m.saved = msg.filters
	return tea.Batch(m.refilter(), nav.Say(msg.say))
}

// done shows what came of a question, and what is left.
func (m *Screen) done(msg did) tea.Cmd {
	if len(msg.deleted) > 0 {
		m.feed.list.Forget(msg.deleted)
		m.feed.pager.Offset = max(m.feed.pager.Offset-len(msg.deleted), 0)
	}
	if msg.forget {
		m.table.ClearMarks()
	}
	return tea.Batch(m.refilter(), m.feed.readRuns(m.session, m.now), nav.Send(msg.toast))
}

func (m *Screen) paste(msg tea.PasteMsg) tea.Cmd {
	if m.prompt.kind != noPrompt {
		m.prompt.input.Type(tea.PasteMsg{Content: text.Line(msg.Content)})
		return nil
	}
	if _, changed := m.filter.Update(msg); changed {
		return m.refilter()
	}
	return nil
}

// take takes an answer, if it was awaited.
func (m *Screen) take(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	changed := false
	f := &m.feed
	switch msg := msg.(type) {
	case opened:
		if msg.gen != f.opening {
			return nil
		}
		return m.tookOpened(msg)
	case runsRead:
		if msg.gen != f.runs {
			return nil
		}
		changed = f.takeRuns(msg)
	case newestRead:
		if msg.gen != f.newest {
			return nil
		}
		changed = f.takeNewest(msg)
		cmds = append(cmds, nav.Send(nav.Link{Err: msg.err}))
		if changed && msg.err == nil {
			cmds = append(cmds, f.keep(m.session))
		}
	case pageRead:
		if msg.gen != f.page {
			return nil
		}
		if changed = f.takePage(msg); !changed {
			cmds = append(cmds, m.morePages())
		}
	case olderRead:
		if msg.gen != f.older {
			return nil
		}
		changed = f.takeOlder(msg)
	case fieldsRead:
		if msg.gen != f.fields {
			return nil
		}
		f.fields = 0
		f.list.TakeFields(msg.fields)
		changed = len(msg.fields) > 0
	}
	if changed {
		cmds = append(cmds, m.refilter())
		m.detail.Refresh()
		if m.about.key == "" {
			cmds = append(cmds, m.follow())
		}
	}
	m.say()
	return tea.Batch(cmds...)
}

func (m *Screen) tookOpened(msg opened) tea.Cmd {
	m.feed.opening = 0
	m.marks, m.saved = msg.marks, msg.filters
	m.feed.list.TakeMarks(msg.marks)
	if msg.kept && !m.feed.answered {
		m.feed.list.TakeJobs(msg.jobs)
		m.feed.asOf = m.now.Add(-msg.age)
	}
	// After a night what went wrong comes first.
	if m.view.since.IsZero() && !msg.seen.IsZero() {
		m.view.since = msg.seen
		if m.now.Sub(msg.seen) > aNight {
			m.view.order = troubleFirst
		}
	}
	cmd := m.refilter()
	if msg.err != nil {
		return tea.Batch(cmd, nav.Fail(msg.err))
	}
	if m.clean.unfinished = msg.unfinished; msg.unfinished && !m.clean.busy() {
		return tea.Batch(cmd, nav.Say("a clean-up was cut off; K goes on with it"))
	}
	return cmd
}

// aNight is how long one must have been away for failures to come first.
const aNight = 5 * time.Hour

// tick asks for what is due and redraws ages and durations.
func (m *Screen) tick(now time.Time) tea.Cmd {
	m.now = now
	m.table.Touch()
	if a, ok := m.current(); ok && a.State().Live {
		m.detail.Refresh()
	}
	var cmds []tea.Cmd
	if f := &m.feed; f.runs == 0 && !now.Before(f.runsDue) {
		cmds = append(cmds, f.readRuns(m.session, now))
	}
	if f := &m.feed; f.newest == 0 && !now.Before(f.newestDue) {
		cmds = append(cmds, f.askNewest(m.session, now))
	}
	if f := &m.feed; f.older == 0 && !now.Before(f.olderDue) {
		first, end := m.table.Seen()
		cmds = append(cmds, f.askOlder(m.session, m.view.lines[first:end], now))
	}
	return tea.Batch(append(cmds, m.morePages())...)
}

// refilter works out the list anew, and asks for what that needs.
func (m *Screen) refilter() tea.Cmd {
	l := filter.Language{Now: m.now, Typing: m.filter.Editing(), Saved: m.saved}
	m.view.query, m.view.err = l.Parse(m.filter.Value())
	m.view.make(m.feed.list.Rows())
	m.table.SetRows(len(m.view.lines))
	m.say()
	if len(m.view.lines) == 0 {
		m.detail.Follow()
	}
	var cmds []tea.Cmd
	if m.view.query.NeedsFields() {
		cmds = append(cmds, m.feed.readFields(m.session, m.feed.list.WithoutFields()))
	} else if missing := m.view.untold(); len(missing) > 0 {
		cmds = append(cmds, m.feed.readFields(m.session, missing))
	}
	if !m.filter.Editing() || m.view.query.NeedsFields() || len(m.view.lines) < m.split.ListHeight {
		m.feed.wants(m.session.NewPager(m.view.query))
	}
	return tea.Batch(append(cmds, m.morePages())...)
}

// morePages asks for another page of jobs when the end of the list comes near.
func (m *Screen) morePages() tea.Cmd {
	const screens = 3
	if m.table.Cursor() < len(m.view.lines)-screens*max(m.split.ListHeight, 10) {
		m.feed.fruitless = 0
		return nil
	}
	return m.feed.askPage(m.session)
}

// current is the analysis under the cursor; none on the head of a group.
func (m *Screen) current() (app.Analysis, bool) {
	if i := m.table.Cursor(); i >= 0 && m.view.lines[i].row != nil {
		return m.view.lines[i].row.Analysis, true
	}
	return app.Analysis{}, false
}

// head is the group whose head is under the cursor.
func (m *Screen) head() *group {
	if i := m.table.Cursor(); i >= 0 && m.view.lines[i].row == nil {
		return m.view.lines[i].group
	}
	return nil
}

// chosen are the marked analyses, else those of the group or the one under the
// cursor; oldest first.
func (m *Screen) chosen() []app.Analysis {
	if m.table.MarkedCount() > 0 {
		var out []app.Analysis
		for _, r := range m.feed.list.Rows() {
			if m.table.IsMarked(r.ID) {
				out = append(out, r.Analysis)
			}
		}
		oldestFirst(out)
		return out
	}
	if g := m.head(); g != nil {
		return g.analyses()
	}
	if a, ok := m.current(); ok {
		return []app.Analysis{a}
	}
	return nil
}

// follow shows the analysis where the cursor rests, and reads its values.
func (m *Screen) follow() tea.Cmd {
	m.detail.Follow()
	if m.split.DetailHeight == 0 {
		return nil
	}
	if g := m.head(); g != nil {
		return m.feed.readFields(m.session, g.untold())
	}
	a, ok := m.current()
	if !ok {
		return nil
	}
	return m.about.read(m.session, a)
}
