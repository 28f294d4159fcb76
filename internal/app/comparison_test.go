package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/runner"
)

// cells are the texts of a row, by its key.
func cells(t *testing.T, table compare.Table, key string) []string {
	t.Helper()
	for _, r := range table.Rows {
		if r.Key != key {
			continue
		}
		var out []string
		for _, c := range r.Cells {
			text := c.Text
			if c.Missing {
				text = "-"
			}
			if c.Note != "" {
				text += " (" + c.Note + ")"
			}
			out = append(out, text)
		}
		return out
	}
	var keys []string
	for _, r := range table.Rows {
		keys = append(keys, r.Key)
	}
	t.Fatalf("no row %q among %q", key, keys)
	return nil
}

func TestJobsAndRunsOfSeveralVersionsAreComparedByName(t *testing.T) {
	s := newSite(t)
	one := s.register(nuclei, "1.0")
	two := s.register(strings.Replace(nuclei, `"default-value": "otsu"`, `"default-value": "triangle"`, 1), "2.0")
	terms := map[string]string{}
	must(t, s.Options(tctx, one.Parameters[5].Parameter, func(os []client.Option) error {
		for _, o := range os {
			terms[o.Fields.Get("name")] = idText(o.ID)
		}
		return nil
	}))
	before := s.asked("GET /api/ontology/")
	old := s.job(one, "", "sigma", "1", "terms", terms["cell 2"]+","+terms["nucleus"])
	later := s.job(two, "", "sigma", "1.0", "terms", terms["nucleus"]+","+terms["cell 2"], "method", "li")
	run := s.run(two, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "2", Origin: client.FromUser},
		client.Value{Parameter: "cytomine_private_key", Text: "a-secret-key"}, client.Value{Parameter: "term", Text: terms["cell 10"]})
	fresh := s.connect("") // nothing is cached
	var most int
	table, err := fresh.Compare(tctx, []Analysis{{Job: &old}, {Job: &later}, {Run: &run}}, func(n int) { most = max(most, n) })
	must(t, err)
	for key, want := range map[string]string{
		"sigma":  "[1 1 2]",
		"method": "[otsu (default at launch) li triangle (default at launch)]",
		"terms":  "[cell 2, nucleus nucleus, cell 2 -]",
		"term":   "[- - cell 10]",
	} {
		if got := fmt.Sprint(cells(t, table, key)); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	for _, r := range table.Rows {
		switch {
		case r.Key == "sigma" && !r.Differs, r.Key == "terms" && r.Cells[0].Equal(r.Cells[1]) != true:
			t.Errorf("%s: %+v", r.Key, r)
		case strings.Contains(r.Key, "key"):
			t.Errorf("a secret has a row: %+v", r)
		}
	}
	if most != 3 {
		t.Errorf("told of %d", most)
	}
	if n := s.asked("GET /api/ontology/") - before; n != 1 {
		t.Errorf("%d requests for the names of one list", n)
	}
}

func TestBrokenJobsAreCompared(t *testing.T) {
	s := newSite(t)
	text := func(s string) *string { return &s }
	future := time.Now().Add(100 * time.Hour)
	gone := Analysis{Job: &client.Job{ID: 1 << 40, Project: s.project, Algorithm: 1 << 41, AlgorithmName: "Vanished (1)", Created: future, Status: client.Success, Parameters: []client.JobParameter{
		{Name: "n", Type: "Number", Label: "N", Value: text("1")}, {Name: "n", Type: "Number", Value: text("2")}, {Name: "empty", Value: nil},
		{Name: "\x1b[31m", Value: text("NaN")}, {Name: "cytomine_private_key", Value: text("secret")},
	}}}
	none := Analysis{Job: &client.Job{ID: 1<<40 + 1, Parameters: []client.JobParameter{}}}
	table, err := s.Compare(tctx, []Analysis{gone, none, gone}, nil)
	must(t, err)
	if got := fmt.Sprint(cells(t, table, "n"), cells(t, table, "n (2)")); got != "[1 - 1] [2 - 2]" {
		t.Error(got)
	}
	var b bytes.Buffer
	for _, f := range compare.Formats {
		must(t, table.Export(&b, f, 0))
	}
	if strings.Contains(b.String(), "secret") || strings.Contains(b.String(), "\x1b") {
		t.Error("a secret or an escape gets out")
	}
	if _, err := s.Compare(tctx, nil, nil); err == nil {
		t.Error("nothing was compared")
	}
}

func TestManyJobsAreComparedWithFewRequests(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	var all []Analysis
	for i := range 40 {
		job := s.job(a, "", "sigma", fmt.Sprint(i))
		job.Parameters = nil
		all = append(all, Analysis{Job: &job})
	}
	single, lists, algorithms := s.asked("GET /api/job/"), s.asked("GET /api/job.json"), s.asked("GET /api/software/")
	table, err := s.Compare(tctx, all, nil)
	must(t, err)
	if got := cells(t, table, "sigma"); got[0] != "0" || got[39] != "39" {
		t.Error(got)
	}
	// Annotations, files and metrics of each are requests of their own; parameters
	// and the algorithm are not.
	read := 0
	for what, n := range s.requests {
		if strings.HasPrefix(what, "GET /api/job/") && strings.Count(what, "/") == 3 {
			read += n
		}
	}
	if s.asked("GET /api/job.json")-lists != 1 || s.asked("GET /api/software/")-algorithms > 6 || read > single {
		t.Errorf("%d lists, %d of the algorithm, %d single jobs", s.asked("GET /api/job.json")-lists, s.asked("GET /api/software/")-algorithms, read)
	}
	// What was read of jobs that ended is not read again.
	done, err := s.Server.UpdateJob(tctx, all[0].Job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil })
	must(t, err)
	for range 3 {
		_, err = s.Compare(tctx, []Analysis{{Job: &done}}, nil)
		must(t, err)
	}
	if n := s.requests["GET /api/job/"+idText(done.ID)+"/jobdata.json"]; n != 2 {
		t.Errorf("its files were listed %d times", n)
	}
}

func TestNearestSuccessHasTheFewestOtherValues(t *testing.T) {
	s := newSite(t)
	one, two := s.register(nuclei, "1.0"), s.register(nuclei, "2.0")
	other := s.register(strings.Replace(nuclei, `"Nuclei"`, `"Other"`, 1), "1.0")
	succeed := func(a client.Algorithm, values ...string) client.Job {
		j := s.job(a, "", values...)
		j, err := s.Server.UpdateJob(tctx, j.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil })
		must(t, err)
		return j
	}
	succeed(one, "sigma", "5", "method", "li")
	near := succeed(one, "sigma", "1.0", "method", "li")
	succeed(other, "sigma", "1")
	same := succeed(two, "sigma", "1.00")
	s.job(one, "", "sigma", "1") // has not ended
	failed := s.job(one, "", "sigma", "1")
	got, err := s.Nearest(tctx, Analysis{Job: &failed}, []Analysis{{Job: &near}, {Job: &same}})
	must(t, err)
	// The other version has the same values: its default of method was never set.
	if got.JobID() != same.ID || len(got.Differs) != 0 {
		t.Errorf("job %d, differs in %v", got.JobID(), got.Differs)
	}
	got, err = s.Nearest(tctx, Analysis{Job: &failed}, nil)
	must(t, err)
	if got.JobID() != near.ID || len(got.Differs) != 1 || !strings.HasPrefix(got.Differs[0], "Method (li, here otsu") {
		t.Errorf("job %d, differs in %v", got.JobID(), got.Differs)
	}
	run := s.run(one, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "1"})
	got, err = s.Nearest(tctx, Analysis{Job: &failed}, nil)
	must(t, err)
	if got.Run == nil || got.Run.ID != run.ID {
		t.Errorf("not the run, but %s", got.Title())
	}
	alone := s.job(s.register(strings.Replace(nuclei, `"Nuclei"`, `"Alone"`, 1), "1.0"), "")
	if _, err := s.Nearest(tctx, Analysis{Job: &alone}, nil); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestDeletingTakesRunAndJob(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	job := s.job(a, "")
	run := s.run(a, runner.Succeeded, map[string]string{runner.FactJob: idText(job.ID)})
	if _, err := s.Delete(tctx, Analysis{Job: &job}); err == nil {
		t.Error("a job that has not ended was deleted")
	}
	d, err := s.Delete(tctx, Analysis{Run: &run, Job: &job})
	if err != nil || !d.Job || !d.Run || d.Stays != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := s.Server.Job(tctx, job.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("the job: %v", err)
	}
	if _, err := s.env.Store.Get(run.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("the run: %v", err)
	}
	// A server that does not answer keeps the folder.
	next := s.run(a, runner.Failed, map[string]string{runner.FactJob: "12345"})
	s.web.Close()
	if _, err := s.Delete(tctx, Analysis{Run: &next}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	if _, err := s.env.Store.Get(next.ID); err != nil {
		t.Error("its folder is gone")
	}
}

func TestACleanUpKeepsWhatHasAStarAndGoesOn(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	image := s.image("a.png")
	var all []Analysis
	for range 3 {
		job := s.job(a, "")
		s.draw(job, image, "nucleus", 4)
		s.file(job, "r.csv", []byte("x"))
		job, err := s.Server.UpdateJob(tctx, job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil })
		must(t, err)
		all = append(all, Analysis{Job: &job})
	}
	_, err := s.Mark(all[1:2], func(m *Mark) { m.Star = true })
	must(t, err)
	plan, err := s.PlanCleanup(tctx, all)
	if err != nil || len(plan.Gone) != 2 || plan.Kept != 1 || plan.Annotations != 8 || plan.Files != 2 {
		t.Fatalf("%+v, %v", plan, err)
	}
	// Cut off after the first.
	must(t, s.keepCleanup(plan.Gone, nil))
	if !s.HasUnfinishedCleanup() {
		t.Fatal("nothing is on disk")
	}
	left, err := s.connect("").UnfinishedCleanup(tctx)
	if err != nil || len(left.Gone) != 2 || left.Annotations != 8 {
		t.Fatalf("%+v, %v", left, err)
	}
	done, err := s.Clean(tctx, left, nil)
	if err != nil || done.Analyses != 2 || done.Annotations != 8 || done.Files != 2 || s.HasUnfinishedCleanup() {
		t.Fatalf("%+v, %v", done, err)
	}
	for i, want := range []int{0, 4, 0} {
		if r, err := s.Results(tctx, all[i]); err != nil || r.Annotations() != want {
			t.Errorf("%d: %d annotations, %v", i, r.Annotations(), err)
		}
	}
}

func TestWithoutRightsResultsAreDeletedOneByOneWithTheKeysOfTheJob(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	image := s.image("a.png")
	job := s.job(a, "")
	s.draw(job, image, "nucleus", 5)
	s.file(job, "r.csv", []byte("x"))
	c := &cleaner{s: s.Session, began: time.Now(), expected: 5}
	var last Cleaned
	c.seen = func(now Cleaned) { last = now }
	r, err := s.Results(tctx, Analysis{Job: &job})
	must(t, err)
	before := s.asked("DELETE ")
	must(t, c.oneByOne(tctx, Analysis{Job: &job}, r.Files))
	if c.done.Annotations != 5 || c.done.Files != 1 || s.asked("DELETE ")-before != 6 || last.Annotations == 0 {
		t.Errorf("%+v", c.done)
	}
	if r, err := s.Results(tctx, Analysis{Job: &job}); err != nil || r.Annotations()+len(r.Files) != 0 {
		t.Errorf("left: %+v, %v", r, err)
	}
}

func TestMethodsTellWhatAPaperTells(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	one := s.run(a, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "1"}, client.Value{Parameter: "method", Text: "otsu"})
	two := s.run(a, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "2"}, client.Value{Parameter: "method", Text: "li&co"})
	elsewhere := s.job(a, "", "sigma", "3")
	m, err := s.Methods(tctx, []Analysis{{Run: &one}, {Run: &two}, {Job: &elsewhere}})
	must(t, err)
	text := strings.Join(m.Paragraphs, "\n")
	for _, want := range []string{"Nuclei version 1.0", "lab/nuclei:1.0", "“Lung cohort”", "Smoothing = 1, 2", "Method = otsu, li&co", "Parameters were"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if len(m.Rows) != 3 || !slices.Contains(m.Rows[0], "Smoothing = 1") || len(m.Missing) == 0 {
		t.Errorf("%q, missing %q", m.Rows, m.Missing)
	}
	for _, format := range MethodsFormats {
		var b bytes.Buffer
		must(t, m.Write(&b, format))
		if format == "json" && !json.Valid(b.Bytes()) || format == "latex" && !strings.Contains(b.String(), `li\&co`) {
			t.Errorf("%s: %s", format, b.String())
		}
	}
	if err := m.Write(&bytes.Buffer{}, "doc"); err == nil {
		t.Error("an unknown format is written")
	}
}
