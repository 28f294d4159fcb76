package app

import (
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

func TestWhatHappenedSinceTheLastLook(t *testing.T) {
	now := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	after := now.Add(-20 * time.Hour)
	run := func(state runner.State, ended time.Time, result *runner.Result) Analysis {
		return Analysis{Run: &runner.Run{State: state, Ended: ended, Result: result}}
	}
	place := func(a Analysis, id, from string) Analysis {
		a.Run.ID, a.Run.Group, a.Run.From = id, "g", from
		return a
	}
	for _, c := range []struct {
		name string
		all  []Analysis
		says string
		bad  bool
	}{
		{"counts and the latest error", []Analysis{
			run(runner.Running, time.Time{}, nil),
			run(runner.Failed, now.Add(-time.Hour), &runner.Result{FirstError: "CUDA out\nof memory"}),
			run(runner.Succeeded, now.Add(-2*time.Hour), nil),
			run(runner.Succeeded, now.Add(-3*time.Hour), nil),
			run(runner.Failed, after.Add(-time.Hour), nil),
		}, "since Thu 18:00: 2 succeeded, 1 failed (CUDA out of memory)", true},
		{"what was tried again counts once", []Analysis{
			place(run(runner.Succeeded, now.Add(-time.Hour), nil), "b", "a"),
			place(run(runner.Failed, now.Add(-2*time.Hour), nil), "a", ""),
		}, "since Thu 18:00: 1 succeeded", false},
		{"keys are not shown", []Analysis{
			run(runner.Failed, now.Add(-time.Hour), &runner.Result{FirstError: "run.py --private_key 0b3d9c8e-1f2a-4b5c-8d7e-9f0a1b2c3d4e"}),
		}, "since Thu 18:00: 1 failed (run.py --private_key ••••)", true},
		{"nothing", []Analysis{run(runner.Running, time.Time{}, nil)}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if line, bad := happened(c.all, after, now); line != c.says || bad != c.bad {
				t.Errorf("%q, %t; want %q", line, bad, c.says)
			}
		})
	}
}
