package machine

import (
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
	d.UntilShows("analyses here: 1")
	d.Shows("● running", "stain-density", "Apptainer", "containers")
}

func TestGPUsAreShownWithTheirHolders(t *testing.T) {
	site := tuitest.New(t)
	now := time.Now()
	box := app.Machine{Host: "box", GPUs: []app.GPU{
		{Index: 0, Name: "NVIDIA H200", Used: 60 << 30, Total: 140 << 30, Load: 93, Holders: []app.GPUHolder{{PID: 4711, User: "mkim", Used: 59 << 30, Since: now.Add(-3 * time.Hour)}, {PID: 4712}},
			Leases: []gpu.Lease{{Holder: gpu.Holder{UID: -1, Run: "20261120-143205-k7qd", Memory: 8 << 30}}}},
		{Index: 1, Name: "evil\x1b[2J", Used: -1, Total: -1, Load: -1, Problem: "does not answer; restart the box"},
	},
		Slots: 2, Turns: []gpu.Holder{{UID: -1, Run: "20261120-143205-k7qd"}},
		Waiting: []gpu.Waiting{{Run: "20261120-150000-aaaa", User: "anna", Reason: "waiting for 1 GPU", Start: now.Add(time.Hour)}}}
	for _, s := range sizes {
		m := New(site.Session)
		d := tuitest.Drive(t, m, s.w, s.h)
		m.looking = 1
		d.Send(looked{gen: 1, machine: box, at: now})
		m.now = now
		d.Fits(s.w, s.h)
		if s.h > 30 {
			d.Shows("GPUs: 2", "NVIDIA H200", "load 93%", "held by mkim, process 4711", "since 3 h ago", "somebody outside of sight", "? of ?",
				"leased by run 20261120-143205-k7qd, 8.6 GB", "does not answer", "queue: 1 of 2 turns taken, 1 waiting", "1. 20261120-150000-aaaa of anna, waiting for 1 GPU, may begin at ")
		}
		d.Press("end")
		d.Fits(s.w, s.h)
	}
}
