package machine

import (
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

var (
	openLog   = keymap.Bind("enter", "log", "enter", "l")
	cancelRun = keymap.Bind("x", "cancel", "x")
	listThem  = keymap.Bind("a", "in the list", "a")
)

// liveHere is the filter of the list for what waits and works.
const liveHere = "state:live"

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	m.layout()
	page := max(m.height-1, 1)
	switch {
	case keymap.Is(k, keymap.Refresh):
		return m.look(m.now)
	case keymap.Is(k, keymap.Down):
		m.move(1)
	case keymap.Is(k, keymap.Up):
		m.move(-1)
	case keymap.Is(k, keymap.PageDown):
		m.scroll(m.top + page)
	case keymap.Is(k, keymap.PageUp):
		m.scroll(m.top - page)
	case keymap.Is(k, keymap.Home):
		m.scroll(0)
	case keymap.Is(k, keymap.End):
		m.scroll(len(m.lines))
	default:
		if a := m.here(); a != nil {
			return m.act(k, *a)
		}
	}
	return nil
}

// here is the run under the cursor, nil where the cursor is out of sight.
func (m *Screen) here() *app.Analysis {
	if at := m.at(); at < m.top || at >= m.top+m.height {
		return nil
	}
	return m.own(m.cursor.run)
}

// act does something with the run under the cursor.
func (m *Screen) act(k tea.KeyPressMsg, a app.Analysis) tea.Cmd {
	switch {
	case keymap.Is(k, openLog):
		return nav.Send(nav.OpenLog{Analysis: a})
	case keymap.Is(k, listThem):
		return nav.Send(nav.OpenAnalyses{Filter: liveHere})
	case keymap.Is(k, cancelRun):
		return m.confirmCancel(a)
	}
	return nil
}

// cancelled answers a cancel.
type cancelled struct {
	title string
	err   error
}

func (m *Screen) confirmCancel(a app.Analysis) tea.Cmd {
	lost := "It has not started yet."
	if d := a.Duration(m.now); d > 0 {
		lost = "It has run for " + text.Duration(d) + "."
	}
	s := m.session
	return nav.Send(nav.Confirm{
		Title: "cancel " + a.Title() + "?", Text: lost + " What was written to the server stays there.", Yes: "cancel it", No: "let it go on",
		Do: func() tea.Msg {
			ctx, stop := context.WithTimeout(context.Background(), time.Minute)
			defer stop()
			return cancelled{a.Title(), s.Cancel(ctx, a)}
		},
	})
}

// at is the line of the cursor, -1 where there is none.
func (m *Screen) at() int {
	if m.cursor == (place{}) {
		return -1
	}
	return slices.IndexFunc(m.lines, func(l line) bool { return l.about == m.cursor })
}

// move goes to the next run of ours, or where none is near scrolls by a line.
func (m *Screen) move(by int) {
	from := m.at()
	seen := func(i int) bool { return i >= m.top && i < m.top+m.height }
	if from < 0 || !seen(from) {
		// The cursor was left behind by scrolling: go on from the edge.
		from = m.top - 1
		if by < 0 {
			from = m.top + m.height
		}
	}
	for i := from + by; i >= 0 && i < len(m.lines); i += by {
		if m.lines[i].about == (place{}) {
			continue
		}
		if !seen(i) && !seen(i-by) {
			break
		}
		m.cursor = m.lines[i].about
		if !seen(i) {
			m.top += by
		}
		return
	}
	m.scroll(m.top + by)
}

// scroll shows another part.
func (m *Screen) scroll(to int) {
	m.top = max(min(to, len(m.lines)-m.height), 0)
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	m.layout()
	own := m.here() != nil
	keys := []key.Binding{keymap.When(own, openLog), keymap.When(own, cancelRun), keymap.When(own, listThem), keymap.Refresh}
	more := len(m.lines) > m.height
	for _, b := range []key.Binding{keymap.Up, keymap.Down} {
		keys = append(keys, keymap.When(more || len(m.machine.Live) > 1, b))
	}
	for _, b := range []key.Binding{keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End} {
		keys = append(keys, keymap.When(more, b))
	}
	return keys
}
