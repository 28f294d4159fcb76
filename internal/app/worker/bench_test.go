package worker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/runner/report"
)

// BenchmarkIdleWorker counts what a worker asks that has nothing to do, while
// 20,000 jobs are on the server that are done, and 100 that it may not run.
func BenchmarkIdleWorker(b *testing.B) {
	w := newWorld(b, exacttest.Options{}, 0)
	done := map[string]any{"processing_complete": 100.0}
	images := w.s.AddImages(w.demo.Set, 10_000)
	again := w.s.AddPlugin(exacttest.Plugin{Name: "Other", Package: "org.example.other"})
	for i, im := range images {
		for _, plugin := range []int{w.plugin, again} {
			if id := w.s.AddJob(im, plugin, w.demo.Plain); i >= 50 {
				w.s.Set("pluginjobs", id, done)
			}
		}
	}
	box := w.box(1)
	if err := writeFile(box.allow, ""); err != nil {
		b.Fatal(err)
	}
	drain := make(chan struct{})
	ended := make(chan error, 1)
	often := usualPace
	often.all = 12 * time.Second
	go func() { ended <- box.worker(Options{pace: often}).Run(context.Background(), drain) }()
	for b.Loop() {
		time.Sleep(20 * time.Second) // more than once the whole list
	}
	close(drain)
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	most := 0
	all := w.s.Requests()
	for i := range all {
		n := 0
		for _, r := range all[i:] {
			if r.At.Sub(all[i].At) < 5*time.Second {
				n++
			}
		}
		if all[i].At.Sub(all[0].At) > 5*time.Second { // once it has begun
			most = max(most, n)
		}
	}
	bench.Report(b, "worker/idle-requests-in-5s", float64(most), "requests", 1, true)
}

// BenchmarkClaims measures a claim on a server that answers at once, whose pauses
// are most of it, and how many of them 50 workers make together.
func BenchmarkClaims(b *testing.B) {
	report.ClaimPause = time.Second
	defer func() { report.ClaimPause = 100 * time.Millisecond }()
	for b.Loop() {
		w := newWorld(b, exacttest.Options{}, 500)
		began := time.Now()
		var stops []func()
		for n := range 50 {
			stops = append(stops, w.box(n).serve(Options{pace: usualPace}))
		}
		var times []time.Duration
		w.eventually("all jobs are done", func() bool {
			if w.allDone() {
				times = append(times, time.Since(began))
				return true
			}
			return false
		})
		for _, stop := range stops {
			stop()
		}
		w.onceEach()
		slices.Sort(times)
		bench.Report(b, "worker/claims-of-50-workers", 500/times[0].Seconds(), "claims/s", 10, false)
	}
}
