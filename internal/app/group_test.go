package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
)

// member makes a run of a group in a state.
func (s *site) member(a client.Algorithm, group string, part int, state runner.State, facts map[string]string) runner.Run {
	s.t.Helper()
	run := s.run(a, state, facts, client.Value{Parameter: "sigma", Text: "1"}, client.Value{Parameter: "terms", Text: fmt.Sprint(part)})
	spec := run.Spec
	spec.Group, spec.Part, spec.StopAfter = group, &runner.Part{Parameter: "terms", Index: part, Of: 4}, 3
	must(s.t, runner.WriteJSON(run.Folder+"/"+runner.SpecFile, spec))
	must(s.t, runner.WriteJSON(run.Folder+"/"+runner.SummaryFile, struct{}{})) // made anew from the spec
	read, err := s.env.Store.Get(run.ID)
	must(s.t, err)
	return read
}

func TestGroupsAreFoundByAPartOfTheirNames(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	s.member(a, "g-20261120-100000-aaaa", 1, runner.Succeeded, nil)
	s.member(a, "g-20261120-110000-bbbb", 1, runner.Failed, nil)
	s.run(a, runner.Succeeded, nil)
	g, err := s.env.FindGroup("bbbb")
	if g.ID != "g-20261120-110000-bbbb" || len(g.Runs) != 1 || err != nil {
		t.Errorf("%+v, %v", g, err)
	}
	var ambiguous *ErrAmbiguous
	if _, err := s.env.FindGroup("g-20261120"); !errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 2 {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"", "cccc"} {
		if _, err := s.env.FindGroup(name); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestWhatAGroupLacks(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	s.member(a, "g-x", 1, runner.Succeeded, nil)
	s.member(a, "g-x", 2, runner.Running, nil)
	job := s.job(a, "")
	failed := s.member(a, "g-x", 3, runner.Failed, map[string]string{runner.FactJob: fmt.Sprint(job.ID)})
	g, err := s.env.FindGroup("g-x")
	must(t, err)
	left, err := s.Remaining(tctx, g)
	must(t, err)
	if len(left.Runs) != 1 || left.Runs[0].ID != failed.ID || left.Missing != 1 || len(left.Half) != 0 {
		t.Errorf("%+v", left)
	}
	requests, err := s.Repeat(tctx, left.Runs, nil)
	must(t, err)
	if r := requests[0]; r.Group != "g-x" || r.Part.Index != 3 || r.From != failed.ID || r.StopAfter != 3 || r.Container != "lab/nuclei:1.0" || r.Values[1].Text != "3" {
		t.Errorf("%+v", r)
	}
	requests, err = s.Repeat(tctx, left.Runs, []client.Value{{Parameter: "sigma", Text: "7", Origin: client.FromUser}})
	must(t, err)
	if v := requests[0].Values; v[0].Parameter != "sigma" || v[0].Text != "7" {
		t.Errorf("%+v", v)
	}
	var problems forms.Problems
	if _, err := s.Repeat(tctx, left.Runs, []client.Value{{Parameter: "Terms", Text: "1"}}); !errors.As(err, &problems) {
		t.Errorf("the split parameter was changed: %v", err)
	}
	if _, err := s.Repeat(tctx, g.Runs, nil); err == nil || !strings.Contains(err.Error(), "cancel it first") {
		t.Errorf("a live run was repeated: %v", err)
	}
}

func TestAGroupWhoseServerIsAway(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	run := s.member(a, "g-x", 1, runner.Failed, map[string]string{runner.FactJob: fmt.Sprint(s.job(a, "").ID)})
	s.web.Close()
	g, err := s.env.FindGroup("g-x")
	must(t, err)
	left, err := s.Remaining(tctx, g)
	if !errors.Is(err, client.ErrUnreachable) || len(left.Runs) != 1 {
		t.Errorf("%+v, %v", left, err)
	}
	// What was noted at the end needs no server.
	must(t, runner.WriteOutputs(run.Folder, runner.Outputs{}))
	if left, err = s.Remaining(tctx, g); err != nil || len(left.Runs) != 1 {
		t.Errorf("%+v, %v", left, err)
	}
}
