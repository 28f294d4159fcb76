package widget

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/tui/nav"
)

// restAfter is how long a cursor rests before a pane beside it follows: on a
// slow line the pane costs more than the cursor.
const restAfter = 120 * time.Millisecond

// Rest tells when something has not moved for a moment.
type Rest struct{ gen nav.Gen }

// restMsg ends one rest.
type restMsg struct{ gen nav.Gen }

// Move starts the wait anew.
func (r *Rest) Move() tea.Cmd {
	gen := nav.NewGen()
	r.gen = gen
	return tea.Tick(restAfter, func(time.Time) tea.Msg { return restMsg{gen} })
}

// Over tells whether msg ends the wait.
func (r *Rest) Over(msg tea.Msg) bool {
	m, ok := msg.(restMsg)
	return ok && m.gen == r.gen
}
