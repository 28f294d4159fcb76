package app

import (
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Row is one analysis of a List, with what a screen asks at each key. The record
// comes first: a filter reads nothing else of 100,000 rows, and each line of memory
// that it has to fetch takes longer than what it does with it.
type Row struct {
	Record filter.Record
	Analysis
	ID   string // Analysis.Key
	Mark Mark
}

// List is what is known of the analyses of a session: the jobs that pages of the
// server brought and the runs of this box, joined, each once, newest first. It is
// fed with answers and asks nobody itself. It is not safe for concurrent use; what
// Rows returned stays as it is when more is taken.
type List struct {
	url, person string
	now         func() time.Time
	marks       Marks
	rows        []*Row
	byRun       map[string]*Row
	byJob       map[client.ID]*Row
}

// NewList makes an empty list.
func (s *Session) NewList() *List {
	return &List{
		url: s.Profile.URL, person: s.User.Username, now: s.Env.Now,
		byRun: map[string]*Row{}, byJob: map[client.ID]*Row{},
	}
}

// Rows are the analyses, newest first.
func (l *List) Rows() []*Row { return l.rows }

// Len is how many analyses are known.
func (l *List) Len() int { return len(l.rows) }

// Know tells who asks, once the server has said it.
func (l *List) Know(s *Session) {
	if l.person == s.User.Username {
		return
	}
	l.person = s.User.Username
	for _, r := range l.rows {
		l.prepare(r)
	}
}

// TakeMarks replaces the stars, notes and tags.
func (l *List) TakeMarks(m Marks) {
	l.marks = m
	for _, r := range l.rows {
		if now := m.Of(r.Analysis); !sameMark(now, r.Mark) {
			l.prepare(r)
		}
	}
}

func sameMark(a, b Mark) bool {
	return a.Star == b.Star && a.Favorite == b.Favorite && a.Note == b.Note && slices.Equal(a.Tags, b.Tags)
}

// TakeFields adds the parameters and results of analyses by their keys.
func (l *List) TakeFields(fields map[string][]filter.Field) {
	for _, r := range l.rows {
		if f, ok := fields[r.ID]; ok {
			r.Record.Fields = f
		}
	}
}

// WithoutFields are the analyses whose parameters and results can be read and are
// not yet.
func (l *List) WithoutFields() []Analysis {
	var out []Analysis
	for _, r := range l.rows {
		if r.Record.Fields == nil && (r.Run != nil || r.Job.Parameters != nil) {
			out = append(out, r.Analysis)
		}
	}
	return out
}

// TakeRuns replaces the runs of this box, and tells whether anything changed.
func (l *List) TakeRuns(runs []runner.Run) (changed bool) {
	present := make(map[string]bool, len(runs))
	var fresh []*Row
	gone := map[*Row]bool{}
	for i := range runs {
		run := runs[i]
		present[run.ID] = true
		row := l.byRun[run.ID]
		if row == nil {
			row = &Row{}
			// The job may be known already, from before its run was.
			if of := l.ofJob(run); of != nil && of.Run == nil { // nobody's yet
				row = of
			} else {
				fresh = append(fresh, row)
			}
			l.byRun[run.ID] = row
		} else if sameRun(row.Run, &run) {
			continue
		}
		if row.Run != nil && row.Run.State != run.State {
			row.Job = nil // as it was read before, it says nothing of the run as it is now
		}
		row.Run = &run
		row.Record.Fields = nil // its results may be there now
		of := l.ofJob(run)
		switch {
		case of == nil || of == row:
		case of.Run == nil:
			row.Job = of.Job
			gone[of] = true
		case run.Created.After(of.Run.Created):
			// On EXACT a run may redo the job of an earlier one: it is the newest's.
			row.Job, of.Job = of.Job, nil
			l.prepare(of)
		}
		if run.Job != 0 && run.Server.URL == l.url && (of == nil || of.Run == nil || !of.Run.Created.After(run.Created)) {
			l.byJob[run.Job] = row
		}
		l.prepare(row)
		changed = true
	}
	for id, row := range l.byRun {
		if present[id] {
			continue
		}
		changed = true
		delete(l.byRun, id)
		row.Run = nil
		if row.Job == nil {
			gone[row] = true
			for job, r := range l.byJob {
				if r == row {
					delete(l.byJob, job)
				}
			}
			continue
		}
		l.prepare(row)
	}
	l.drop(gone)
	l.add(fresh)
	return changed
}

// ofJob is the row of a run's job, if that is on this server and known.
func (l *List) ofJob(run runner.Run) *Row {
	if run.Job == 0 || run.Server.URL != l.url {
		return nil
	}
	return l.byJob[run.Job]
}

// TakeJobs adds jobs, or replaces what was known of them, and tells whether
// anything changed.
func (l *List) TakeJobs(jobs []client.Job) (changed bool) {
	var fresh []*Row
	for i := range jobs {
		job := &jobs[i]
		row := l.byJob[job.ID]
		if row == nil {
			if of := l.byRun[runOf(*job)]; of != nil && of.Run.Job == 0 && of.Run.Server.URL == l.url {
				row = of
			}
		}
		if row == nil {
			row = &Row{}
			fresh = append(fresh, row)
		} else if row.Job != nil && sameJob(row.Job, job) {
			continue
		}
		if row.Job != nil && job.Parameters == nil {
			job.Parameters = row.Job.Parameters // a light list does not take away what a full one brought
		}
		row.Job = job
		l.byJob[job.ID] = row
		l.prepare(row)
		changed = true
	}
	l.add(fresh)
	return changed
}

// TakeNewest takes the first page of all jobs. Jobs that were known and are newer
// than its last are no longer on the server.
func (l *List) TakeNewest(page client.JobPage) (changed bool) {
	changed = l.TakeJobs(page.Jobs)
	present := make(map[client.ID]bool, len(page.Jobs))
	var oldest time.Time
	for _, j := range page.Jobs {
		present[j.ID] = true
		if oldest.IsZero() || j.Created.Before(oldest) {
			oldest = j.Created
		}
	}
	all := page.Offset == 0 && len(page.Jobs) >= page.Total
	gone := map[client.ID]bool{}
	for id, row := range l.byJob {
		if row.Job != nil && !present[id] && (all || row.Job.Created.After(oldest) && !oldest.IsZero()) {
			gone[id] = true
		}
	}
	return l.Forget(gone) || changed
}

// Forget takes jobs away that are no longer on the server.
func (l *List) Forget(jobs map[client.ID]bool) (changed bool) {
	gone := map[*Row]bool{}
	for id := range jobs {
		row := l.byJob[id]
		if row == nil || row.Job == nil {
			continue
		}
		changed = true
		row.Job = nil
		if row.Run == nil {
			gone[row] = true
			delete(l.byJob, id)
		} else {
			l.prepare(row)
		}
	}
	l.drop(gone)
	return changed
}

func (l *List) drop(gone map[*Row]bool) {
	if len(gone) == 0 {
		return
	}
	l.rows = slices.DeleteFunc(slices.Clone(l.rows), func(r *Row) bool { return gone[r] })
}

// add merges new rows into the order. Pages come in that order, so this is linear.
func (l *List) add(fresh []*Row) {
	if len(fresh) == 0 {
		return
	}
	newer := func(a, b *Row) int { return b.Record.Created.Compare(a.Record.Created) }
	slices.SortStableFunc(fresh, newer)
	merged := make([]*Row, 0, len(l.rows)+len(fresh))
	old := l.rows
	for len(old) > 0 && len(fresh) > 0 {
		if newer(fresh[0], old[0]) < 0 {
			merged, fresh = append(merged, fresh[0]), fresh[1:]
		} else {
			merged, old = append(merged, old[0]), old[1:]
		}
	}
	l.rows = append(append(merged, old...), fresh...)
}

// sameRun tells whether nothing changed that is shown of a run. What its spec says
// never changes.
func sameRun(a, b *runner.Run) bool {
	switch {
	case a.State != b.State, a.Reason != b.Reason, a.Cancelling != b.Cancelling, a.Job != b.Job, a.JobNumber != b.JobNumber,
		a.Progress != b.Progress, !a.Started.Equal(b.Started), !a.Ended.Equal(b.Ended), a.Ticket != b.Ticket,
		(a.Problem == nil) != (b.Problem == nil), (a.Result == nil) != (b.Result == nil):
		return false
	case a.Result == nil:
		return true
	}
	x, y := a.Result, b.Result
	return x.State == y.State && x.Reason == y.Reason && x.Advice == y.Advice && x.Confirmed == y.Confirmed &&
		x.Unreported == y.Unreported && x.FirstError == y.FirstError && x.Annotations == y.Annotations && slices.Equal(x.Warnings, y.Warnings)
}

func sameJob(a, b *client.Job) bool {
	return a.Status == b.Status && a.Progress == b.Progress && a.Comment == b.Comment && a.Updated.Equal(b.Updated) &&
		a.Number == b.Number && a.DataDeleted == b.DataDeleted && a.Favorite == b.Favorite && a.AlgorithmName == b.AlgorithmName &&
		(b.Parameters == nil || a.Parameters != nil)
}

// prepare makes what a filter asks of a row.
func (l *List) prepare(r *Row) {
	fields := r.Record.Fields
	r.ID, r.Mark = r.Key(), l.marks.Of(r.Analysis)
	r.Record = l.Record(r.Analysis)
	r.Record.Fields = fields
}

// Record is what a filter asks of an analysis, without its parameters and results.
func (l *List) Record(a Analysis) filter.Record {
	mark, state := l.marks.Of(a), a.State()
	name, version := a.NameAndVersion()
	why := a.FirstError()
	if reason := a.Reason(); why == "" {
		why = reason
	} else if reason != why {
		why += " " + reason
	}
	note := mark.Note
	rec := filter.Record{
		State: clean(state.Word), By: clean(a.Person()), Algorithm: clean(name), Version: clean(version), Where: clean(a.Where()),
		Error: clean(why), Tags: mark.Tags, Star: mark.Starred(), Mine: l.mine(a), Live: state.Live, Here: a.Run != nil,
		Created: a.Created(), Took: a.Duration(l.now()), Progress: a.Progress(), Number: a.Number(), Annotations: -1,
	}
	if a.Run != nil {
		rec.ID, rec.Group, rec.Ended = a.Run.ID, a.Run.Group, a.Run.Ended
		if a.Run.Note != "" {
			note = strings.TrimSpace(note + " " + a.Run.Note)
		}
		if a.Run.Result != nil {
			rec.Annotations = a.Run.Result.Annotations
		}
	} else if a.Job != nil && !state.Live {
		rec.Ended = a.Job.Updated
	}
	if id := a.JobID(); id != 0 {
		rec.Job = idText(id)
	}
	image := ""
	if a.Run != nil {
		image = clean(a.Run.Image.Name)
	}
	rec.Note = clean(note)
	rec.Old = a.Stuck(l.now()) > 0
	rec.Text = strings.Join([]string{clean(a.Title()), rec.Version, rec.State, rec.By, rec.Where, rec.Error, rec.Note, strings.Join(rec.Tags, " "), a.Key(), rec.Job, rec.Group, image}, "\n")
	return rec
}

func (l *List) mine(a Analysis) bool {
	if l.person == "" {
		return a.Run != nil // whoever runs this program launched the runs of this box
	}
	if a.Run != nil && a.Run.Server.URL != l.url {
		return true // the same, under another name there
	}
	return a.Person() == l.person
}

// clean is text as it is compared: as it is shown, in lower case.
func clean(s string) string { return strings.ToLower(text.Line(s)) }

// NameAndVersion parts the algorithm's name from its version, which a job knows
// only as "name (version)".
func (a Analysis) NameAndVersion() (name, version string) {
	if a.Run != nil {
		return a.Run.Algorithm.Name, a.Run.Algorithm.Version
	}
	full := a.Name()
	if i := strings.LastIndex(full, " ("); i > 0 && strings.HasSuffix(full, ")") {
		return full[:i], full[i+2 : len(full)-1]
	}
	return full, ""
}

// stuckAfter is how long a job that nobody here runs may show no change before it
// is said to be stuck (contract §7.7: such jobs stay so for ever).
const stuckAfter = 24 * time.Hour

// Stuck is for how long a job that runs elsewhere has shown no change although it
// has not ended, or 0 while that is nothing to mention. Indeterminate ones are
// always worth it.
func (a Analysis) Stuck(now time.Time) time.Duration {
	if a.Run != nil || a.Job == nil || a.Job.Status.Ended() {
		return 0
	}
	last := a.Job.Created
	if a.Job.Updated.After(last) {
		last = a.Job.Updated
	}
	if quiet := now.Sub(last); quiet > stuckAfter || quiet > 0 && a.Job.Status == client.Indeterminate {
		return quiet
	}
	return 0
}

// Newest are the newest analyses, as many as KeepJobs keeps.
func (l *List) Newest(s *Session) []*Row {
	out := make([]*Row, 0, min(len(l.rows), mostKept))
	for _, r := range l.rows {
		if r.Job == nil || r.Job.Project != s.Project.ID {
			continue
		}
		// A copy: rows change while this one is written to a file.
		if out = append(out, &Row{Analysis: r.Analysis}); len(out) == mostKept {
			break
		}
	}
	return out
}
