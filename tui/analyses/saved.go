package analyses

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

func sortedNames(filters map[string]string) []string { return app.FilterNames(filters) }

// saved is the list of saved filters, over the list of analyses.
type saved struct {
	of    *Screen
	names []string
	table widget.Table
}

var (
	useFilter    = keymap.Bind("enter", "use it", "enter")
	forgetFilter = keymap.Bind("x", "forget it", "x")
)

func newSaved(of *Screen) *saved {
	m := &saved{of: of}
	m.table.Columns = []widget.Column{{Title: "name", Min: 12, Max: 30, Weight: 1, Main: true}, {Title: "filter", Min: 10, Weight: 3}}
	m.table.Key = func(i int) string { return m.names[i] }
	m.table.Cell = func(i, column int) widget.Cell {
		if column == 0 {
			return widget.Cell{Text: "@" + m.names[i]}
		}
		return widget.Cell{Text: of.saved[m.names[i]], Style: &style.Now().Faint}
	}
	m.table.Empty = "No filter is saved yet. / types one in the list, S saves it."
	m.read()
	return m
}

func (m *saved) read() {
	m.names = sortedNames(m.of.saved)
	m.table.SetRows(len(m.names))
}

// Init has nothing to load.
func (m *saved) Init() tea.Cmd { return nil }

// Update changes the screen.
func (m *saved) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case filtersSaved:
		m.read() // the list below has it by then, or says why not
	case nav.Tick:
		m.read()
	case nav.ThemeChanged:
		m.table.Touch()
	case tea.KeyPressMsg:
		i := m.table.Cursor()
		switch {
		case m.table.Update(msg) || i < 0:
		case keymap.Is(msg, useFilter):
			return tea.Batch(nav.Send(nav.Pop{Screen: m}), nav.Send(nav.OpenAnalyses{Filter: m.of.saved[m.names[i]]}))
		case keymap.Is(msg, forgetFilter):
			return m.of.saveFilter(m.names[i], "")
		case keymap.Is(msg, keymap.Copy):
			return nav.Send(nav.Copy{Text: m.of.saved[m.names[i]], What: "the filter"})
		}
	}
	return nil
}

// View draws the filters.
func (m *saved) View() string { return m.table.View() }

// SetSize gives the area.
func (m *saved) SetSize(width, height int) { m.table.SetSize(width, height) }

// Help lists the keys that work now.
func (m *saved) Help() []key.Binding {
	some := m.table.Cursor() >= 0
	return []key.Binding{keymap.When(some, useFilter), keymap.When(some, forgetFilter), keymap.When(some, keymap.Copy)}
}

// Title names the screen.
func (m *saved) Title() string { return "saved filters" }

// Editing tells that nothing is typed here.
func (m *saved) Editing() bool { return false }
