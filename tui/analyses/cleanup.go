package analyses

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
)

// cleanWithin bounds one clean-up; what is left goes on with the next.
const cleanWithin = 12 * time.Hour

// cleaning is the deleting of results that goes on beside the list.
type cleaning struct {
	unfinished bool // one was cut off
	running    bool
	now        atomic.Pointer[app.Cleaned] // how far it is, nil while none runs
}

func (c *cleaning) busy() bool { return c.running }

// planned says what a clean-up would delete.
type planned struct {
	plan app.Cleanup
	err  error
}

// planClean counts what would be deleted of the chosen analyses, or what is left of
// a clean-up that was cut off.
func (m *Screen) planClean(chosen []app.Analysis) tea.Cmd {
	if m.clean.busy() {
		return nav.Say("results are being deleted already")
	}
	s := m.session
	return tea.Batch(nav.Say("counting what would be deleted"), func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), longWork)
		defer cancel()
		if chosen == nil {
			plan, err := s.UnfinishedCleanup(ctx)
			return planned{plan, err}
		}
		plan, err := s.PlanCleanup(ctx, chosen)
		return planned{plan, err}
	})
}

// cleanStarted begins what somebody said yes to.
type cleanStarted struct{ plan app.Cleanup }

func (m *Screen) askClean(msg planned) tea.Cmd {
	p := msg.plan
	switch {
	case msg.err != nil:
		return nav.Fail(msg.err)
	case len(p.Gone) == 0 && p.Kept > 0:
		return nav.Say("all of them have a star or the tag keep")
	case len(p.Gone) == 0:
		m.clean.unfinished = false
		return nav.Say("nothing to delete on the server")
	case p.Annotations+p.Files == 0:
		return nav.Say("they left nothing on the server")
	}
	note := fmt.Sprintf("%s and %s on the server. The analyses stay, with their parameters and logs, and so does what people have reviewed.",
		text.Plural(p.Annotations, "annotation"), text.Plural(p.Files, "file"))
	if p.Kept > 0 {
		note += " " + countOf(p.Kept, "has a star or the tag keep and is left alone", "have a star or the tag keep and are left alone") + "."
	}
	title := "delete the results of " + p.Gone[0].Title() + "?"
	if len(p.Gone) > 1 {
		title = "delete the results of " + plural(len(p.Gone)) + "?"
	}
	return nav.Send(nav.Confirm{Title: title, Text: note, Yes: "delete them", No: "keep them", Do: nav.Send(cleanStarted{p})})
}

// cleaned tells that a clean-up has ended.
type cleaned struct {
	done app.Cleaned
	err  error
}

func (c *cleaning) run(s *app.Session, msg cleanStarted) tea.Cmd {
	if c.running {
		return nil
	}
	c.running = true
	c.now.Store(&app.Cleaned{Of: len(msg.plan.Gone)})
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), cleanWithin)
		defer cancel()
		done, err := s.Clean(ctx, msg.plan, func(now app.Cleaned) { c.now.Store(&now) })
		return cleaned{done, err}
	}
}

func (m *Screen) tookCleaned(msg cleaned) tea.Cmd {
	m.clean.running = false
	m.clean.now.Store(nil)
	m.clean.unfinished = msg.err != nil
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("%s; %w", msg.done, msg.err))
	}
	m.table.ClearMarks()
	return tea.Batch(m.feed.askNewest(m.session, m.now), nav.Send(nav.Toast{Text: msg.done.String(), Tone: app.Good}))
}
