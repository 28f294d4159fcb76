package runner

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// member is a run of group g; ended is in minutes after the start, 0: not over.
func member(id string, state State, ended int, from string) Run {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := Run{State: state}
	r.ID, r.Group, r.From, r.Created = id, "g", from, at.Add(time.Duration(id[0])*time.Second)
	if ended > 0 {
		r.Ended = at.Add(time.Duration(ended) * time.Minute)
	}
	return r
}

func TestGroup(t *testing.T) {
	for _, c := range []struct {
		name  string
		runs  []Run
		says  string
		state State
		row   int
	}{
		{"one that repeats another takes its place",
			[]Run{member("c", Succeeded, 9, "a"), member("a", Failed, 1, ""), member("b", Succeeded, 2, "")},
			"2 succeeded", Succeeded, 0},
		{"failures count from the last success by the order of ends",
			[]Run{member("a", Succeeded, 3, ""), member("b", Failed, 5, ""), member("c", Lost, 4, ""), member("d", Failed, 1, "")},
			"1 succeeded, 2 failed, 1 lost", Failed, 2},
		{"cancelled ones say nothing about failures",
			[]Run{member("a", Failed, 1, ""), member("b", Cancelled, 2, ""), member("c", Failed, 3, "")},
			"2 failed, 1 cancelled", Failed, 2},
		{"a run that waits keeps the group alive",
			[]Run{member("a", Failed, 1, ""), member("b", Queued, 0, "")},
			"1 failed, 1 queued", Queued, 1},
		{"what was tried again does not count as failed",
			[]Run{member("a", Failed, 1, ""), member("b", Failed, 2, ""), member("c", Failed, 3, ""),
				member("d", Failed, 4, "a"), member("e", Queued, 0, "b"), member("f", Queued, 0, "c")},
			"1 failed, 2 queued", Queued, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := member("z", Running, 0, "a")
			other.Group = "another"
			g := GroupOf(append(c.runs, other), "g")
			if g.String() != c.says || g.State() != c.state || g.FailuresInARow() != c.row {
				t.Errorf("%q, %s, %d in a row; want %q, %s, %d", g, g.State(), g.FailuresInARow(), c.says, c.state, c.row)
			}
		})
	}
	if g := GroupOf([]Run{{}, {}}, ""); len(g.Runs) != 0 {
		t.Error("runs without a group became one")
	}
}

func TestTheEndOfAGroupIsClaimedOnce(t *testing.T) {
	dir := t.TempDir()
	runs := []Run{member("a", Succeeded, 1, ""), member("b", Failed, 2, "")}
	for i := range runs {
		runs[i].Folder = fmt.Sprintf("%s/%s", dir, runs[i].ID)
	}
	claims := func() int {
		var n atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				who := fmt.Sprint("run-", i, "-of-", len(runs))
				if GroupOf(runs, "g").ClaimEnd(who) {
					n.Add(1)
					// Killed before it could tell anybody, it asks again.
					if !GroupOf(runs, "g").ClaimEnd(who) {
						t.Error("the one that claimed it may not tell it")
					}
				}
			})
		}
		all.Wait()
		return int(n.Load())
	}
	if n := claims(); n != 1 {
		t.Errorf("%d claims of one end", n)
	}
	again := member("c", Running, 0, "b")
	again.Folder = dir + "/c"
	runs = append(runs, again)
	if n := claims(); n != 0 {
		t.Errorf("%d claims while a run lives", n)
	}
	runs[2].State = Succeeded
	if n := claims(); n != 1 {
		t.Errorf("%d claims of the second end", n)
	}
}

func TestStoppingAGroupAsksOnlyTheQueued(t *testing.T) {
	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var waiting, working Run
	for _, r := range []*Run{&waiting, &working} {
		if *r, err = store.Create(Spec{Group: "g"}); err != nil {
			t.Fatal(err)
		}
	}
	j, err := OpenJournal(working.Folder)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, s := range []State{Preparing, Running} {
		if err := j.Append(Event{State: s}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := store.List()
	if err != nil {
		t.Fatal(err)
	}
	if n := GroupOf(runs, "g").Stop("3 failures in a row"); n != 1 {
		t.Errorf("%d runs asked", n)
	}
	if c, ok := CancelRequested(waiting.Folder); !ok || c.Reason != "3 failures in a row" {
		t.Errorf("the queued one was not asked: %+v", c)
	}
	if _, ok := CancelRequested(working.Folder); ok {
		t.Error("the one at work was asked to end")
	}
}
