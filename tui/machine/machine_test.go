package machine

import (
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

var sizes = []struct{ w, h int }{{60, 15}, {80, 19}, {120, 35}, {200, 55}, {30, 3}}

func TestBoxIsLookedAtWhenItIsSeen(t *testing.T) {
	site := tuitest.New(t)
	site.Run("stain-density", runner.Running, nil, nil)
	m := New(site.Session)
	d := tuitest.Drive(t, m, 100, 40)
	if m.looking != 0 {
		t.Error("it looks before anybody sees it")
	}
	d.Send(nav.Tick{Now: time.Now()})
	d.UntilShows("my analyses here: 1")
	d.Shows("● running", "stain-density", "Apptainer", "containers")
}

func TestGPUsAreShownWithTheirHolders(t *testing.T) {
	site := tuitest.New(t)
	now := time.Now()
	box := app.Machine{Host: "box", GPUs: []app.GPU{
		{Index: 0, Name: "NVIDIA H200", Used: 60 << 30, Total: 140 << 30, Load: 93, Label: "0", Holders: []app.GPUHolder{{PID: 4711, Foreign: true, Text: "python\x1b[31m (pid 4711) of mkim, 63 GB"}, {PID: 4712, Text: "ours"}},
			Leases: []gpu.Lease{{Holder: gpu.Holder{UID: -1, Run: "20261120-143205-k7qd", Memory: 8 << 30}}}},
		{Index: 1, Label: "1", Name: "evil\x1b[2J", Used: -1, Total: -1, Load: -1, Problem: "does not answer; restart the box"},
	},
		Slots: 2, Turns: []gpu.Holder{{UID: -1, Run: "20261120-143205-k7qd"}},
		Waiting: []gpu.Waiting{{Run: "20261120-150000-aaaa", UID: -1, User: "anna", Request: gpu.Request{Count: 1}, Reason: "waiting for 1 GPU: GPU 0 has run 20261120-143205-k7qd", Start: now.Add(time.Hour)}}}
	for _, s := range sizes {
		m := New(site.Session)
		d := tuitest.Drive(t, m, s.w, s.h)
		m.looking = 1
		d.Send(looked{gen: 1, machine: box, at: now})
		m.now = now
		d.Fits(s.w, s.h)
		if s.h > 30 {
			d.Shows("GPUs: 2", "NVIDIA H200", "load 93%", "used without a lease by python", "(pid 4711) of mkim, 63 GB", "? of ?",
				"leased by run 20261120-143205-k7qd, 8 GiB", "does not answer", "queue: 1 of 2 turns taken, 1 waiting", "1. 20261120-150000-aaaa of anna, 1 GPU, may begin at about ", "waiting for 1 GPU: GPU 0 has run")
			d.Hides("ours")
		}
		d.Press("end")
		d.Fits(s.w, s.h)
	}
}

func TestRunsOfOursAreOpenedAndCancelledFromHere(t *testing.T) {
	site := tuitest.New(t)
	first := site.Run("stain-density", runner.Queued, nil, nil)
	second := site.Run("nuclei", runner.Running, nil, nil)
	m := New(site.Session)
	d := tuitest.Drive(t, m, 100, 40)
	d.Send(nav.Tick{Now: time.Now()})
	d.UntilShows("my analyses here: 2")
	var shown []string
	for _, b := range m.Help() {
		if b.Enabled() {
			shown = append(shown, b.Help().Key)
		}
	}
	if got := strings.Join(shown, " "); !strings.HasPrefix(got, "enter x a ctrl+r ↑ ↓") {
		t.Errorf("keys %q", got)
	}
	d.Press("home", "up", "up", "enter")
	if got := tuitest.UntilSent[nav.OpenLog](d).Analysis.Key(); got != first.ID {
		t.Errorf("opened %s", got)
	}
	d.Press("down", "down", "x")
	c := tuitest.UntilSent[nav.Confirm](d)
	if !strings.HasPrefix(c.Title, "cancel nuclei") || !strings.HasPrefix(c.Text, "It has run for ") {
		t.Errorf("%+v", c)
	}
	d.Do(c.Do)
	tuitest.UntilSent[nav.Toast](d)
	if _, ok := runner.CancelRequested(second.Folder); !ok {
		t.Error("nothing was cancelled")
	}
	d.Until("its supervisor is done", func() bool {
		run, err := runner.ReadFolder(second.Folder)
		return err == nil && run.State.Ended() && !runner.Supervised(second.Folder)
	})
}

func TestTheCursorStaysInSightOnASmallScreen(t *testing.T) {
	site := tuitest.New(t)
	for range 5 {
		site.Run("stain-density", runner.Queued, nil, nil)
	}
	m := New(site.Session)
	d := tuitest.Drive(t, m, 60, 8)
	d.Send(nav.Tick{Now: time.Now()})
	d.UntilShows("GPUs")
	seen := map[string]bool{}
	for range 40 {
		d.Press("down")
		d.Fits(60, 8)
		if strings.Contains(d.Text(), "▌") {
			seen[m.cursor.run] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("the cursor was seen on %d of 5", len(seen))
	}
	d.Shows("doctor")
	for range 40 {
		d.Press("up")
	}
	if m.top != 0 {
		t.Errorf("the top is %d", m.top)
	}
}
