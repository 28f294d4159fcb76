package analyses

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
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

// list is what is known of the analyses, newest first, and what the filter
// leaves of it.
type list struct {
	all   []app.Analysis
	shown []int
	fuzzy widget.Fuzzy

	answered bool  // somebody has answered since the project was opened
	err      error // of the last question to the server

	runs, server       nav.Gen // questions on their way, 0 for none
	runsDue, serverDue time.Time
}

// listed answers a question for runs or for everything.
type listed struct {
	gen    nav.Gen
	server bool
	all    []app.Analysis
	err    error
	asked  time.Time
	took   time.Duration
}

func (l *list) forget() { *l = list{} }

func (l *list) at(i int) app.Analysis { return l.all[l.shown[i]] }

func (l *list) readRunsIfDue(s *app.Session, now time.Time) tea.Cmd {
	if l.runs != 0 || now.Before(l.runsDue) {
		return nil
	}
	return l.readRuns(s, now)
}

// readRuns reads the runs of this box.
func (l *list) readRuns(s *app.Session, now time.Time) tea.Cmd {
	gen := nav.NewGen()
	l.runs = gen
	return func() tea.Msg {
		start := time.Now()
		all, err := s.LocalAnalyses()
		return listed{gen: gen, all: all, err: err, asked: now, took: time.Since(start)}
	}
}

func (l *list) askServerIfDue(s *app.Session, now time.Time) tea.Cmd {
	if l.server != 0 || now.Before(l.serverDue) {
		return nil
	}
	return l.askServer(s, now)
}

// askServer lists jobs and runs together.
func (l *list) askServer(s *app.Session, now time.Time) tea.Cmd {
	if !s.Connected() {
		return nil
	}
	gen := nav.NewGen()
	l.server = gen
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		all, err := s.Analyses(ctx, app.AnalysisQuery{})
		return listed{gen: gen, server: true, all: all, err: err, asked: now}
	}
}

// take tells whether an answer was awaited and whether it changed anything.
func (l *list) take(m listed) (mine, changed bool) {
	switch {
	case m.server && m.gen == l.server:
		l.server, l.serverDue = 0, m.asked.Add(serverEvery)
		l.err, l.answered = m.err, true
		if m.err != nil {
			return true, l.merge(m.all)
		}
		changed = !reflect.DeepEqual(l.all, m.all)
		l.all = m.all
		return true, changed
	case !m.server && m.gen == l.runs:
		l.runs = 0
		l.runsDue = m.asked.Add(max(runsEvery, m.took*runsShare))
		if m.err != nil {
			l.err = m.err
			return true, false
		}
		return true, l.merge(m.all)
	}
	return false, false
}

// merge brings the runs up to date and keeps what the server said of jobs.
func (l *list) merge(runs []app.Analysis) (changed bool) {
	byRun := make(map[string]int, len(runs))
	for i, a := range runs {
		byRun[a.Run.ID] = i
	}
	merged := make([]app.Analysis, 0, len(l.all)+1)
	jobs := map[int64]bool{}
	for _, a := range l.all {
		if a.Run != nil {
			i, here := byRun[a.Run.ID]
			if !here && a.Job == nil {
				changed = true
				continue
			}
			fresh := app.Analysis{Job: a.Job}
			if here {
				fresh.Run = runs[i].Run
				delete(byRun, a.Run.ID)
			}
			changed = changed || !reflect.DeepEqual(fresh.Run, a.Run)
			a = fresh
		}
		if id := a.JobID(); id != 0 && a.Run != nil {
			jobs[int64(id)] = true
		}
		merged = append(merged, a)
	}
	if len(byRun) > 0 {
		changed = true
		for _, a := range runs {
			if _, isNew := byRun[a.Run.ID]; isNew {
				merged = append(merged, a)
				jobs[int64(a.JobID())] = true
			}
		}
	}
	// A job that was listed alone until its run recorded it is the same analysis.
	merged = slices.DeleteFunc(merged, func(a app.Analysis) bool { return a.Run == nil && jobs[int64(a.JobID())] })
	slices.SortStableFunc(merged, func(a, b app.Analysis) int { return b.Created().Compare(a.Created()) })
	l.all = merged
	return changed
}

// narrow leaves what the filter asks for, in its order of time.
func (l *list) narrow(filter, me string) {
	q := widget.ParseQuery(filter, "state", "by", "algorithm", "where")
	names, more := make([]string, len(l.all)), make([]string, len(l.all))
	for i, a := range l.all {
		names[i] = text.Line(a.Title())
		more[i] = text.Line(strings.Join([]string{a.Name(), a.State().Word, a.Person(), a.Where(), a.Reason(), a.FirstError(), a.Key()}, " "))
	}
	l.fuzzy.Whole = true
	l.fuzzy.SetLines(names, more)
	l.shown = l.fuzzy.Find(strings.Join(q.Words, " "))
	slices.Sort(l.shown)
	l.shown = slices.DeleteFunc(l.shown, func(i int) bool {
		return slices.ContainsFunc(q.Fields, func(f widget.QueryField) bool { return !matches(l.all[i], f, me) })
	})
}

// matches tells whether an analysis has what a field asks for.
func matches(a app.Analysis, f widget.QueryField, me string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(text.Line(s)), f.Value) }
	switch f.Name {
	case "state":
		return has(a.State().Word) || f.Value == "live" && a.State().Live
	case "by":
		return has(a.Person()) || f.Value == "me" && me != "" && a.Person() == me
	case "where":
		return has(a.Where())
	}
	return has(a.Name())
}
