package analyses

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

// longWork bounds what is done to many analyses at once.
const longWork = 30 * time.Minute

// did tells the list that something was done to analyses.
type did struct {
	toast   nav.Toast
	deleted map[client.ID]bool // jobs that are gone
	forget  bool               // the marks of what was done go away
}

// these says which analyses are meant: "Nuclei #12" or "12 analyses".
func these(as []app.Analysis) string {
	if len(as) == 1 {
		return text.Line(as[0].Title())
	}
	return plural(len(as))
}

func plural(n int) string {
	if n == 1 {
		return "1 analysis"
	}
	return text.Count(n) + " analyses"
}

// each does something to analyses one after the other and says how that went.
func each(as []app.Analysis, done string, do func(context.Context, app.Analysis) error) nav.Toast {
	ctx, cancel := context.WithTimeout(context.Background(), longWork)
	defer cancel()
	var first error
	failed := 0
	for _, a := range as {
		if err := do(ctx, a); err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	switch {
	case failed == 0 && len(as) == 1:
		return nav.Toast{Text: done + " " + as[0].Title(), Tone: app.Busy}
	case failed == 0:
		return nav.Toast{Text: done + " " + plural(len(as)), Tone: app.Busy}
	case len(as) == 1:
		return nav.Toast{Text: first.Error(), Tone: app.Bad}
	}
	return nav.Toast{Text: fmt.Sprintf("%s %d of %s; %v", done, len(as)-failed, plural(len(as)), first), Tone: app.Bad}
}

// confirmCancel asks, with what would be lost.
func (m *Screen) confirmCancel(chosen []app.Analysis) tea.Cmd {
	var live []app.Analysis
	var spent time.Duration
	started, elsewhere := 0, 0
	for _, a := range chosen {
		switch {
		case !a.State().Live:
			continue
		case a.Run == nil:
			elsewhere++
			continue
		}
		live = append(live, a)
		if d := a.Duration(m.now); d > 0 {
			started++
			spent += d
		}
	}
	if len(live) == 0 {
		switch {
		case elsewhere > 0 && len(chosen) == 1:
			return nav.Say(these(chosen) + " does not run on this box; cancel it on the server")
		case len(chosen) == 1:
			return nav.Say(these(chosen) + " has ended already")
		}
		return nav.Say("none of them runs on this box")
	}
	lost := "It has not started yet."
	switch {
	case len(live) == 1 && started == 1:
		lost = fmt.Sprintf("It has run for %s.", text.Duration(spent))
	case started > 0:
		lost = fmt.Sprintf("%s, together %s.", countOf(started, "has run", "have run"), text.Duration(spent))
	case len(live) > 1:
		lost = "None of them has started yet."
	}
	if elsewhere > 0 {
		lost += fmt.Sprintf(" %s elsewhere and %s untouched.", countOf(elsewhere, "runs", "run"), word(elsewhere, "stays", "stay"))
	}
	title, yes, no := "cancel "+live[0].Title()+"?", "cancel it", "let it go on"
	if len(live) > 1 {
		title, yes, no = "cancel "+plural(len(live))+"?", "cancel them", "let them go on"
	}
	s := m.session
	return nav.Send(nav.Confirm{Title: title, Text: lost + " What was written to the server stays there.", Yes: yes, No: no, Do: func() tea.Msg {
		return did{toast: each(live, "cancelling", func(ctx context.Context, a app.Analysis) error { return s.Cancel(ctx, a) })}
	}})
}

func word(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func countOf(n int, one, many string) string { return fmt.Sprintf("%d %s", n, word(n, one, many)) }

// confirmRerun asks before several analyses are launched again as they were.
func (m *Screen) confirmRerun(chosen []app.Analysis) tea.Cmd {
	var spent time.Duration
	for _, a := range chosen {
		spent += a.Duration(m.now)
	}
	note := "With the values and in the containers that they had, as one group; they wait in the queue for each other."
	if spent > 0 {
		note += fmt.Sprintf(" The last time they took %s together.", text.Duration(spent))
	}
	s := m.session
	return nav.Send(nav.Confirm{
		Title: "launch " + plural(len(chosen)) + " again?", Text: note, Yes: "launch them", No: "leave it",
		Do: func() tea.Msg { return launchAgain(s, chosen) },
	})
}

// launchAgain launches all of them or none.
func launchAgain(s *app.Session, chosen []app.Analysis) tea.Msg {
	ctx, cancel := context.WithTimeout(context.Background(), longWork)
	defer cancel()
	group := runner.NewGroupID(s.Env.Now())
	var requests []app.LaunchRequest
	for _, a := range chosen {
		r, err := s.Rerun(ctx, a, "", "")
		if err != nil {
			return did{toast: nav.Toast{Text: fmt.Sprintf("nothing was launched: %s: %v", a.Title(), err), Tone: app.Bad}}
		}
		r.Request.Group, r.Request.From = group, ""
		requests = append(requests, r.Request)
	}
	runs, err := s.LaunchAll(ctx, requests)
	if err != nil {
		return did{toast: nav.Toast{Text: err.Error(), Tone: app.Bad}}
	}
	return nav.Launched{Runs: runs}
}

// confirmDelete asks before analyses that have ended are taken away. Those that a
// person wants to keep are left out.
func (m *Screen) confirmDelete(chosen []app.Analysis) tea.Cmd {
	var gone []app.Analysis
	live, kept, runs, jobs := 0, 0, 0, 0
	for _, a := range chosen {
		switch {
		case a.State().Live:
			live++
			continue
		case m.marks.Of(a).Kept():
			kept++
			continue
		}
		gone = append(gone, a)
		if a.Run != nil {
			runs++
		}
		if a.JobID() != 0 {
			jobs++
		}
	}
	if len(gone) == 0 {
		if kept > 0 {
			return nav.Say("what has a star or the tag keep is not deleted; * takes a star away")
		}
		return nav.Say("an analysis that has not ended cannot be deleted; x cancels it")
	}
	var what []string
	if runs > 0 {
		what = append(what, countOf(runs, "run folder with its log", "run folders with their logs")+" on this box")
	}
	if jobs > 0 {
		what = append(what, countOf(jobs, "job with all annotations and files it wrote", "jobs with all annotations and files they wrote")+" on the server")
	}
	note := strings.Join(what, ", and ") + ". This cannot be undone."
	if kept > 0 {
		note += " " + countOf(kept, "has a star or the tag keep and stays", "have a star or the tag keep and stay") + "."
	}
	if live > 0 {
		note += " " + countOf(live, "has not ended and stays", "have not ended and stay") + "."
	}
	title, yes := "delete "+gone[0].Title()+"?", "delete it"
	if len(gone) > 1 {
		title, yes = "delete "+plural(len(gone))+"?", "delete them"
	}
	s := m.session
	return nav.Send(nav.Confirm{Title: title, Text: note, Yes: yes, No: "keep " + word(len(gone), "it", "them"), Do: func() tea.Msg { return deleteAll(s, gone) }})
}

func deleteAll(s *app.Session, gone []app.Analysis) tea.Msg {
	jobs := map[client.ID]bool{}
	stays := 0
	var why error
	toast := each(gone, "deleted", func(ctx context.Context, a app.Analysis) error {
		d, err := s.Delete(ctx, a)
		if d.Job || errors.Is(err, client.ErrNotFound) {
			jobs[a.JobID()] = true
		}
		if d.Stays != nil {
			stays++
			why = d.Stays
		}
		return err
	})
	if stays > 0 {
		toast = nav.Toast{Text: fmt.Sprintf("%s; %s on the server: %v", toast.Text, countOf(stays, "job stays", "jobs stay"), why), Tone: app.Warn}
	} else if toast.Tone == app.Busy {
		toast.Tone = app.Quiet
	}
	return did{toast: toast, deleted: jobs, forget: true}
}
