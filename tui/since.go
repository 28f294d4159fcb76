package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// seenEvery is how often the time of the last look is written while the screens
// are open, so that a killed terminal loses little.
const seenEvery = time.Minute

// since tells in one line what has ended here since the last look.
func (r *root) since(s *app.Session) tea.Cmd {
	ctx := r.ctx
	return func() tea.Msg {
		line, bad := s.SinceYouLeft(ctx)
		switch {
		case line == "":
			return nil
		case bad:
			return nav.Toast{Text: line, Tone: app.Bad}
		}
		return nav.Toast{Text: line, Tone: app.Good}
	}
}

// noteSeen writes the time of the last look now and then.
func (r *root) noteSeen(now time.Time) tea.Cmd {
	if r.session == nil || !r.session.Connected() || now.Sub(r.seen) < seenEvery {
		return nil
	}
	first := r.seen.IsZero()
	r.seen = now
	if first { // since has just written it
		return nil
	}
	s := r.session
	return func() tea.Msg {
		s.NoteSeen()
		return nil
	}
}
