package analyses

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

// How often is asked. Reading the runs of this box never takes more than a
// twentieth of the time, however many there are.
const (
	runsEvery   = 450 * time.Millisecond
	runsShare   = 20
	serverEvery = 10 * time.Second
	oneRequest  = 60 * time.Second
)

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), oneRequest)
}

// feed asks for what the list shows: the runs of this box, the newest jobs of the
// server again and again, and older ones a page at a time while somebody wants them.
type feed struct {
	list  *app.List
	pager app.Pager // of the jobs that the present filter may mean

	answered bool      // somebody has answered since the project was opened
	whole    bool      // the newest jobs are all there are
	total    int       // jobs of the project
	err      error     // of the last question to the server
	asOf     time.Time // of jobs that were kept from an earlier look; zero: they are fresh

	// Questions on their way, 0 for none.
	opening, runs, newest, page, fields nav.Gen
	runsDue, newestDue                  time.Time
}

func newFeed(s *app.Session) feed {
	return feed{list: s.NewList(), pager: s.NewPager(filter.Query{})}
}

// opened brings what was kept of an earlier look.
type opened struct {
	gen     nav.Gen
	marks   app.Marks
	filters map[string]string
	jobs    []client.Job
	age     time.Duration
	kept    bool
	seen    time.Time
	// unfinished tells that a clean-up was cut off.
	unfinished bool
	err        error
}

// open reads what this box has kept.
func (f *feed) open(s *app.Session) tea.Cmd {
	gen := nav.NewGen()
	f.opening = gen
	return func() tea.Msg {
		o := opened{gen: gen, seen: s.LastSeen(), unfinished: s.HasUnfinishedCleanup()}
		var filtersErr error
		o.marks, o.err = s.Marks()
		if o.filters, filtersErr = s.Env.Filters(); o.err == nil {
			o.err = filtersErr
		}
		o.jobs, o.age, o.kept = s.KeptJobs()
		return o
	}
}

// runsRead answers readRuns.
type runsRead struct {
	gen   nav.Gen
	runs  []runner.Run
	err   error
	asked time.Time
	took  time.Duration
}

func (f *feed) readRuns(s *app.Session, now time.Time) tea.Cmd {
	gen := nav.NewGen()
	f.runs = gen
	return func() tea.Msg {
		start := time.Now()
		runs, err := s.Runs()
		return runsRead{gen, runs, err, now, time.Since(start)}
	}
}

func (f *feed) takeRuns(m runsRead) (changed bool) {
	f.runs = 0
	f.runsDue = m.asked.Add(max(runsEvery, m.took*runsShare))
	if m.err != nil {
		f.err = m.err
		return false
	}
	return f.list.TakeRuns(m.runs)
}

// newestRead answers askNewest.
type newestRead struct {
	gen   nav.Gen
	page  client.JobPage
	next  app.Pager
	err   error
	asked time.Time
}

// askNewest asks for the newest jobs of all.
func (f *feed) askNewest(s *app.Session, now time.Time) tea.Cmd {
	if !s.Connected() {
		return nil
	}
	gen := nav.NewGen()
	f.newest = gen
	p := s.NewPager(filter.Query{})
	p.Filter.WithParameters = f.pager.Filter.WithParameters
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		page, next, err := s.Next(ctx, p)
		return newestRead{gen, page, next, err, now}
	}
}

func (f *feed) takeNewest(m newestRead) (changed bool) {
	f.newest, f.newestDue = 0, m.asked.Add(serverEvery)
	f.err, f.answered = m.err, true
	if m.err != nil {
		return false
	}
	f.asOf, f.whole, f.total = time.Time{}, m.next.Done, m.page.Total
	if f.pager.Offset == 0 && f.pager.Same(m.next) {
		f.pager = m.next
	}
	return f.list.TakeNewest(m.page)
}

// pageRead answers askPage.
type pageRead struct {
	gen  nav.Gen
	page client.JobPage
	next app.Pager
	err  error
}

// wants reads jobs for another filter, from the first on.
func (f *feed) wants(p app.Pager) {
	if !f.pager.Same(p) {
		f.pager, f.page = p, 0
	}
}

// askPage asks for the next page, unless all have come or one is on its way.
func (f *feed) askPage(s *app.Session) tea.Cmd {
	if f.pager.Done || f.page != 0 || f.err != nil || !f.answered || !s.Connected() {
		return nil
	}
	if f.whole && !f.pager.Filter.WithParameters {
		return nil
	}
	gen := nav.NewGen()
	f.page = gen
	p := f.pager
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		page, next, err := s.Next(ctx, p)
		return pageRead{gen, page, next, err}
	}
}

func (f *feed) takePage(m pageRead) (changed bool) {
	f.page = 0
	if f.err = m.err; m.err != nil {
		return false
	}
	f.pager = m.next
	return f.list.TakeJobs(m.page.Jobs)
}

// fieldsRead answers readFields.
type fieldsRead struct {
	gen    nav.Gen
	fields map[string][]filter.Field
}

// readFields reads the parameters and results that a filter or a group asks for.
func (f *feed) readFields(s *app.Session, missing []app.Analysis) tea.Cmd {
	if f.fields != 0 || len(missing) == 0 {
		return nil
	}
	gen := nav.NewGen()
	f.fields = gen
	return func() tea.Msg { return fieldsRead{gen, s.Fields(missing)} }
}

// keep stores the newest jobs for the next start.
func (f *feed) keep(s *app.Session) tea.Cmd {
	rows := f.list.Newest(s)
	return func() tea.Msg {
		s.KeepJobs(rows)
		return nil
	}
}
