// Package logview is the screen of one log, at any size: it reads only what is
// seen, follows what grows, searches, filters, and finds the errors.
//
// Every reading is a command. Keys that come while one is under way are kept as
// one step to do next, so that none is lost and none waits for another.
package logview

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// followEvery is how often a log is looked at while it is followed.
const followEvery = 100 * time.Millisecond

// Screen is the log of one analysis.
type Screen struct {
	session  *app.Session
	analysis app.Analysis
	log      *logfile.Log
	path     string
	err      error
	missing  bool // there is no file yet

	view   logfile.View
	lines  []logfile.Line // from the top of the screen on
	atEnd  bool           // the last line is seen
	follow bool

	reading nav.Gen
	next    step // to be done when the present reading is there
	polling bool

	pan     int
	wrap    bool
	stamps  bool
	numbers bool
	mark    int64 // a place to come back to, -1 for none

	find   finder
	prompt prompt
	plot   plotter

	width, height int
}

// keys of this screen.
var (
	followKey = keymap.Bind("f", "follow", "f")
	searchKey = keymap.Bind("/", "search", "/")
	nextKey   = keymap.Bind("n", "next", "n")
	prevKey   = keymap.Bind("N", "previous", "N")
	filterKey = keymap.Bind("&", "only lines with…", "&")
	nextError = keymap.Bind("e", "next error", "e")
	prevError = keymap.Bind("E", "previous error", "E")
	wrapKey   = keymap.Bind("w", "wrap", "w")
	stampKey  = keymap.Bind("T", "times", "T")
	numberKey = keymap.Bind("#", "line numbers", "#")
	expandKey = keymap.Bind("x", "expand progress bars", "x")
	markKey   = keymap.Bind("m", "mark this place", "m")
	toMark    = keymap.Bind("'", "to the mark", "'")
	saveKey   = keymap.Bind("s", "save to a file", "s")
	panLeft   = keymap.Bind("←", "left", "left")
	panRight  = keymap.Bind("→", "right", "right")
	pageDown  = keymap.Bind("space", "page down", "space", "pgdown", "ctrl+f")
	stopFind  = keymap.Bind("esc", "stop", "esc")
)

// New makes the screen of an analysis' log, at its end.
func New(s *app.Session, a app.Analysis) *Screen {
	return &Screen{session: s, analysis: a, follow: true, mark: -1, find: finder{at: -1}, prompt: newPrompt()}
}

// opened answers open.
type opened struct {
	screen *Screen
	log    *logfile.Log
	path   string
	err    error
}

// Init opens the log.
func (m *Screen) Init() tea.Cmd { return m.open() }

// openWithin bounds the fetching of a log from a server.
const openWithin = 2 * time.Minute

func (m *Screen) open() tea.Cmd {
	s, a := m.session, m.analysis
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), openWithin)
		defer cancel()
		l, err := s.OpenLog(ctx, a)
		if err != nil {
			return opened{screen: m, err: err}
		}
		log, err := logfile.Open(l.Path)
		return opened{m, log, l.Path, err}
	}
}

// Close gives the file back.
func (m *Screen) Close() tea.Cmd {
	m.find.stop()
	m.plot.stop()
	log := m.log
	m.log = nil
	if log == nil {
		return nil
	}
	return func() tea.Msg { log.Close(); return nil }
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case opened:
		if msg.screen == m {
			return m.took(msg)
		}
	case read:
		return m.arrived(msg)
	case looked:
		if msg.screen == m {
			return m.sawChange(msg)
		}
	case lookAgain:
		if msg.screen == m && m.follow {
			return m.look()
		}
	case refreshed:
		if msg.screen == m && msg.err == nil {
			m.analysis = msg.analysis
		}
	case found:
		return m.foundMatch(msg)
	case plotted:
		m.tookSeries(msg)
	case saved:
		if msg.screen == m {
			return m.prompt.saved(msg)
		}
	case nav.Tick:
		return m.tick()
	case nav.Connected:
		m.session = msg.Session
	case nav.ThemeChanged:
		m.prompt.input.Restyle()
	case tea.PasteMsg:
		if m.prompt.kind != noPrompt {
			m.prompt.input.Type(msg)
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return nil
}

func (m *Screen) took(msg opened) tea.Cmd {
	m.missing = errors.Is(msg.err, fs.ErrNotExist)
	m.err = msg.err
	if msg.err != nil {
		return nil
	}
	m.log, m.path = msg.log, msg.path
	return m.read(step{to: theEnd})
}

// tick looks for news twice a second while the screen is seen. While it
// follows, a look leads to the next one sooner.
func (m *Screen) tick() tea.Cmd {
	cmds := []tea.Cmd{m.refresh()}
	switch {
	case m.log != nil:
		cmds = append(cmds, m.look(), m.tickPlot())
	case m.missing:
		cmds = append(cmds, m.open())
	}
	return tea.Batch(cmds...)
}

// refreshed brings the state of the analysis.
type refreshed struct {
	screen   *Screen
	analysis app.Analysis
	err      error
}

func (m *Screen) refresh() tea.Cmd {
	if m.analysis.Run == nil || !m.analysis.State().Live {
		return nil
	}
	s, a := m.session, m.analysis
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		now, err := s.Refresh(ctx, a)
		return refreshed{m, now, err}
	}
}

// looked answers look.
type looked struct {
	screen *Screen
	change logfile.Change
	err    error
}

// lookAgain is the next look while the log is followed.
type lookAgain struct{ screen *Screen }

func (m *Screen) look() tea.Cmd {
	if m.polling || m.log == nil {
		return nil
	}
	m.polling = true
	log := m.log
	return func() tea.Msg {
		change, err := log.Poll()
		return looked{m, change, err}
	}
}

func (m *Screen) sawChange(msg looked) tea.Cmd {
	m.polling = false
	if msg.err != nil {
		m.err = msg.err
		return nil
	}
	switch msg.change {
	case logfile.Replaced:
		m.mark = -1
		return tea.Batch(nav.Say("the log was written anew"), m.read(step{to: theEnd}))
	case logfile.Grown:
		if !m.follow {
			m.atEnd = false
			return nil
		}
		later := tea.Tick(followEvery, func(time.Time) tea.Msg { return lookAgain{m} })
		return tea.Batch(later, m.read(step{to: theEnd}))
	}
	return nil
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if m.prompt.kind != noPrompt {
		return m.promptKey(k)
	}
	if m.find.busy() && keymap.Is(k, stopFind) {
		m.find.stop()
		return nav.Say("search stopped")
	}
	if m.log == nil {
		if keymap.Is(k, keymap.Refresh) {
			return m.open()
		}
		return nil
	}
	if m.plot.on {
		return m.plotKeys(k)
	}
	page := max(m.bodyHeight()-2, 1)
	switch {
	case keymap.Is(k, keymap.Up):
		return m.scroll(-1)
	case keymap.Is(k, keymap.Down):
		return m.scroll(1)
	case keymap.Is(k, keymap.PageUp):
		return m.scroll(-page)
	case keymap.Is(k, pageDown):
		return m.scroll(page)
	case keymap.Is(k, keymap.Home):
		m.follow = false
		return m.read(step{to: place})
	case keymap.Is(k, keymap.End):
		return m.toEnd()
	case keymap.Is(k, followKey):
		if m.follow {
			m.follow = false
			return nil
		}
		return m.toEnd()
	case keymap.Is(k, searchKey):
		m.prompt.ask(searchPrompt, "")
		m.prompt.input.Placeholder = m.find.text
	case keymap.Is(k, filterKey):
		m.prompt.ask(filterPrompt, m.find.filterText)
	case keymap.Is(k, nextKey):
		return m.search(false)
	case keymap.Is(k, prevKey):
		return m.search(true)
	case keymap.Is(k, nextError):
		return m.toError(1)
	case keymap.Is(k, prevError):
		return m.toError(-1)
	case keymap.Is(k, wrapKey):
		m.wrap, m.pan = !m.wrap, 0
		return m.again()
	case keymap.Is(k, panLeft):
		m.pan = max(m.pan-m.width/2, 0)
	case keymap.Is(k, panRight):
		if !m.wrap {
			m.pan += m.width / 2
		}
	case keymap.Is(k, stampKey):
		m.stamps = !m.stamps
	case keymap.Is(k, numberKey):
		m.numbers = !m.numbers
	case keymap.Is(k, expandKey):
		m.view.Expand = !m.view.Expand
		return m.again()
	case keymap.Is(k, markKey):
		if len(m.lines) > 0 {
			m.mark = m.lines[0].Offset
			return nav.Say("marked; ' comes back here")
		}
	case keymap.Is(k, toMark):
		if m.mark < 0 {
			return nav.Say("no place is marked; m marks this one")
		}
		m.follow = false
		return m.read(step{to: place, offset: m.mark})
	case keymap.Is(k, plotKey):
		return m.startPlot()
	case keymap.Is(k, saveKey):
		m.prompt.ask(savePrompt, m.fileName())
	case keymap.Is(k, keymap.Copy):
		return nav.Send(nav.Copy{Text: m.plainPage(), What: "the lines on the screen"})
	}
	return nil
}

func (m *Screen) toEnd() tea.Cmd {
	m.follow = true
	return tea.Batch(m.read(step{to: theEnd}), m.look())
}

// HoldsKey claims esc while a search runs, and left while the view is panned.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "esc":
		return m.prompt.kind != noPrompt || m.find.busy() || m.plot.on
	case "left":
		return m.pan > 0
	}
	return m.prompt.kind != noPrompt
}

// Editing tells that printable keys are text.
func (m *Screen) Editing() bool { return m.prompt.kind != noPrompt }

// Title names the screen.
func (m *Screen) Title() string { return "log of " + m.analysis.Title() }

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	switch {
	case m.prompt.kind != noPrompt:
		return []key.Binding{keymap.Accept, keymap.Cancel}
	case m.find.busy():
		return []key.Binding{stopFind}
	case m.log == nil:
		return []key.Binding{keymap.As(keymap.Refresh, "try again")}
	case m.plot.on:
		return m.plot.help()
	}
	follow := followKey
	if m.follow {
		follow = keymap.As(followKey, "stop following")
	}
	has := m.find.pattern != nil
	return []key.Binding{follow, searchKey, keymap.When(has, nextKey), keymap.When(has, prevKey), nextError, filterKey, plotKey, wrapKey,
		prevError, stampKey, numberKey, expandKey, keymap.Home, keymap.As(keymap.End, "end, and follow"), panRight, panLeft,
		markKey, toMark, saveKey, keymap.As(keymap.Copy, "copy these lines"), keymap.Up, keymap.Down, keymap.PageUp, pageDown}
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width, m.height = max(width, 1), max(height, 1)
	m.prompt.input.SetWidth(max(width-28, 4))
}

// bodyHeight is the lines for the log, below the line of its state.
func (m *Screen) bodyHeight() int { return max(m.height-1, 1) }

func newInput() widget.Input { return widget.NewInput("") }
