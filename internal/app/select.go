package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cache"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/runner"
)

// Runs are the runs of this box that belong to the session's server and project,
// newest first, without their values; see LocalAnalyses.
func (s *Session) Runs() ([]runner.Run, error) { return s.runs() }

// AllRuns are the runs of this box of every server and project, newest first.
func (s *Session) AllRuns() ([]runner.Run, error) { return s.Env.Store.List() }

// Where says on what hardware an analysis ran, and of which server it is where that
// is not the session's.
func (s *Session) Where(a Analysis) string {
	if a.Run == nil || a.Run.Server.URL == s.Profile.URL {
		return a.Where()
	}
	return s.serverOf(a) + ": " + a.Where()
}

// firstPage and laterPages are how many jobs are asked for at once: few for
// the first frame, many while one searches.
const (
	firstPage  = 200
	laterPages = 1000
)

// Pager reads the jobs that a filter may mean, newest first, a page at a time. It
// is a value: a question in progress does not change it.
type Pager struct {
	Filter client.JobFilter
	// Names are parts of names of algorithms; Next asks for those by their ids.
	Names  []string
	Offset int
	Total  int  // of the jobs that the server has; -1 before the first answer
	Done   bool // there are no more
}

// NewPager reads jobs for a query. What the server can leave out it does.
func (s *Session) NewPager(q filter.Query) Pager {
	f := client.JobFilter{Project: s.Project.ID, WithParameters: q.NeedsFields()}
	f.CreatedAfter, f.CreatedBefore = q.Between()
	f.Statuses = statusesOf(q.Positive("state"))
	if by := q.Positive("by"); len(by) == 1 && by[0] == "me" && s.User.Username != "" {
		f.Usernames = []string{s.User.Username}
	}
	return Pager{Filter: f, Names: q.Positive("algorithm"), Total: -1}
}

// mostAlgorithms bounds how many a request names; URLs have an end.
const mostAlgorithms = 100

// withIDs turns names of algorithms into ids, once for all pages. Where the server
// knows none of such a name, or too many, all jobs are asked for: those of
// algorithms that have vanished keep the name.
func (s *Session) withIDs(ctx context.Context, p Pager) Pager {
	if p.Names == nil || p.Offset > 0 || p.Filter.Algorithms != nil {
		return p
	}
	all, err := s.Server.Algorithms(ctx, 0)
	if err != nil {
		return p
	}
	var ids []client.ID
	take := func(name string, id client.ID) {
		name = clean(name)
		if slices.ContainsFunc(p.Names, func(part string) bool { return strings.Contains(name, part) }) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, a := range all {
		take(a.Name, a.ID)
	}
	if len(ids) > 0 {
		// Jobs listed before may be of one that vanished while another has its name.
		kept, _, _ := s.KeptJobs()
		for _, j := range kept {
			take(j.AlgorithmName, j.Algorithm)
		}
	}
	if len(ids) <= mostAlgorithms {
		p.Filter.Algorithms = ids
	}
	return p
}

// statusesOf are the states of jobs that a condition on the state may mean; nil
// for all.
func statusesOf(words []string) []client.Status {
	if len(words) == 0 {
		return nil
	}
	var out []client.Status
	for st := client.NotLaunched; st <= client.Killed; st++ {
		state := jobState(&client.Job{Status: st})
		for _, w := range words {
			if strings.Contains(state.Word, w) || w == "live" && state.Live || w == "ended" && !state.Live {
				out = append(out, st)
				break
			}
		}
	}
	if len(out) > int(client.Killed) {
		return nil
	}
	if len(out) == 0 {
		// No job is so: a state that only runs have.
		return []client.Status{client.Status(-1)}
	}
	return out
}

// Same tells whether two pagers ask for the same jobs.
func (p Pager) Same(o Pager) bool {
	a, b := p.Filter, o.Filter
	return a.Project == b.Project && a.WithParameters == b.WithParameters && sameMinute(a.CreatedAfter, b.CreatedAfter) &&
		sameMinute(a.CreatedBefore, b.CreatedBefore) && slices.Equal(a.Statuses, b.Statuses) && slices.Equal(a.Usernames, b.Usernames) && slices.Equal(p.Names, o.Names)
}

// sameMinute compares times that a filter gives as so long ago.
func sameMinute(a, b time.Time) bool {
	return a.Equal(b) || !a.IsZero() && a.Sub(b).Abs() < time.Minute
}

// Everything tells that the pager asks for all jobs of the project.
func (p Pager) Everything() bool {
	f := p.Filter
	return f.CreatedAfter.IsZero() && f.CreatedBefore.IsZero() && f.Statuses == nil && f.Usernames == nil && p.Names == nil && f.Algorithms == nil
}

// Next asks for one page and gives the pager that goes on behind it.
func (s *Session) Next(ctx context.Context, p Pager) (client.JobPage, Pager, error) {
	if len(p.Filter.Statuses) == 1 && p.Filter.Statuses[0] < 0 {
		p.Done, p.Total = true, 0
		return client.JobPage{}, p, nil
	}
	p = s.withIDs(ctx, p)
	f := p.Filter
	f.Offset, f.Max = p.Offset, laterPages
	if p.Offset == 0 {
		f.Max = firstPage
	}
	page, err := s.Server.Jobs(ctx, f)
	if err != nil {
		return page, p, fmt.Errorf("cannot list the jobs of the server: %w", err)
	}
	p.Offset, p.Total = p.Offset+len(page.Jobs), page.Total
	p.Done = len(page.Jobs) == 0 || p.Offset >= page.Total
	return page, p, nil
}

// Reread asks once more, in one request, for jobs as they were listed. gone are those
// of them that the server has no more.
func (s *Session) Reread(ctx context.Context, jobs []client.Job) (now []client.Job, gone map[client.ID]bool, err error) {
	if len(jobs) == 0 {
		return nil, nil, nil
	}
	f := client.JobFilter{Project: s.Project.ID, Max: laterPages, CreatedAfter: jobs[0].Created, CreatedBefore: jobs[0].Created}
	gone = map[client.ID]bool{}
	for _, j := range jobs {
		gone[j.ID] = true
		if j.Created.Before(f.CreatedAfter) {
			f.CreatedAfter = j.Created
		}
		if j.Created.After(f.CreatedBefore) {
			f.CreatedBefore = j.Created
		}
	}
	page, err := s.Server.Jobs(ctx, f)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read jobs of the server again: %w", err)
	}
	if len(page.Jobs) < page.Total {
		return page.Jobs, nil, nil // the rest of them may still be there
	}
	for _, j := range page.Jobs {
		delete(gone, j.ID)
	}
	return page.Jobs, gone, nil
}

// mostKept bounds how many jobs are kept for the next start.
const mostKept = 2000

// KeepJobs keeps the newest jobs of the project for the next start.
func (s *Session) KeepJobs(rows []*Row) {
	var jobs []client.Job
	for _, r := range rows {
		if r.Job == nil || r.Job.Project != s.Project.ID {
			continue
		}
		j := *r.Job
		j.Raw, j.Parameters = nil, nil
		if jobs = append(jobs, j); len(jobs) == mostKept {
			break
		}
	}
	cache.Store(s.Env.answers(), s.answerKey("jobs of "+idText(s.Project.ID)), jobs)
}

// KeptJobs are the jobs of the project as the server listed them last, and how
// long ago that was.
func (s *Session) KeptJobs() (jobs []client.Job, age time.Duration, ok bool) {
	id := s.Project.ID
	if id == 0 {
		id = s.Profile.Project
	}
	return cache.Load[[]client.Job](s.Env.answers(), s.answerKey("jobs of "+idText(id)))
}

// Selection says which analyses are wanted.
type Selection struct {
	Filter string
	Max    int // analyses at most; 0 means 200
	// Algorithm narrows to one algorithm; 0 means all.
	Algorithm client.ID
	// AllProjects also lists runs of other projects and servers on this box.
	AllProjects bool
	// Seen, if not nil, hears how many jobs were looked at, of how many.
	Seen func(looked, total int)
}

// Select lists the analyses that a filter means, newest first. It reads pages of
// jobs until there are enough. If the server does not answer, what is known without
// it comes together with its error.
func (s *Session) Select(ctx context.Context, sel Selection) ([]*Row, error) {
	saved, err := s.Env.Filters()
	if err != nil {
		return nil, err
	}
	q, err := (filter.Language{Now: s.Env.Now(), Saved: saved}).Parse(sel.Filter)
	if err != nil {
		return nil, &FilterError{err}
	}
	if sel.Max <= 0 {
		sel.Max = firstPage
	}
	list := s.NewList()
	if list.marks, err = s.Marks(); err != nil {
		return nil, err
	}
	runs, err := s.runs()
	if sel.AllProjects {
		runs, err = s.Env.Store.List()
	}
	if err != nil {
		return nil, err
	}
	list.TakeRuns(slices.DeleteFunc(runs, func(r runner.Run) bool { return sel.Algorithm != 0 && r.Algorithm.ID != sel.Algorithm }))
	pager := s.NewPager(q)
	if sel.Algorithm != 0 {
		pager.Filter.Algorithms = []client.ID{sel.Algorithm}
	}
	for {
		var page client.JobPage
		page, pager, err = s.Next(ctx, pager)
		if err != nil {
			if jobs, age, ok := s.KeptJobs(); ok {
				list.TakeJobs(slices.DeleteFunc(jobs, func(j client.Job) bool { return sel.Algorithm != 0 && j.Algorithm != sel.Algorithm }))
				err = fmt.Errorf("%w; its jobs are shown as of %s ago", err, roughly(age))
			} else {
				err = fmt.Errorf("%w; the runs of this box are shown", err)
			}
			return list.chosen(s, q, sel.Max), err
		}
		list.TakeJobs(page.Jobs)
		if sel.Seen != nil && !pager.Done {
			sel.Seen(pager.Offset, pager.Total)
		}
		found := list.chosen(s, q, sel.Max)
		if pager.Done || len(found) >= sel.Max && surely(found, page) {
			if sel.Algorithm == 0 && pager.Everything() {
				s.KeepJobs(list.rows)
			}
			return found, nil
		}
	}
}

// surely tells that no later page can hold an analysis that belongs among those
// found: pages come newest first.
func surely(found []*Row, page client.JobPage) bool {
	last := page.Jobs[len(page.Jobs)-1]
	return !found[len(found)-1].Record.Created.Before(last.Created)
}

// chosen are the first analyses that match.
func (l *List) chosen(s *Session, q filter.Query, most int) []*Row {
	if q.NeedsFields() {
		l.TakeFields(s.Fields(l.WithoutFields()))
	}
	var out []*Row
	for _, r := range l.rows {
		if len(out) == most {
			break
		}
		if q.Match(&r.Record) {
			out = append(out, r)
		}
	}
	return out
}

// FilterError tells that a filter cannot be understood.
type FilterError struct{ Err error }

// Error says what, and how it is written.
func (e *FilterError) Error() string {
	return e.Err.Error() + "; write words and conditions such as state:failed by:me since:7d 'sigma>2'"
}

// Unwrap gives the cause.
func (e *FilterError) Unwrap() error { return e.Err }
