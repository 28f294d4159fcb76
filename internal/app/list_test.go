package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

func keysOf(rows []*Row) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return fmt.Sprint(out)
}

func testList() *List {
	return (&Session{Env: &Env{Now: time.Now}}).NewList()
}

func TestAListJoinsJobsAndRunsOnce(t *testing.T) {
	l := testList()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	run := func(id string, hours int, job client.ID) runner.Run {
		r := runner.Run{Job: job, State: runner.Running}
		r.ID, r.Created = id, at.Add(time.Duration(hours)*time.Hour)
		return r
	}
	job := func(id client.ID, hours int, comment string) client.Job {
		return client.Job{ID: id, Created: at.Add(time.Duration(hours) * time.Hour), Status: client.Success, Comment: comment}
	}
	l.TakeRuns([]runner.Run{run("a", 1, 11), run("b", 4, 0)})
	l.TakeJobs([]client.Job{job(10, 0, ""), job(11, 1, ""), job(14, 4, "cytorun b"), job(15, 5, "")})
	if got := keysOf(l.Rows()); got != "[job:15 b a job:10]" {
		t.Fatalf("rows %s", got)
	}
	if l.Rows()[1].Job == nil || l.Rows()[1].Job.ID != 14 {
		t.Error("the job that names the run in its comment is not joined")
	}
	// A job that was listed alone until its run recorded it is the same analysis.
	l.TakeRuns([]runner.Run{run("a", 1, 11), run("b", 4, 14), run("c", 5, 15)})
	if got := keysOf(l.Rows()); got != "[c b a job:10]" {
		t.Errorf("rows %s", got)
	}
	if l.TakeRuns([]runner.Run{run("a", 1, 11), run("b", 4, 14), run("c", 5, 15)}) {
		t.Error("the same runs are a change")
	}
	// Runs that are deleted leave their jobs.
	l.TakeRuns([]runner.Run{run("b", 4, 14)})
	if got := keysOf(l.Rows()); got != "[job:15 b job:11 job:10]" {
		t.Errorf("rows %s", got)
	}
	// Jobs that the newest page does not have any more are gone.
	l.TakeNewest(client.JobPage{Jobs: []client.Job{job(15, 5, ""), job(11, 1, "")}, Total: 3})
	if got := keysOf(l.Rows()); got != "[job:15 b job:11 job:10]" {
		t.Errorf("rows %s", got)
	}
	if l.Rows()[1].Job != nil {
		t.Error("the job of b is still there")
	}
	l.TakeNewest(client.JobPage{Jobs: []client.Job{job(15, 5, "")}, Total: 1})
	if got := keysOf(l.Rows()); got != "[job:15 b]" {
		t.Errorf("rows %s", got)
	}
	l.TakeRuns(nil)
	if got := keysOf(l.Rows()); got != "[job:15]" {
		t.Errorf("rows %s", got)
	}
}

func TestPagesInAnyOrderMakeOneOrder(t *testing.T) {
	l := testList()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var jobs []client.Job
	for i := range 500 {
		jobs = append(jobs, client.Job{ID: client.ID(i + 1), Created: at.Add(time.Duration((i*37)%500) * time.Minute)})
	}
	for page := range slices.Chunk(jobs, 90) {
		l.TakeJobs(page)
		l.TakeJobs(page) // twice is once
	}
	if l.Len() != 500 || !slices.IsSortedFunc(l.Rows(), func(a, b *Row) int { return b.Created().Compare(a.Created()) }) {
		t.Errorf("%d rows", l.Len())
	}
}

func TestAServerDisagreesOnlyWithWhatItWasTold(t *testing.T) {
	l := testList()
	r := runner.Run{Job: 5, State: runner.Running}
	r.ID = "a"
	l.TakeRuns([]runner.Run{r})
	l.TakeJobs([]client.Job{{ID: 5, Status: client.Running}})
	r.State, r.Result = runner.Succeeded, &runner.Result{State: runner.Succeeded}
	l.TakeRuns([]runner.Run{r})
	if s := l.Rows()[0].State(); s.Word != "succeeded" {
		t.Errorf("a job read before the end makes it %q", s.Word)
	}
	l.TakeJobs([]client.Job{{ID: 5, Status: client.Running}})
	if s := l.Rows()[0].State(); s.Word != "succeeded" {
		t.Errorf("what the server has not been told makes it %q", s.Word)
	}
	told := *r.Result
	told.Confirmed = true
	r.Result = &told
	l.TakeRuns([]runner.Run{r})
	l.TakeJobs([]client.Job{{ID: 5, Status: client.Failed}})
	if s := l.Rows()[0].State(); s.Word != "succeeded, on the server failed" {
		t.Errorf("both say %q", s.Word)
	}
}

func TestBadJobsAreListed(t *testing.T) {
	l := testList()
	future := time.Now().Add(1000 * time.Hour)
	l.TakeJobs([]client.Job{{ID: 1}, {ID: 2, Created: future, Updated: future, Status: client.Running}, {ID: 3, Status: client.Status(99)}, {ID: 4, AlgorithmName: " ("}})
	for _, r := range l.Rows() {
		if r.ID == "" || r.State().Word == "" || r.Stuck(time.Now()) < 0 {
			t.Errorf("%+v", r.Analysis.Job)
		}
	}
}

func TestSelectReadsPagesUntilThereIsEnough(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	for i := range 250 {
		s.job(a, "", "sigma", fmt.Sprint(i))
	}
	s.run(a, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "240.5"})
	single := s.asked("GET /api/job/")
	lists := func() int { return s.asked("GET /api/job.json") }
	for _, c := range []struct {
		filter    string
		max, want int
		requests  int
	}{
		{"", 10, 10, 1},
		{"state:succeeded", 10, 1, 1},
		{"sigma>239 sigma<=241", 10, 3, 2},
		{"sigma:5", 10, 1, 2},
		{"nosuch>1", 10, 0, 2},
		{"state:lost", 10, 0, 0},
		{"by:me", 300, 251, 2},
	} {
		before := lists()
		rows, err := s.Select(tctx, Selection{Filter: c.filter, Max: c.max})
		if err != nil || len(rows) != c.want || lists()-before != c.requests {
			t.Errorf("%q: %d of %d in %d requests, %v", c.filter, len(rows), c.want, lists()-before, err)
		}
	}
	if n := s.asked("GET /api/job/"); n > single {
		t.Errorf("%d requests for single jobs", n-single)
	}
	if _, err := s.Select(tctx, Selection{Filter: "since:tomorrow"}); err == nil {
		t.Error("a filter that cannot be understood is taken")
	}
	s.web.Close()
	rows, err := s.Select(tctx, Selection{Max: 300})
	if err == nil || len(rows) != 251 {
		t.Errorf("offline: %d analyses, %v", len(rows), err)
	}
}

func TestAJobThatIsRedoneDoesNotShowHowFarItWas(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	run := runner.Run{Job: 7, State: runner.Running, Progress: 3}
	run.ID, run.Created, run.Server.Kind = "a", at, client.Exact
	job := client.Job{ID: 7, Status: client.Success, Progress: 100, Updated: at.Add(-time.Hour)}
	if p := (Analysis{Run: &run, Job: &job}).Progress(); p != 3 {
		t.Errorf("progress %d", p)
	}
	job = client.Job{ID: 7, Status: client.Running, Progress: 40, Updated: at.Add(time.Second)}
	if p := (Analysis{Run: &run, Job: &job}).Progress(); p != 40 {
		t.Errorf("progress %d", p)
	}
}
