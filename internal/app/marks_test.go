package app

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

func TestMarksFollowARunToItsJob(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	run := s.run(a, runner.Running, nil)
	if _, err := s.Mark([]Analysis{{Run: &run}}, func(m *Mark) { m.Star, m.Tags = true, ParseTags("#B, a  a") }); err != nil {
		t.Fatal(err)
	}
	run.Job = 77
	for name, of := range map[string]Analysis{"run": {Run: &run}, "run and job": {Run: &run, Job: &client.Job{ID: 77}}} {
		marks, err := s.connect("").Marks()
		if m := marks.Of(of); err != nil || !m.Star || fmt.Sprint(m.Tags) != "[a b]" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	marks, err := s.Mark([]Analysis{{Run: &run}}, func(m *Mark) { m.Note = "good" })
	if err != nil {
		t.Fatal(err)
	}
	if m := marks.Of(Analysis{Job: &client.Job{ID: 77}}); m.Note != "good" || !m.Star {
		t.Errorf("the job alone has %+v", m)
	}
	if !marks.Of(Analysis{Run: &run}).Kept() || (Mark{Tags: []string{"keep"}}).Kept() != true || (Mark{Note: "x"}).Kept() {
		t.Error("a star and the tag keep mean to keep it")
	}
	if _, err := s.Mark([]Analysis{{Run: &run}}, func(m *Mark) { *m = Mark{} }); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.env.marksPath())
	if err != nil || strings.Contains(string(data), "job:77") || strings.Contains(string(data), run.ID) {
		t.Errorf("an empty mark stays on disk: %s", data)
	}
}

func TestMarksOfTwoProgramsDoNotUndoEachOther(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := s.Mark([]Analysis{{Job: &client.Job{ID: client.ID(i + 1)}}}, func(m *Mark) { m.Star = true }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	marks, err := s.Marks()
	if err != nil || len(marks.by) != 20 {
		t.Errorf("%d marks, %v", len(marks.by), err)
	}
}

func TestMarksOfANewerProgramAreReadAndNotChanged(t *testing.T) {
	s := newSite(t)
	must(t, os.MkdirAll(s.env.Paths.State, 0o700))
	must(t, os.WriteFile(s.env.marksPath(), []byte(`{"schema":99,"servers":{"`+s.web.URL+`":{"job:5":{"star":true}}}}`), 0o600))
	of := Analysis{Job: &client.Job{ID: 5}}
	if marks, err := s.Marks(); err != nil || !marks.Of(of).Star {
		t.Errorf("%+v, %v", marks, err)
	}
	if _, err := s.Mark([]Analysis{of}, func(m *Mark) { m.Star = false }); err == nil {
		t.Error("it was changed")
	}
	must(t, os.WriteFile(s.env.marksPath(), []byte(`{"schema":1,"ser`), 0o600))
	if _, err := s.Mark([]Analysis{of}, func(m *Mark) { m.Star = true }); err == nil {
		t.Error("a torn file was overwritten")
	}
}
