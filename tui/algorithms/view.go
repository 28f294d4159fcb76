package algorithms

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// say puts into the empty table what there is to say.
func (m *Screen) say() {
	var choose *app.ErrChooseProject
	switch {
	case errors.As(m.err, &choose) && len(choose.Projects) > 0:
		m.table.Empty = "No project is open yet. P opens the list of your projects."
	case m.err != nil:
		m.table.Empty = m.err.Error() + "\n\nctrl+r tries again"
	case m.loading != 0 || !m.loaded:
		m.table.Empty = "loading the algorithms of the project"
		if !m.session.Connected() {
			m.table.Empty = "connecting to " + m.session.Profile.URL
		}
	case len(m.rows) == 0:
		m.table.Empty = "This project has no algorithms. An administrator adds some in the project's configuration; P switches to another project."
	default:
		m.table.Empty = "No algorithm matches; esc clears the filter."
	}
	m.table.Touch()
}

func (m *Screen) cell(i, column int) widget.Cell {
	t := style.Now()
	r := m.row(i)
	switch column {
	case 0:
		if r.Package != "" && m.namesakes(r) {
			return widget.Cell{Text: fmt.Sprintf("%s (id %d)", r.Name, r.ID)} // names of plugins are not unique
		}
		if r.Deprecated {
			return widget.Cell{Text: r.Name + " (deprecated)", Style: &t.Faint}
		}
		return widget.Cell{Text: r.Name}
	case 1:
		return widget.Cell{Text: r.Version, Style: &t.Faint}
	case 2:
		switch {
		case r.Missing != "":
			return widget.Cell{Text: "unbound", Style: &t.Warn}
		case r.Container == "":
			return widget.Cell{Text: "none", Style: &t.Warn}
		case r.Here:
			return widget.Cell{Text: "here " + text.Bytes(r.Size)}
		}
		return widget.Cell{Text: "to fetch", Style: &t.Faint}
	}
	if r.Last == nil {
		return widget.Cell{Text: "none here", Style: &t.Faint}
	}
	state := r.Last.State()
	role := t.Tone(state.Tone)
	return widget.Cell{Text: style.Sign(state.Tone) + " " + state.Word + " " + text.Ago(r.Last.Created(), m.now), Style: &role}
}

// namesakes tells whether another algorithm has the same name.
func (m *Screen) namesakes(r app.AlgorithmRow) bool {
	return slices.ContainsFunc(m.rows, func(o app.AlgorithmRow) bool { return o.Name == r.Name && o.ID != r.ID })
}

// View draws the screen.
func (m *Screen) View() string {
	head := m.filter.View(m.count(), m.width) + "\n"
	if m.table.Len() == 0 {
		return head + m.table.View()
	}
	return head + m.split.Draw(m.table.View(), m.detail.View())
}

// count says how many there are, and how fresh.
func (m *Screen) count() string {
	switch {
	case m.err != nil && len(m.rows) > 0:
		return "not refreshed, ctrl+r tries again "
	case m.loading != 0 && m.loaded:
		return "refreshing "
	case len(m.rows) == 0:
		return ""
	case len(m.shown) != len(m.rows):
		return text.Count(len(m.shown)) + " of " + text.Count(len(m.rows)) + " "
	}
	return text.Count(len(m.rows)) + " "
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
	some := m.table.Len() > 0
	keys := append([]key.Binding{keymap.When(some, openForm), keymap.When(some, history)}, m.filter.Keys()...)
	return append(append(keys, keymap.Refresh, project, server), m.detail.Help()...)
}

// Title names the screen.
func (m *Screen) Title() string { return "Algorithms" }

// Editing tells that the filter is typed.
func (m *Screen) Editing() bool { return m.filter.Editing() }

// HoldsKey keeps esc while there is a filter to clear.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool { return m.filter.HoldsKey(k) }

// Actions offers the form of every algorithm by its name.
func (m *Screen) Actions() []nav.Action {
	actions := make([]nav.Action, 0, len(m.rows))
	s := m.session
	for _, r := range m.rows {
		actions = append(actions, nav.Action{
			Title: "open the form of " + r.Name, Hint: r.Version,
			Do: func() tea.Msg {
				ctx, cancel := context.WithTimeout(context.Background(), within)
				defer cancel()
				a, err := s.AlgorithmToFill(ctx, r.ID)
				if err != nil {
					return nav.Toast{Text: err.Error(), Tone: app.Bad}
				}
				return nav.OpenForm{Algorithm: a}
			},
		})
	}
	return actions
}
