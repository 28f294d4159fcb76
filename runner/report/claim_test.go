package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

func TestMain(m *testing.M) {
	ClaimPause = 60 * time.Millisecond
	os.Exit(m.Run())
}

// exactSite is an EXACT server with one job.
func exactSite(t *testing.T, opt exacttest.Options) (s *exacttest.Server, c *exact.Client, job client.ID) {
	t.Helper()
	s = exacttest.Start(t, opt)
	d := s.AddDemo()
	id := s.AddJob(d.Images[0], s.AddPlugin(exacttest.Plugin{Name: "P", Package: "p", Products: []int{d.Product}}), d.Plain)
	c, err := exact.New(profile.Profile{Kind: client.Exact, URL: s.URL}, client.Keys{Public: "pat", Private: s.Token("worker")},
		exact.Options{RetryWait: time.Millisecond, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, client.ID(id)
}

func specOf(n int) runner.Spec { return runner.Spec{Host: "box", ID: fmt.Sprintf("run%d", n)} }

const patchPath = "/api/v1/processing/pluginjobs/"

func TestOfManyClaimsAtOnceOneHolds(t *testing.T) {
	s, c, job := exactSite(t, exacttest.Options{Race: 5 * time.Millisecond})
	var mu sync.Mutex
	var won []string
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			switch err := Claim(t.Context(), c, specOf(n), job); {
			case err == nil:
				mu.Lock()
				won = append(won, Worker(specOf(n)))
				mu.Unlock()
			case !errors.Is(err, ErrTaken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if j, _ := s.Job(int(job)); len(won) != 1 || j.Worker != won[0] {
		t.Errorf("won by %v, the job has %q", won, j.Worker)
	}
}

func TestClaimThatIsWipedOffIsWrittenAgain(t *testing.T) {
	s, c, job := exactSite(t, exacttest.Options{})
	s.FaultNext(2, "PATCH", patchPath, exacttest.Fault{After: func() { s.Set("pluginjobs", int(job), map[string]any{"attached_worker": nil}) }})
	if err := Claim(t.Context(), c, specOf(1), job); err != nil {
		t.Fatal(err)
	}
	if j, _ := s.Job(int(job)); j.Worker != "box_run1" {
		t.Errorf("the job has %q", j.Worker)
	}
}

func TestClaimGivesUp(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after map[string]any // of the job, before it and after its first write
		result, gone  bool           // before, after its first write
		want          error
		worker        string // in the end
	}{
		"of another":        {before: map[string]any{"attached_worker": "other_1"}, want: ErrTaken, worker: "other_1"},
		"done":              {before: map[string]any{"processing_complete": 100.0}, want: ErrTaken},
		"failed":            {before: map[string]any{"error_message": "no"}, want: ErrTaken},
		"with a result":     {result: true, want: ErrTaken},
		"overwritten":       {after: map[string]any{"attached_worker": "other_1"}, want: ErrTaken, worker: "other_1"},
		"done meanwhile":    {after: map[string]any{"processing_complete": 100.0, "attached_worker": nil}, want: ErrTaken},
		"deleted meanwhile": {gone: true, want: ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			s, c, job := exactSite(t, exacttest.Options{})
			if tt.before != nil {
				s.Set("pluginjobs", int(job), tt.before)
			}
			if tt.result {
				result(t, c, job)
			}
			s.FaultNext(1, "PATCH", patchPath, exacttest.Fault{After: func() {
				if tt.gone {
					s.StopJob(int(job))
				} else if tt.after != nil {
					s.Set("pluginjobs", int(job), tt.after)
				}
			}})
			if err := Claim(t.Context(), c, specOf(1), job); !errors.Is(err, tt.want) {
				t.Errorf("claim: %v", err)
			}
			if j, ok := s.Job(int(job)); j.Worker != tt.worker || ok == tt.gone {
				t.Errorf("the job has %q", j.Worker)
			}
		})
	}
}

func result(t *testing.T, c *exact.Client, job client.ID) {
	t.Helper()
	if _, _, err := c.CreateResult(t.Context(), exact.NewResult{Job: job, Image: 1, Plugin: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestClaimOfAJobThatWasDoneMeanwhileIsGivenBack(t *testing.T) {
	s, c, job := exactSite(t, exacttest.Options{})
	// Another worker does the job while our write is on its way: the write then
	// puts the row back that was there before.
	s.FaultNext(1, "PATCH", patchPath, exacttest.Fault{After: func() { result(t, c, job) }})
	if err := Claim(t.Context(), c, specOf(1), job); !errors.Is(err, ErrTaken) {
		t.Errorf("claim: %v", err)
	}
	if j, _ := s.Job(int(job)); j.Worker != "" || j.Result == 0 {
		t.Errorf("the job is %+v", j)
	}
}

func TestClaimWhoseAnswerWasLostIsTakenUp(t *testing.T) {
	s, c, job := exactSite(t, exacttest.Options{})
	s.FaultNext(1, "PATCH", patchPath, exacttest.Fault{Lose: true})
	if err := Claim(t.Context(), c, specOf(1), job); !client.Transient(err) {
		t.Fatalf("claim: %v", err)
	}
	result(t, c, job) // what an earlier try wrote is no other worker's
	if err := Claim(t.Context(), c, specOf(1), job); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestEndIsWrittenAgainThatALateWriteUndid(t *testing.T) {
	for state, done := range map[runner.State]func(exacttest.Job) bool{
		runner.Succeeded: func(j exacttest.Job) bool { return j.Complete == 100 && j.Worker == "" && j.Error == "" },
		runner.Failed:    func(j exacttest.Job) bool { return strings.Contains(j.Error, "no memory") && j.Worker == "" },
	} {
		t.Run(string(state), func(t *testing.T) {
			s, c, job := exactSite(t, exacttest.Options{})
			if err := Claim(t.Context(), c, specOf(1), job); err != nil {
				t.Fatal(err)
			}
			writes := 0
			s.Fault(func(r exacttest.Request) exacttest.Fault {
				if r.Method != "PATCH" {
					return exacttest.Fault{}
				}
				if writes++; writes != 2 { // the last of an end
					return exacttest.Fault{}
				}
				return exacttest.Fault{After: func() {
					s.Set("pluginjobs", int(job), map[string]any{"attached_worker": "box_run1", "processing_complete": 12.0})
				}}
			})
			e := End{State: state, Reason: "no memory"}
			if err := e.send(context.Background(), c, runner.Run{Spec: specOf(1)}, job); err != nil {
				t.Fatal(err)
			}
			if j, _ := s.Job(int(job)); !done(j) {
				t.Errorf("the job is %+v", j)
			}
		})
	}
}
