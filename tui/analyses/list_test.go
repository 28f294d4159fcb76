package analyses

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// job makes a job on the server that ran elsewhere.
func job(t *testing.T, site *tuitest.Site, algorithm string, status client.Status, sigma string) client.Job {
	t.Helper()
	a := site.Algorithm(algorithm)
	n := client.NewJob{Project: site.Session.Project.ID, Algorithm: a.ID}
	for _, p := range a.Parameters {
		if p.ID == "sigma" {
			n.Parameters = append(n.Parameters, client.NewJobParameter{Parameter: p.ServerID, Value: sigma})
		}
	}
	j, err := site.Session.Server.CreateJob(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	j, err = site.Session.Server.UpdateJob(context.Background(), j.ID, func(c *client.JobChange) error { c.Status = status; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestFilterByParametersOfRunsAndJobs(t *testing.T) {
	site := full(t)
	job(t, site, "nuclei-segmentation", client.Success, "7")
	for filter, want := range map[string]int{
		"sigma>2":                        2,
		"sigma:1..3 state:succeeded":     2,
		"sigma=7.0":                      1,
		"-sigma>2":                       3,
		"param.sigma<=3 algorithm:stain": 1,
		"nosuch>1":                       0,
	} {
		m, d := open(t, site, 80, 20)
		d.Send(nav.OpenAnalyses{Filter: filter})
		d.Until(fmt.Sprintf("%q leaves %d", filter, want), func() bool {
			return m.view.shown == want && m.feed.fields == 0 && m.feed.page == 0
		})
	}
}

func TestAFilterThatCannotBeUnderstoodSaysSo(t *testing.T) {
	_, d := open(t, full(t), 120, 20)
	d.Send(nav.OpenAnalyses{Filter: "since:tomorrow"})
	d.Shows("write 7d")
}

func TestMoreJobsComeAsOneScrolls(t *testing.T) {
	site := tuitest.New(t)
	a := site.Algorithm("stain-density")
	for range 230 {
		if _, err := site.Session.Server.CreateJob(context.Background(), client.NewJob{Project: site.Session.Project.ID, Algorithm: a.ID}); err != nil {
			t.Fatal(err)
		}
	}
	m, d := open(t, site, 80, 20)
	if n := m.feed.list.Len(); n != 200 {
		t.Fatalf("%d at first", n)
	}
	d.Shows("200 of 230")
	d.Press("end")
	d.Until("all have come", func() bool { return m.feed.list.Len() == 230 })
	d.Press("end")
	d.Fits(80, 20)
}

func TestJobsOfAnEarlierLookAreShownUntilTheServerAnswers(t *testing.T) {
	site := full(t)
	job(t, site, "stain-density", client.Success, "")
	_, d := open(t, site, 120, 25)
	d.Until("it is kept", func() bool { _, _, ok := site.Session.KeptJobs(); return ok })
	site.Down()
	m := New(site.Unconnected)
	d = tuitest.Drive(t, m, 120, 25)
	d.Until("what was kept is there", func() bool { return m.feed.list.Len() == 5 })
	d.Shows("as of just now")
	d.Send(nav.Link{Err: client.ErrUnreachable})
	d.Shows("server away, as of just now")
}

func TestStarNoteAndTagsAreKeptAndFiltered(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 120, 25)
	a, _ := m.current()
	d.Press("*")
	d.UntilShows("★ stain-density")
	d.Press("n")
	d.Type("the good one")
	d.Press("enter")
	d.UntilShows("the good one")
	d.Press("t")
	d.Type("Paper, fig2 -none")
	d.Press("enter")
	d.Until("tags are kept", func() bool { return fmt.Sprint(m.marks.Of(a).Tags) == "[fig2 paper]" })
	d.Press("t")
	d.Type("-paper")
	d.Press("enter")
	d.Until("a tag is gone", func() bool { return fmt.Sprint(m.marks.Of(a).Tags) == "[fig2]" })
	for _, filter := range []string{"is:starred", "tag:fig", "note:good", "fig2 good"} {
		d.Send(nav.OpenAnalyses{Filter: filter})
		if m.view.shown != 1 {
			t.Errorf("%q leaves %d", filter, m.view.shown)
		}
	}
	other, d := open(t, site, 120, 25)
	if !other.marks.Of(a).Star {
		t.Error("another program does not see the star")
	}
	d.Press("*")
	d.Until("the star is gone", func() bool { return !other.marks.Of(a).Star })
}

func TestFiltersAreSavedUsedAndForgotten(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 100, 25)
	d.Send(nav.OpenAnalyses{Filter: "state:succeeded sigma>2"})
	d.Press("S")
	d.Type("wide")
	d.Press("enter")
	d.UntilShows("state:succeeded")
	d.Until("it is saved", func() bool { return m.saved["wide"] != "" })
	d.Send(nav.OpenAnalyses{Filter: "@wide"})
	d.Until("it is used", func() bool { return m.view.shown == 1 })
	s := newSaved(m)
	sd := tuitest.Drive(t, s, 80, 20)
	sd.Shows("@wide", "@night", "by:me")
	sd.Press("end", "enter")
	if use := tuitest.UntilSent[nav.OpenAnalyses](sd); use.Filter != "state:succeeded sigma>2" {
		t.Errorf("uses %q", use.Filter)
	}
	sd.Press("x")
	d.Send(tuitest.UntilSent[filtersSaved](sd))
	if m.saved["wide"] != "" {
		t.Error("it is not forgotten")
	}
	d.Send(nav.OpenAnalyses{Filter: "@wide"})
	d.Shows("no saved filter @wide")
}

// sweep makes a group of four runs, the third of which failed.
func sweep(t *testing.T) *tuitest.Site {
	site := tuitest.New(t)
	for i, state := range []runner.State{runner.Succeeded, runner.Succeeded, runner.Failed, runner.Running} {
		site.Run("nuclei-segmentation", state, func(s *runner.Spec) {
			with(fmt.Sprint(i), time.Duration(10-i)*time.Minute)(s)
			s.Group = "g-sweep"
		}, &runner.Result{Reason: "exit code 1"})
	}
	site.Run("stain-density", runner.Succeeded, with("1", time.Hour), nil)
	return site
}

func TestAGroupIsOneLineUntilItIsUnfolded(t *testing.T) {
	m, d := open(t, sweep(t), 140, 30)
	if len(m.view.lines) != 2 || m.view.shown != 5 {
		t.Fatalf("%d lines of %d", len(m.view.lines), m.view.shown)
	}
	d.Shows("nuclei-segmentation ×4", "2 succeeded", "1 failed", "75%")
	d.Press("enter")
	if len(m.view.lines) != 6 {
		t.Fatalf("%d lines unfolded", len(m.view.lines))
	}
	d.UntilShows("sigma 2")
	d.Press("down", "z")
	if len(m.view.lines) != 2 || m.head() == nil {
		t.Errorf("%d lines folded, head %v", len(m.view.lines), m.head())
	}
	d.Press("c")
	if c := tuitest.UntilSent[nav.OpenCompare](d); len(c.Analyses) != 4 || c.Analyses[0].Number() != 1 {
		t.Errorf("compares %d, the oldest being %s", len(c.Analyses), c.Analyses[0].Title())
	}
	d.Press("space")
	d.Shows("4 marked", "✚")
	d.Press("U")
	d.Hides("marked")
	d.Send(nav.OpenAnalyses{Filter: "state:failed"})
	if len(m.view.lines) != 1 || m.head() != nil {
		t.Error("one analysis alone is no group")
	}
	for _, s := range sizes {
		_, d := open(t, sweep(t), s.w, s.h)
		d.Fits(s.w, s.h)
		d.Press("enter", "down")
		d.Fits(s.w, s.h)
	}
}

func TestFailuresComeFirstAfterANight(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 120, 25)
	d.Send(opened{gen: 0}) // nobody waits for it
	m.feed.opening = nav.NewGen()
	m.view.since = time.Time{}
	d.Send(opened{gen: m.feed.opening, seen: time.Now().Add(-10 * time.Hour)})
	if a := m.view.lines[0].row; a.State().Tone != app.Bad {
		t.Errorf("first is %s", a.State().Word)
	}
	d.Shows("failed first")
	d.Press("o", "o", "o")
	if a := m.view.lines[0].row; a.State().Word != "running" {
		t.Errorf("newest is %s", a.State().Word)
	}
}

func TestStuckJobsSayForHowLong(t *testing.T) {
	site := tuitest.New(t)
	job(t, site, "stain-density", client.Indeterminate, "")
	job(t, site, "stain-density", client.Waiting, "")
	job(t, site, "stain-density", client.Previewed, "")
	m, d := open(t, site, 130, 20)
	d.Shows("indeterminate", "waiting", "previewed")
	m.now = time.Now().Add(50 * time.Hour)
	m.table.Touch()
	d.Shows("no news for 2 d", "end unknown for 2 d")
}

func TestManyAreCancelledDeletedAndLaunchedAgainWithOneQuestion(t *testing.T) {
	site := sweep(t)
	elsewhere := job(t, site, "stain-density", client.Success, "")
	m, d := open(t, site, 120, 30)
	d.Press("A")
	d.Shows("6 marked")
	d.Press("x")
	if ask := tuitest.UntilSent[nav.Confirm](d); !strings.Contains(ask.Title, "nuclei-segmentation #4") || !strings.Contains(ask.Text, "It has run for") {
		t.Errorf("asks %q %q", ask.Title, ask.Text)
	}
	d.Press("r")
	d.Until("it asks", func() bool {
		c, ok := d.Sent[len(d.Sent)-1].(nav.Confirm)
		return ok && c.Title == "launch 6 analyses again?"
	})
	star := m.feed.list.Rows()[2].Analysis // the one that failed
	d.Do(m.star([]app.Analysis{star}))
	d.Until("it has a star", func() bool { return m.marks.Of(star).Star })
	d.Press("D")
	var ask nav.Confirm
	d.Until("it asks", func() bool {
		c, ok := d.Sent[len(d.Sent)-1].(nav.Confirm)
		ask = c
		return ok && strings.HasPrefix(c.Title, "delete")
	})
	if ask.Title != "delete 4 analyses?" || !strings.Contains(ask.Text, "3 run folders") || !strings.Contains(ask.Text, "1 job with all") ||
		!strings.Contains(ask.Text, "1 has a star") || !strings.Contains(ask.Text, "1 has not ended") {
		t.Errorf("asks %q %q", ask.Title, ask.Text)
	}
	d.Do(ask.Do)
	d.Until("they are gone", func() bool { return m.feed.list.Len() == 2 })
	if _, err := site.Session.Server.Job(context.Background(), elsewhere.ID); err == nil {
		t.Error("the job is still there")
	}
	if runs, _ := site.Session.Runs(); len(runs) != 2 {
		t.Errorf("%d runs are left", len(runs))
	}
}

func TestDeletedResultsAreSaidToBe(t *testing.T) {
	site := tuitest.New(t)
	j := job(t, site, "stain-density", client.Success, "")
	if err := site.Session.Server.(client.ResultDeleter).DeleteResults(context.Background(), j.ID); err != nil {
		t.Fatal(err)
	}
	_, d := open(t, site, 120, 25)
	d.Shows("results deleted", "deleted on the server")
}
