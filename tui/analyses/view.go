package analyses

import (
	"errors"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/widget"
)

// say puts into the empty table what there is to say.
func (m *Screen) say() {
	var choose *app.ErrChooseProject
	switch {
	case len(m.list.all) > 0:
		m.table.Empty = "No analysis matches; esc clears the filter."
	case errors.As(m.list.err, &choose) && len(choose.Projects) > 0:
		m.table.Empty = "No project is open yet. P opens the list of your projects."
	case m.list.err != nil:
		m.table.Empty = m.list.err.Error() + "\n\nctrl+r tries again"
	case !m.list.answered:
		m.table.Empty = "asking the server for analyses"
		if !m.session.Connected() {
			m.table.Empty = "connecting to " + m.session.Profile.URL
		}
	default:
		m.table.Empty = "No analysis in this project yet. 1 goes to the algorithms: enter opens a form, ctrl+s launches it."
	}
	m.table.Touch()
}

// View draws the screen.
func (m *Screen) View() string {
	head := m.filter.View(m.count(), m.width) + "\n"
	if m.table.Len() == 0 {
		return head + m.table.View()
	}
	return head + m.split.Draw(m.table.View(), m.detail.View())
}

// count says how many there are, how many are marked, and how fresh.
func (m *Screen) count() string {
	s := ""
	if n := m.table.MarkedCount(); n > 0 {
		s = fmt.Sprintf("%d marked · ", n)
	}
	switch all, shown := len(m.list.all), len(m.list.shown); {
	case m.list.err != nil && all > 0:
		s += "runs of this box only, ctrl+r asks again "
	case all == 0:
		return ""
	case shown != all:
		s += text.Count(shown) + " of " + text.Count(all) + " "
	default:
		s += text.Count(all) + " "
	}
	return s
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width = width
	m.split = widget.SplitFor(width, height-1)
	m.table.SetSize(m.split.ListWidth, m.split.ListHeight)
	m.detail.SetSize(m.split.DetailWidth, m.split.DetailHeight)
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	if m.filter.Editing() {
		return m.filter.Help()
	}
	a, some := m.current()
	live := some && a.State().Live
	return append([]key.Binding{
		keymap.When(m.table.MarkedCount() > 1, compare),
		keymap.When(some, openLog), keymap.When(live && a.Run != nil, cancel),
		keymap.When(some, rerun), keymap.When(some, keymap.Mark), keymap.Filter,
		keymap.When(some && !live, nearestOK),
		keymap.Refresh, keymap.When(some, copyName),
		project,
	}, m.detail.Help()...)
}

// Title names the screen.
func (m *Screen) Title() string { return "Analyses" }

// Editing tells that the filter is typed.
func (m *Screen) Editing() bool { return m.filter.Editing() }

// HoldsKey keeps esc while there is a filter to clear.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool { return m.filter.HoldsKey(k) }
