package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

const exactDescriptor = `{"name":"cells","tool-version":"1.0","container-image":{"image":"lab/cells","type":"singularity"},
 "command-line":"x [EXACT_IMAGE] [EXACT_OUTPUT] [SIGMA]","schema-version":"cytomine-0.1","exact-package":"org.example.cells",
 "inputs":[{"id":"exact_image","name":"I","type":"String","set-by-server":true},{"id":"exact_output","name":"O","type":"String","set-by-server":true},
  {"id":"sigma","name":"S","type":"Number","optional":true,"default-value":1}]}`

// exactSession is a session on a fake EXACT server, with its plugin of a package.
func exactSession(t *testing.T) (*Session, *exacttest.Server, exacttest.Demo, client.ID) {
	t.Helper()
	base := t.TempDir()
	for name, dir := range map[string]string{"XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache", "HOME": "home"} {
		t.Setenv(name, filepath.Join(base, dir))
	}
	fake := exacttest.Start(t, exacttest.Options{})
	demo := fake.AddDemo()
	plugin := fake.AddPlugin(exacttest.Plugin{Name: "Cells", Package: "org.example.cells", Products: []int{demo.Product}})
	env, err := NewEnv("test")
	must(t, err)
	must(t, env.Paths.Make())
	must(t, profile.Save(env.Paths, profile.Profile{Name: "ex", Kind: client.Exact, URL: fake.URL, User: "worker"}, client.Keys{Public: "p", Private: fake.Token("worker")}))
	must(t, os.MkdirAll(env.DescriptorFolder(), 0o700))
	must(t, os.WriteFile(filepath.Join(env.DescriptorFolder(), "cells.json"), []byte(exactDescriptor), 0o600))
	s, err := env.Open(profile.Selection{Server: "ex"})
	must(t, err)
	s, err = s.Connect(t.Context(), "")
	must(t, err)
	return s, fake, demo, client.ID(plugin)
}

// request is a launch over images.
func request(t *testing.T, s *Session, images ...int) LaunchRequest {
	t.Helper()
	a, err := s.Algorithm(t.Context(), "Cells")
	must(t, err)
	var ids []string
	for _, id := range images {
		ids = append(ids, idText(client.ID(id)))
	}
	return LaunchRequest{Algorithm: a, Values: []client.Value{{Parameter: descriptor.ImagesParameter, Text: strings.Join(ids, ",")}, {Parameter: "sigma", Text: "2"}}}
}

// endedRun is a run that has ended with a job.
func endedRun(t *testing.T, s *Session, r LaunchRequest, job int, created time.Time) runner.Run {
	t.Helper()
	spec := s.spec(r)
	spec.Created, spec.Runtime = created, runner.Process
	run, err := s.Env.Store.Create(spec)
	must(t, err)
	j, err := runner.OpenJournal(run.Folder)
	must(t, err)
	must(t, j.Append(runner.Event{Facts: map[string]string{runner.FactJob: idText(client.ID(job)), runner.FactJobNumber: idText(client.ID(job))}}))
	for _, state := range []runner.State{runner.Preparing, runner.Running} {
		must(t, j.Append(runner.Event{State: state}))
	}
	must(t, j.Finish(runner.Result{State: runner.Succeeded, Ended: created.Add(time.Second), Confirmed: true}))
	must(t, j.Append(runner.Event{State: runner.Succeeded}))
	must(t, j.Close())
	run, err = s.Env.Store.Get(run.ID)
	must(t, err)
	return run
}

func TestALaunchOverImagesIsOneForEach(t *testing.T) {
	s, _, demo, _ := exactSession(t)
	all, err := EachImage([]LaunchRequest{request(t, s, demo.Images...)})
	must(t, err)
	if len(all) != 3 || all[2].Part.Index != 3 || all[2].Part.Of != 3 {
		t.Fatalf("%d requests", len(all))
	}
	spec := s.spec(all[1])
	if spec.Image.ID != client.ID(demo.Images[1]) || spec.Algorithm.Package != "org.example.cells" || spec.Algorithm.Writes != descriptor.WritesResult || !spec.Algorithm.IsFileProgram() {
		t.Errorf("spec %+v", spec)
	}
	for name, tt := range map[string]struct {
		requests []LaunchRequest
		want     string
	}{
		"several images in one": {[]LaunchRequest{request(t, s, demo.Images...)}, "is over one image, not 3"},
		"one image twice":       {append(all, all[0]), "would be analysed several times at once"},
		"before its descriptor": {[]LaunchRequest{{Algorithm: client.Algorithm{Name: "X", Package: "a.b"}}}, "no descriptor on this box is for its package a.b"},
		"without a package":     {[]LaunchRequest{{Algorithm: client.Algorithm{Name: "X"}}}, "names no package on the server"},
	} {
		if err := s.Check(t.Context(), tt.requests...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, s.Check(t.Context(), all...))
}

func TestExistingJobsAreSkippedOrRedone(t *testing.T) {
	s, fake, demo, plugin := exactSession(t)
	done := fake.AddJob(demo.Images[0], int(plugin), demo.Plain)
	fake.Set("pluginjobs", done, map[string]any{"processing_complete": 100.0})
	fresh := fake.AddJob(demo.Images[1], int(plugin), demo.Plain)
	all, err := EachImage([]LaunchRequest{request(t, s, demo.Images...)})
	must(t, err)
	existing, err := s.Existing(t.Context(), all)
	must(t, err)
	if len(existing) != 2 {
		t.Fatalf("existing %v", existing)
	}
	skipped, err := Settle(all, existing, SkipExisting)
	must(t, err)
	if len(skipped) != 1 || skipped[0].Part.Of != 1 || all[2].Part.Of != 3 || skipped[0].Take.ID != 0 {
		t.Errorf("skipped %+v", skipped)
	}
	redone, err := Settle(all, existing, RedoExisting)
	must(t, err)
	if len(redone) != 3 || redone[0].Take != (runner.TakeJob{ID: client.ID(done), Restart: true}) || redone[1].Take != (runner.TakeJob{ID: client.ID(fresh)}) || redone[2].Take.ID != 0 {
		t.Errorf("redone %+v %+v %+v", redone[0].Take, redone[1].Take, redone[2].Take)
	}
	if _, err := Settle(all[:2], existing, SkipExisting); err == nil || !strings.Contains(err.Error(), "nothing to launch") {
		t.Error(err)
	}
	fake.Set("pluginjobs", fresh, map[string]any{"attached_worker": "other_abc"})
	existing, err = s.Existing(t.Context(), all)
	must(t, err)
	if _, err := Settle(all, existing, RedoExisting); err == nil || !strings.Contains(err.Error(), "a worker has it") {
		t.Error(err)
	}
}

func TestAJobThatWasRedoneIsTheNewestRuns(t *testing.T) {
	s, fake, demo, plugin := exactSession(t)
	job := fake.AddJob(demo.Images[0], int(plugin), demo.Worker)
	fake.Set("pluginjobs", job, map[string]any{"processing_complete": 100.0})
	r := request(t, s, demo.Images[0])
	old := endedRun(t, s, r, job, time.Now().Add(-time.Hour))
	recent := endedRun(t, s, r, job, time.Now())

	analyses, err := s.Analyses(t.Context(), AnalysisQuery{})
	must(t, err)
	if len(analyses) != 2 || analyses[0].Run.ID != recent.ID || analyses[0].Job == nil || analyses[1].Job != nil {
		t.Errorf("joined %+v", analyses)
	}
	for _, order := range [][]runner.Run{{recent, old}, {old, recent}} {
		l := s.NewList()
		page, err := s.Server.Jobs(t.Context(), client.JobFilter{Project: s.Project.ID})
		must(t, err)
		l.TakeJobs(page.Jobs)
		for i := range order {
			l.TakeRuns(order[:i+1])
		}
		if len(l.Rows()) != 2 {
			t.Fatalf("%d rows", len(l.Rows()))
		}
		for _, row := range l.Rows() {
			if (row.Run.ID == recent.ID) != (row.Job != nil) {
				t.Errorf("run %s has job %v", row.Run.ID, row.Job)
			}
		}
	}
	found, err := s.Find(t.Context(), "Cells#"+idText(client.ID(job)))
	must(t, err)
	if found.Run.ID != recent.ID {
		t.Errorf("found %s", found.Run.ID)
	}
	// Nothing of the newer one goes with the older.
	plan, err := s.PlanCleanup(t.Context(), []Analysis{{Run: &old}})
	must(t, err)
	if len(plan.Gone) != 0 || plan.Nowhere != 1 {
		t.Errorf("clean-up %+v", plan)
	}
	deleted, err := s.Delete(t.Context(), Analysis{Run: &old})
	must(t, err)
	if deleted.Job || !deleted.Run {
		t.Errorf("deleted %+v", deleted)
	}
	if _, ok := fake.Job(job); !ok {
		t.Error("the job of the newer run is gone")
	}
}
