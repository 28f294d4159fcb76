package paramform

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/widget"
)

// jump finds a field by its name, its id, or words of its help.
type jump struct {
	input widget.Input
	fuzzy widget.Fuzzy
	found []int
	at    int  // in found
	from  spot // where the cursor was
}

func (m *Screen) startJump() {
	j := &jump{input: widget.NewInput("name of a parameter"), from: m.here()}
	j.input.Focus()
	names, more := make([]string, len(m.spots)), make([]string, len(m.spots))
	for i, s := range m.spots {
		p := m.field(s).Parameter
		names[i], more[i] = p.Label()+" "+p.ID, text.HTML(p.Description)
	}
	j.fuzzy.SetLines(names, more)
	m.jump = j
}

// jumpKey types, moves among what was found, or ends.
func (m *Screen) jumpKey(msg tea.Msg) tea.Cmd {
	j := m.jump
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch {
		case keymap.Is(k, keymap.Cancel):
			m.jump = nil
			m.goTo(j.from)
			return m.rest.Move()
		case keymap.Is(k, keymap.Accept):
			m.jump = nil
			return nil
		case k.String() == "down", k.String() == "tab":
			return m.jumpTo(j.at + 1)
		case k.String() == "up", k.String() == "shift+tab":
			return m.jumpTo(j.at - 1)
		}
	}
	if !j.input.Type(msg) {
		return nil
	}
	j.found = nil
	if j.input.Value() != "" {
		j.found = j.fuzzy.Find(j.input.Value())
	}
	return m.jumpTo(0)
}

func (m *Screen) jumpTo(at int) tea.Cmd {
	n := len(m.jump.found)
	if n == 0 {
		return nil
	}
	m.jump.at = (at%n + n) % n
	return m.move(m.jump.found[m.jump.at])
}
