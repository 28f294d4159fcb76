package algorithms

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// How often the runs of this box are read for the last analysis of each
// algorithm: often while one lives, and never more than a twentieth of the time.
const (
	whileLive  = 450 * time.Millisecond
	whileQuiet = 5 * time.Second
	share      = 20
	// away is the gap between two ticks after which the screen had been covered:
	// then the list itself is read again.
	away = 3 * time.Second
)

// fresh keeps the list up to date while it is seen.
type fresh struct {
	runs nav.Gen // a reading on its way, 0 for none
	due  time.Time
	seen time.Time // the last tick
}

// runsRead answers readRuns.
type runsRead struct {
	gen   nav.Gen
	all   []app.Analysis
	err   error
	asked time.Time
	took  time.Duration
}

// tick redraws ages and asks for what is due.
func (m *Screen) tick(now time.Time) tea.Cmd {
	back := !m.fresh.seen.IsZero() && now.Sub(m.fresh.seen) > away
	m.now, m.fresh.seen = now, now
	m.table.Touch()
	if !m.loaded {
		return nil
	}
	if back && m.loading == 0 {
		return m.load()
	}
	if m.fresh.runs != 0 || now.Before(m.fresh.due) {
		return nil
	}
	gen, s := nav.NewGen(), m.session
	m.fresh.runs = gen
	return func() tea.Msg {
		start := time.Now()
		all, err := s.LocalAnalyses()
		return runsRead{gen, all, err, now, time.Since(start)}
	}
}

// takeRuns brings the last analyses up to date. When one has ended the list is
// read again: its container may have come, and its duration counts.
func (m *Screen) takeRuns(msg runsRead) tea.Cmd {
	if msg.gen != m.fresh.runs {
		return nil
	}
	m.fresh.runs = 0
	latest := map[client.ID]app.Analysis{}
	for _, a := range msg.all {
		if _, known := latest[a.Run.Algorithm.ID]; !known {
			latest[a.Run.Algorithm.ID] = a
		}
	}
	live, ended := false, false
	for i := range m.rows {
		r := &m.rows[i]
		a, ok := latest[r.ID]
		if !ok {
			continue
		}
		ended = ended || r.Last != nil && r.Last.State().Live && !a.State().Live
		live = live || a.State().Live
		r.Last = &a
	}
	wait := whileQuiet
	if live {
		wait = whileLive
	}
	m.fresh.due = msg.asked.Add(max(wait, msg.took*share))
	m.table.Touch()
	if ended && m.loading == 0 {
		return m.load()
	}
	return nil
}
