package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// leases is the folder of the queue.
func leases() string { return os.Getenv("CYTORUN_LEASES") }

// waits until a run stands in the queue.
func (s *site) queued(run runner.Run) runner.Run {
	s.t.Helper()
	var now runner.Run
	within(s.t, "the run waits in the queue", func() bool {
		var err error
		now, err = runner.ReadFolder(run.Folder)
		return err == nil && now.State == runner.Queued && strings.HasPrefix(now.Reason, runner.WaitingForTurn)
	})
	return now
}

func TestRunsStartInTheOrderOfTheirLaunch(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	first, _ := s.running(s.launch(words))
	var waiting []runner.Run
	for range 4 {
		waiting = append(waiting, s.queued(s.launch("say hi")))
	}
	last, err := runner.ReadFolder(waiting[3].Folder)
	must(t, err)
	if want := "3 before it, first " + waiting[0].ID + ", waiting for its turn: taken by run " + first.ID + " of "; !strings.Contains(last.Reason, want) {
		t.Errorf("reason %q, want %q in it", last.Reason, want)
	}
	if head, _ := runner.ReadFolder(waiting[0].Folder); !strings.Contains(head.Reason, first.ID) {
		t.Errorf("the first in the queue waits for %q, want %s", head.Reason, first.ID)
	}
	// The job of each is on the server although none has started.
	if jobs := s.jobs(); len(jobs) != 5 {
		t.Errorf("%d jobs", len(jobs))
	}
	end("0")
	var starts []time.Time
	for _, run := range waiting {
		starts = append(starts, s.ended(run, runner.Succeeded).Started)
	}
	if !slices.IsSortedFunc(starts, time.Time.Compare) {
		t.Errorf("started out of order: %v", starts)
	}
	if left := runner.Tickets(leases()); len(left) != 0 {
		t.Errorf("tickets are left: %v", left)
	}
}

func TestOneSlotRunsOneAtATime(t *testing.T) {
	s := newSite(t)
	t.Setenv("CYTORUN_SLOTS", "2")
	var runs []runner.Run
	for range 6 {
		runs = append(runs, s.launch("sleep 60"))
	}
	var spans [][2]time.Time
	for _, run := range runs {
		run = s.ended(run, runner.Succeeded)
		spans = append(spans, [2]time.Time{run.Result.Exit.Started, run.Result.Exit.Ended})
	}
	for _, a := range spans {
		together := 0
		for _, b := range spans {
			if !a[0].Before(b[0]) && a[0].Before(b[1]) {
				together++
			}
		}
		if together > 2 {
			t.Errorf("%d runs at once on two slots", together)
		}
	}
}

func TestCancelInTheQueueIsImmediateAndFreesThePlace(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	s.running(s.launch(words))
	second := s.queued(s.launch("say two"))
	third := s.queued(s.launch("say three"))
	began := time.Now()
	must(t, runner.RequestCancel(second.Folder, "ann"))
	second = s.ended(second, runner.Cancelled)
	if took := time.Since(began); took > soon {
		t.Errorf("took %v", took)
	}
	if _, ok := runner.ReadStarted(second.Folder); ok {
		t.Error("it was started")
	}
	for _, job := range s.jobs() {
		if job.id == int(second.Job) && job.status != 8 {
			t.Errorf("server has %+v", job)
		}
	}
	end("0")
	s.ended(third, runner.Succeeded)
}

func TestDeathInTheQueueHoldsUpNobodyAndKeepsThePlace(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	s.running(s.launch(words))
	second := s.queued(s.launch("say two"))
	third := s.queued(s.launch("say three"))
	kill(t, s.supervisor(second), syscall.SIGKILL)
	s.recover()
	within(t, "the second is back in its place", func() bool {
		ts := runner.Tickets(leases())
		return len(ts) == 2 && ts[0].Run == second.ID && runner.Held(ts[0].Path)
	})
	end("0")
	second, third = s.ended(second, runner.Succeeded), s.ended(third, runner.Succeeded)
	if !second.Started.Before(third.Started) {
		t.Error("the second lost its place")
	}
	if jobs := s.jobs(); len(jobs) != 3 {
		t.Errorf("%d jobs", len(jobs))
	}

	// Without a new supervisor, a dead ticket is passed over.
	words, end = until(t)
	s.running(s.launch(words))
	dead := s.queued(s.launch("say dead"))
	next := s.queued(s.launch("say next"))
	kill(t, s.supervisor(dead), syscall.SIGKILL)
	end("0")
	s.ended(next, runner.Succeeded)
}

func TestASlotIsHeldByTheContainerAndNotByItsSupervisor(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	first, _ := s.running(s.launch(words))
	kill(t, s.supervisor(first), syscall.SIGKILL)
	second := s.queued(s.launch("say two"))
	if !locked(t, filepath.Join(leases(), "slot-1")) {
		t.Error("the slot is free although the program runs")
	}
	end("0")
	s.ended(second, runner.Succeeded)
	s.recover()
	s.ended(first, runner.Succeeded)
}

func TestAQueueFolderThatCannotBeTrusted(t *testing.T) {
	s := newSite(t)
	for name, make := range map[string]func(){
		"a file":          func() { must(t, os.WriteFile(leases(), nil, 0o600)) },
		"a symbolic link": func() { must(t, os.Symlink(t.TempDir(), leases())) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.RemoveAll(leases()))
			make()
			run := s.ended(s.launch("ok"), runner.Failed)
			if !strings.Contains(run.Reason, "CYTORUN_LEASES") {
				t.Errorf("reason %q", run.Reason)
			}
		})
	}
}
