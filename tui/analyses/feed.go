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
	everywhere bool // runs of other projects and servers too
	list       *app.List
	pager      app.Pager // of the jobs that the present filter may mean

	answered bool      // somebody has answered since the project was opened
	whole    bool      // the newest jobs are all there are
	total    int       // jobs of the project
	err      error     // of the last question to the server
	asOf     time.Time // of jobs that were kept from an earlier look; zero: they are fresh

	// Questions on their way, 0 for none.
	opening, runs, newest, page, fields, older nav.Gen
	runsDue, newestDue, olderDue               time.Time

	newestTo time.Time // jobs created before it are not among the newest
	// fruitless counts jobs that were read since the list had enough to show.
	fruitless int
}

// patience is how many jobs are read for a filter that finds too little before
// somebody has to ask for more.
const patience = 20_000

// weary tells that reading on is left to the person.
func (f *feed) weary() bool { return f.fruitless >= patience && !f.pager.Done }

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
	read := s.Runs
	if f.everywhere {
		read = s.AllRuns
	}
	return func() tea.Msg {
		start := time.Now()
		runs, err := read()
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
	if n := len(m.page.Jobs); n > 0 {
		f.newestTo = m.page.Jobs[n-1].Created
	}
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
		f.pager, f.page, f.fruitless = p, 0, 0
	}
}

// askPage asks for the next page, unless all have come or one is on its way.
func (f *feed) askPage(s *app.Session) tea.Cmd {
	if f.pager.Done || f.page != 0 || f.err != nil || !f.answered || !s.Connected() || f.weary() {
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
	f.fruitless += len(m.page.Jobs)
	return f.list.TakeJobs(m.page.Jobs)
}

// olderRead answers askOlder.
type olderRead struct {
	gen   nav.Gen
	jobs  []client.Job
	gone  map[client.ID]bool
	err   error
	asked time.Time
}

// askOlder asks again for jobs that are seen, have not ended, and are not among the
// newest.
func (f *feed) askOlder(s *app.Session, seen []line, now time.Time) tea.Cmd {
	var jobs []client.Job
	for _, l := range seen {
		if l.row != nil && l.row.Job != nil && !l.row.Job.Status.Ended() && l.row.Job.Created.Before(f.newestTo) {
			jobs = append(jobs, *l.row.Job)
		}
	}
	if len(jobs) == 0 || !s.Connected() || f.err != nil {
		return nil
	}
	gen := nav.NewGen()
	f.older = gen
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		again, gone, err := s.Reread(ctx, jobs)
		return olderRead{gen, again, gone, err, now}
	}
}

func (f *feed) takeOlder(m olderRead) (changed bool) {
	f.older, f.olderDue = 0, m.asked.Add(serverEvery)
	if m.err != nil {
		return false // asking for the newest tells why
	}
	changed = f.list.TakeJobs(m.jobs)
	return f.list.Forget(m.gone) || changed
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
