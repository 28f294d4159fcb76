package worker

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/profile"
)

// TestWorkersOfARealServer lets twelve workers at the jobs of one plugin of a real
// EXACT server, which must all be pending. It writes results, and deletes them and
// resets the jobs at its end:
//
//	EXACT_TEST_URL=http://… EXACT_TEST_ADMIN=pat_… EXACT_TEST_PLUGIN=ID go test -run RealServer ./internal/app/worker
func TestWorkersOfARealServer(t *testing.T) {
	site, token, plugin := os.Getenv("EXACT_TEST_URL"), os.Getenv("EXACT_TEST_ADMIN"), os.Getenv("EXACT_TEST_PLUGIN")
	if site == "" || token == "" || plugin == "" {
		t.Skip("no real EXACT server: EXACT_TEST_URL, EXACT_TEST_ADMIN and EXACT_TEST_PLUGIN name one")
	}
	id, err := strconv.ParseInt(plugin, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, done: map[client.ID]int{}, begun: map[client.ID]int{}, dial: func() (*exact.Client, error) {
		return exact.New(profile.Profile{Kind: client.Exact, URL: site}, client.Keys{Public: "pat", Private: token}, exact.Options{})
	}}
	c := w.client()
	mine := func() []exact.PluginJob {
		all, err := c.PluginJobs(t.Context(), exact.JobQuery{WithResult: true})
		if err != nil {
			t.Fatal(err)
		}
		var jobs []exact.PluginJob
		for _, j := range all {
			if j.Plugin == client.ID(id) {
				jobs = append(jobs, j)
			}
		}
		return jobs
	}
	before := mine()
	for _, j := range before {
		if !j.Claimable() {
			t.Fatalf("job %d of the plugin is not pending", j.ID)
		}
	}
	t.Cleanup(func() {
		for _, j := range before {
			if _, err := c.RestartPluginJob(context.Background(), j.ID); err != nil {
				t.Logf("job %d stays as it is: %v", j.ID, err)
			}
		}
	})
	began := time.Now()
	var stops []func()
	for n := range 12 {
		b := w.box(n)
		b.ready = func(j exact.PluginJob) error {
			if j.Plugin != client.ID(id) {
				return &NotHere{"not ours"}
			}
			return nil
		}
		stops = append(stops, b.serve(Options{pace: pace{idle: 2 * time.Second, busy: time.Second, all: 10 * time.Second,
			look: 20 * time.Millisecond, retry: time.Second, most: 5 * time.Second, again: time.Minute}}))
	}
	w.eventually("all jobs are done", func() bool {
		time.Sleep(500 * time.Millisecond)
		for _, j := range mine() {
			if j.State() != exact.StateDone {
				return false
			}
		}
		return true
	})
	took := time.Since(began)
	var all sync.WaitGroup
	for _, stop := range stops {
		all.Go(stop)
	}
	all.Wait()
	for _, j := range mine() {
		if n := w.done[j.ID]; n != 1 || j.Result == 0 || j.Worker != "" {
			t.Errorf("job %d was done %d times: %+v", j.ID, n, j)
		}
	}
	t.Logf("%d jobs, %.1f claims/s, %d runs stopped", len(before), float64(len(before))/took.Seconds(), w.dropped)
}
