package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

func TestJobsAndRunsAreJoined(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	run := func(id string, job client.ID, minute int) runner.Run {
		r := runner.Run{Job: job}
		r.ID, r.Created = id, at.Add(time.Duration(minute)*time.Minute)
		return r
	}
	job := func(id client.ID, comment string, minute int) client.Job {
		return client.Job{ID: id, Comment: comment, Created: at.Add(time.Duration(minute) * time.Minute)}
	}
	for name, tt := range map[string]struct {
		runs []runner.Run
		jobs []client.Job
		want []string // run+job, newest first
	}{
		"by the job that the run recorded": {
			[]runner.Run{run("r1", 7, 1)}, []client.Job{job(7, "", 1)}, []string{"r1+7"}},
		"by the run that the comment names, before the run knows its job": {
			[]runner.Run{run("r1", 0, 1)}, []client.Job{job(7, "cytorun r1", 1)}, []string{"r1+7"}},
		"the comment may go on": {
			[]runner.Run{run("r1", 0, 1)}, []client.Job{job(7, "cytorun r1 done in 3 s", 1)}, []string{"r1+7"}},
		"a comment that names the run of another box": {
			[]runner.Run{run("r1", 0, 1)}, []client.Job{job(7, "cytorun r2", 2)}, []string{"+7", "r1+"}},
		"a recorded job is stronger than a comment": {
			[]runner.Run{run("r1", 7, 1)}, []client.Job{job(7, "", 1), job(8, "cytorun r1", 2)}, []string{"+8", "r1+7"}},
		"comments without a run": {
			nil, []client.Job{job(1, "cytorun ", 1), job(2, "cytorun", 2), job(3, "cytorun   ", 3), job(4, "", 4)},
			[]string{"+4", "+3", "+2", "+1"}},
		"what has no partner stays, newest first": {
			[]runner.Run{run("r3", 0, 3), run("r1", 0, 1)}, []client.Job{job(7, "", 2)}, []string{"r3+", "+7", "r1+"}},
		"nothing": {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range join(tt.runs, tt.jobs) {
				s := ""
				if a.Run != nil {
					s = a.Run.ID
				}
				s += "+"
				if a.Job != nil {
					s += fmt.Sprint(a.Job.ID)
				}
				got = append(got, s)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestAnalysesAreThoseOfTheServerAndOfThisBox(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	elsewhere := s.job(a, "", "sigma", "1")
	ours := s.job(a, "", "sigma", "2")
	run := s.run(a, runner.Succeeded, map[string]string{runner.FactJob: idText(ours.ID)})
	// A run of another server has a job with the same id.
	foreign := s.spec(LaunchRequest{Algorithm: a, Runtime: runner.Apptainer})
	foreign.Server.URL = "https://elsewhere.example"
	other, err := s.env.Store.Create(foreign)
	must(t, err)
	j, err := runner.OpenJournal(other.Folder)
	must(t, err)
	must(t, j.Append(runner.Event{Time: other.Created, Facts: map[string]string{runner.FactJob: idText(elsewhere.ID)}}))
	must(t, j.Close())

	keys := func(q AnalysisQuery) map[string]bool {
		all, err := s.Analyses(tctx, q)
		must(t, err)
		found := map[string]bool{}
		for _, a := range all {
			found[a.Key()] = true
			if a.Key() == run.ID && a.Job == nil {
				t.Error("the run is not joined with its job")
			}
			if a.Key() == other.ID && a.Job != nil {
				t.Error("a run of another server is joined with our job")
			}
		}
		return found
	}
	if got := keys(AnalysisQuery{}); len(got) != 2 || !got[run.ID] || !got["job:"+idText(elsewhere.ID)] {
		t.Errorf("this project: %v", got)
	}
	if got := keys(AnalysisQuery{AllProjects: true}); len(got) != 3 || !got[other.ID] {
		t.Errorf("all: %v", got)
	}
	if got := keys(AnalysisQuery{Algorithm: a.ID + 1}); len(got) != 0 {
		t.Errorf("another algorithm: %v", got)
	}

	s.web.Close()
	all, err := s.Analyses(tctx, AnalysisQuery{})
	if !errors.Is(err, client.ErrUnreachable) || len(all) != 1 || all[0].Key() != run.ID {
		t.Errorf("without the server: %v, %v", all, err)
	}
}

func TestAnalysesAreFoundByEveryName(t *testing.T) {
	s := newSite(t)
	v1, v2 := s.register(nuclei, "1.0"), s.register(nuclei, "2.0")
	job := s.job(v1, "", "sigma", "1")
	s.job(v1, "")
	elsewhere := s.job(v2, "") // number 1 of version 2.0
	failed := s.run(v1, runner.Failed, map[string]string{runner.FactJob: idText(job.ID), runner.FactJobNumber: "1"})
	s.env.Now = func() time.Time { return time.Now().Add(time.Hour) }
	last := s.run(v1, runner.Running, nil)

	for name, want := range map[string]string{
		failed.ID:                     failed.ID,
		failed.ID[9:]:                 failed.ID,
		last.ID[len(last.ID)-4:]:      last.ID,
		"@last":                       last.ID,
		"@failed":                     failed.ID,
		"job:" + idText(job.ID):       failed.ID,
		"job:" + idText(elsewhere.ID): "job:" + idText(elsewhere.ID),
		"Nuclei@1.0#1":                failed.ID,
		"nuclei (1.0)#1":              failed.ID,
		"NUCLEI@2.0#1":                "job:" + idText(elsewhere.ID),
	} {
		a, err := s.Find(tctx, name)
		if err != nil || a.Key() != want {
			t.Errorf("%s is %q (%v), want %s", name, a.Key(), err, want)
		}
	}
	for _, name := range []string{"", "nosuch", "job:0", "job:x", "job:", "job:99999999", "Nuclei#99", "Nosuch#1", "#1", "Nuclei#"} {
		if a, err := s.Find(tctx, name); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%q is %q, %v", name, a.Key(), err)
		}
	}
	var ambiguous *ErrAmbiguous
	if _, err := s.Find(tctx, "Nuclei#1"); !errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 2 {
		t.Errorf("number 1 of two versions: %v", err)
	}
	var parts *runner.AmbiguousError
	if _, err := s.Find(tctx, last.ID[:2]); !errors.As(err, &parts) {
		t.Errorf("part of two ids: %v", err)
	}
}

func TestJobReadBeforeDoesNotContradictItsRun(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	job := s.job(a, "")
	job.Status = client.Running
	run := s.run(a, runner.Succeeded, map[string]string{runner.FactJob: idText(job.ID)})
	got, err := s.Refresh(tctx, Analysis{Run: &run, Job: &job})
	must(t, err)
	if got.State().Word != "succeeded" {
		t.Errorf("state %q", got.State().Word)
	}
}

func TestRunOpensItsOwnServerWithItsOwnKeys(t *testing.T) {
	s := newSite(t)
	run := s.run(s.register(nuclei, "1.0"), runner.Succeeded, nil)
	elsewhere := run
	elsewhere.Server = runner.ServerRef{Kind: client.Cytomine, URL: "https://elsewhere.example", Profile: "lab"}
	foreign := client.Keys{Public: "env", Private: "env-secret"}
	for name, tt := range map[string]struct {
		run  runner.Run
		host string // CYTOMINE_HOST, with the foreign keys
		want client.Keys
	}{
		"of its profile":                           {run, "", s.keys},
		"of the environment, if they are for it":   {run, s.web.URL + "/", foreign},
		"not those for another server":             {run, "https://elsewhere.example", s.keys},
		"none, where the profile is another's":     {elsewhere, "", client.Keys{}},
		"the environment's, where they are for it": {elsewhere, "https://elsewhere.example", foreign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CYTOMINE_HOST", tt.host)
			if tt.host != "" {
				t.Setenv("CYTOMINE_PUBLIC_KEY", foreign.Public)
				t.Setenv("CYTOMINE_PRIVATE_KEY", foreign.Private)
			}
			open, err := s.env.OpenRun(tt.run, "")
			must(t, err)
			if open.keys != tt.want || open.Profile.URL != tt.run.Server.URL || open.Project.ID != tt.run.Project.ID {
				t.Errorf("opened %s, project %d, the wanted keys %v", open.Profile.URL, open.Project.ID, open.keys == tt.want)
			}
		})
	}
	must(t, profile.Remove(s.env.Paths, "lab"))
	open, err := s.env.OpenRun(run, "")
	must(t, err)
	if _, err := open.Results(tctx, Analysis{Run: &runner.Run{Spec: run.Spec, Job: 1}}); !errors.Is(err, client.ErrUnauthorised) || !strings.Contains(err.Error(), "cytorun login") {
		t.Errorf("without keys: %v", err)
	}
}
