package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
)

// inHurry is the pace of tests.
var inHurry = pace{idle: 100 * time.Millisecond, busy: 50 * time.Millisecond, all: 300 * time.Millisecond, look: 5 * time.Millisecond,
	retry: 20 * time.Millisecond, most: 200 * time.Millisecond, again: time.Minute}

func TestMain(m *testing.M) {
	report.ClaimPause = 100 * time.Millisecond
	os.Exit(m.Run())
}

// world is a server with jobs, and what became of them.
type world struct {
	t      testing.TB
	s      *exacttest.Server
	demo   exacttest.Demo
	plugin int
	dial   func() (*exact.Client, error) // to a server that is not s

	mu      sync.Mutex
	done    map[client.ID]int // how often a job was done to its end
	begun   map[client.ID]int
	dropped int // runs that stopped because their job was another's, or gone
}

func newWorld(t testing.TB, opt exacttest.Options, jobs int) *world {
	s := exacttest.Start(t, opt)
	w := &world{t: t, s: s, demo: s.AddDemo(), done: map[client.ID]int{}, begun: map[client.ID]int{}}
	w.plugin = s.AddPlugin(exacttest.Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{w.demo.Product}})
	for _, im := range s.AddImages(w.demo.Set, jobs) {
		s.AddJob(im, w.plugin, w.demo.Plain)
	}
	return w
}

func (w *world) client() *exact.Client {
	w.t.Helper()
	if w.dial != nil {
		c, err := w.dial()
		if err != nil {
			w.t.Fatal(err)
		}
		return c
	}
	c, err := exact.New(profile.Profile{Kind: client.Exact, URL: w.s.URL}, client.Keys{Public: "pat", Private: w.s.Token("worker")},
		exact.Options{RetryWait: 5 * time.Millisecond, Timeout: 5 * time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// box is one worker's box: its runs are goroutines that speak to the server as a
// supervisor does, and that live on when their worker ends.
type box struct {
	w      *world
	name   string
	server *exact.Client
	folder Folder
	allow  string
	work   time.Duration
	ready  func(exact.PluginJob) error // nil: everything runs here
	broken bool                        // every run fails

	mu   sync.Mutex
	runs map[string]*run
	all  sync.WaitGroup
}

type run struct {
	work Work
	over bool
	end  runner.State
}

func (w *world) box(n int) *box {
	dir := w.t.TempDir()
	b := &box{w: w, name: fmt.Sprintf("box%d", n), server: w.client(), folder: FolderOf(dir, "exact"), runs: map[string]*run{}, allow: filepath.Join(dir, "allow")}
	if err := writeFile(b.allow, "org.example.detector "+digest+"\n"); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(b.all.Wait)
	return b
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

func (b *box) worker(o Options) *Worker {
	o.Host, o.AllowFile, o.Server = b.name, b.allow, "the server"
	if o.pace == (pace{}) {
		o.pace = inHurry
	}
	return New(b.server, b, b.folder, o)
}

func (b *box) Ready(_ context.Context, j exact.PluginJob, a Allow) (Ready, error) {
	if !a.Permits("org.example.detector", digest) {
		return Ready{}, &NotHere{"not on the allow-list"}
	}
	if b.ready != nil {
		if err := b.ready(j); err != nil {
			return Ready{}, err
		}
	}
	return Ready{Algorithm: "Detector"}, nil
}

func (b *box) Start(_ context.Context, id string, j exact.PluginJob, _ Ready) error {
	r := &run{work: Work{Run: id, Job: j.ID}}
	b.mu.Lock()
	b.runs[id] = r
	b.mu.Unlock()
	b.all.Go(func() {
		if b.broken {
			b.fail(j)
			b.mu.Lock()
			r.over, r.end = true, runner.Failed
			b.mu.Unlock()
			return
		}
		err := b.execute(runner.Run{Spec: runner.Spec{ID: id, Host: b.name}, Job: j.ID}, j)
		b.w.mu.Lock()
		if err == nil {
			b.w.done[j.ID]++
		} else {
			b.w.dropped++
		}
		b.w.mu.Unlock()
		b.mu.Lock()
		r.over, r.end = true, runner.Cancelled
		if err == nil {
			r.end = runner.Succeeded
		}
		b.mu.Unlock()
	})
	return nil
}

// execute does what a supervisor and a program do, in little.
func (b *box) execute(r runner.Run, j exact.PluginJob) error {
	ctx := context.Background()
	b.w.mu.Lock()
	b.w.begun[j.ID]++
	b.w.mu.Unlock()
	if err := until(func() error { return report.ExactProgress(ctx, b.server, r, 1) }); err != nil {
		return err
	}
	time.Sleep(b.work)
	if err := until(func() error { return report.Held(ctx, b.server, r.Spec, j.ID) }); err != nil {
		return err
	}
	if err := until(func() error { // a lost answer may have made it
		all, err := b.server.Results(ctx, exact.ResultQuery{Job: j.ID})
		if err != nil || len(all) > 0 {
			return err
		}
		_, _, err = b.server.CreateResult(ctx, exact.NewResult{Job: j.ID, Image: j.Image, Plugin: j.Plugin})
		return err
	}); err != nil {
		return err
	}
	all, name := 100.0, ""
	if runner.Held(b.folder.lock()) {
		name = report.Worker(r.Spec)
	}
	return until(func() error {
		_, err := b.server.PatchPluginJob(ctx, j.ID, exact.JobPatch{Progress: &all, Worker: &name})
		return err
	})
}

// fail is a run that cannot work on this box.
func (b *box) fail(j exact.PluginJob) {
	why, none := "Error: no memory", ""
	_, _ = b.server.PatchPluginJob(context.Background(), j.ID, exact.JobPatch{ErrorMessage: &why, Worker: &none})
}

// until repeats what fails for the moment, as deliveries do.
func until(f func() error) error {
	for n := 0; ; n++ {
		err := f()
		if err == nil || !client.Transient(err) || n == 50 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *box) Over(id string) (over bool, end runner.State, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.runs[id]
	return r.over, r.end, nil
}

func (b *box) live() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.runs {
		if !r.over {
			n++
		}
	}
	return n
}

func (b *box) Revive(string) error { return nil }

func (b *box) Tend() {}

func (b *box) Holds(job client.ID) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.runs {
		if !r.over && r.work.Job == job {
			return true, nil
		}
	}
	return false, nil
}

func (b *box) Exists(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.runs[id] != nil
}

// serve runs a worker until stop is called, which drains it.
func (b *box) serve(o Options) (stop func()) {
	drain := make(chan struct{})
	ended := make(chan error, 1)
	go func() { ended <- b.worker(o).Run(context.Background(), drain) }()
	return sync.OnceFunc(func() {
		close(drain)
		select {
		case err := <-ended:
			if err != nil {
				b.w.t.Errorf("worker of %s: %v", b.name, err)
			}
		case <-time.After(30 * time.Second):
			b.w.t.Errorf("worker of %s does not end", b.name)
		}
	})
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not after minutes: %s", what)
		}
	}
}

func (w *world) allDone() bool {
	for _, j := range w.s.Jobs() {
		if j.Complete != 100 || j.Worker != "" {
			return false
		}
	}
	return true
}

// onceEach checks that every job was done, and none twice.
func (w *world) onceEach() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	results := map[int]int{}
	for _, r := range w.s.Rows("pluginresults") {
		id, _ := r["job"].(float64)
		results[int(id)]++
	}
	for _, j := range w.s.Jobs() {
		if n := w.done[client.ID(j.ID)]; n != 1 {
			w.t.Errorf("job %d was done %d times, begun %d times", j.ID, n, w.begun[client.ID(j.ID)])
		}
		if j.Complete != 100 || j.Worker != "" || j.Error != "" || results[j.ID] != 1 {
			w.t.Errorf("job %+v has %d results", j, results[j.ID])
		}
	}
}

func TestFiftyWorkersDoFiveHundredJobsOnceEach(t *testing.T) {
	workers, jobs := 50, 500
	if underRace { // the detector makes all of it many times slower
		workers, jobs = 12, 60
	}
	// Writes take long and replace whole rows, so that many revert another.
	w := newWorld(t, exacttest.Options{Race: 20 * time.Millisecond}, jobs)
	began := time.Now()
	var stops []func()
	for n := range workers {
		b := w.box(n)
		b.work = 5 * time.Millisecond
		stops = append(stops, b.serve(Options{pace: pace{idle: time.Second, busy: time.Second, all: 2 * time.Second,
			look: 20 * time.Millisecond, retry: 50 * time.Millisecond, most: time.Second, again: time.Minute}}))
	}
	w.eventually("all jobs are done", w.allDone)
	took := time.Since(began)
	var all sync.WaitGroup
	for _, stop := range stops {
		all.Go(stop)
	}
	all.Wait()
	w.onceEach()
	t.Logf("%.0f claims/s, %d requests, %d runs stopped", float64(jobs)/took.Seconds(), len(w.s.Requests()), w.dropped)
}

func TestServerThatLosesAnswersLosesNoJobAndDoesNoneTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 30)
	var mu sync.Mutex
	n := 0
	w.s.Fault(func(r exacttest.Request) exacttest.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch n++; {
		case n%5 == 0:
			return exacttest.Fault{Lose: true}
		case n%7 == 0:
			return exacttest.Fault{Fail: true}
		case n%11 == 0:
			return exacttest.Fault{Drop: true}
		}
		return exacttest.Fault{}
	})
	var stops []func()
	for n := range 5 {
		stops = append(stops, w.box(n).serve(Options{Slots: 2}))
	}
	w.eventually("all jobs are done", w.allDone)
	for _, stop := range stops {
		stop()
	}
	w.onceEach()
}

func TestKilledBetweenClaimAndLaunchGivesTheJobBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	job := client.ID(w.s.Jobs()[0].ID)
	b := w.box(1)
	id := runner.NewID(time.Now())
	if err := os.MkdirAll(filepath.Join(string(b.folder), "claims"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.folder.intend(id, job); err != nil {
		t.Fatal(err)
	}
	if err := report.Claim(t.Context(), b.server, runner.Spec{ID: id, Host: b.name}, job); err != nil {
		t.Fatal(err)
	}
	// Here the worker is killed. Another box leaves the claim alone.
	other := w.box(2)
	stop := other.serve(Options{})
	time.Sleep(2 * inHurry.all)
	stop()
	if j, _ := w.s.Job(int(job)); j.Worker != b.name+"_"+id {
		t.Fatalf("the claim is %q", j.Worker)
	}
	if err := b.worker(Options{Once: true}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.onceEach()
	if left := b.folder.intents(); len(left) > 0 {
		t.Errorf("intents %v", left)
	}
}

func TestRestartedWorkerCountsTheRunsThatGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 3)
	b := w.box(1)
	b.work = 500 * time.Millisecond
	ctx, kill := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.worker(Options{Slots: 1}).Run(ctx, nil) }()
	w.eventually("a run begins", func() bool { return b.live() == 1 })
	kill()
	<-ended
	second := b.worker(Options{Slots: 1, Once: true})
	var most int
	watching, stop := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for watching.Err() == nil {
			most = max(most, b.live())
			time.Sleep(time.Millisecond)
		}
	})
	if err := second.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	stop()
	watch.Wait()
	if most != 1 {
		t.Errorf("%d runs at once in one slot", most)
	}
	w.onceEach()
}

func TestJobDeletedWhileItRunsIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	job := w.s.Jobs()[0].ID
	b := w.box(1)
	b.work = 200 * time.Millisecond
	stop := b.serve(Options{})
	w.eventually("it runs", func() bool { return b.live() == 1 })
	w.s.StopJob(job)
	w.eventually("it ends", func() bool { return b.live() == 0 })
	stop()
	if w.dropped != 1 || len(w.done) != 0 || w.s.Len("pluginresults") != 0 {
		t.Errorf("dropped %d, done %v", w.dropped, w.done)
	}
}

func TestDrainedWorkerFinishesAndClaimsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 10)
	b := w.box(1)
	b.work = 300 * time.Millisecond
	stop := b.serve(Options{Slots: 2})
	w.eventually("two run", func() bool { return b.live() == 2 })
	stop()
	if len(w.done) != 2 || len(w.begun) != 2 {
		t.Errorf("done %v, begun %v", w.done, w.begun)
	}
	if s, ok := b.folder.Status(); !ok || s.Phase != PhaseDraining || len(s.Jobs) != 0 || s.Done != 2 {
		t.Errorf("status %+v", s)
	}
}

func TestDrainedWhileItClaimsTheWorkerGivesTheJobBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	b := w.box(1)
	stopped := make(chan func(), 1)
	var drained sync.WaitGroup
	drained.Add(1)
	w.s.FaultNext(1, "PATCH", "", exacttest.Fault{After: func() {
		stop := <-stopped
		go func() { defer drained.Done(); stop() }()
	}})
	stopped <- b.serve(Options{})
	drained.Wait()
	if j := w.s.Jobs()[0]; j.Worker != "" || len(w.begun) > 0 || len(b.folder.intents()) > 0 {
		t.Errorf("begun %v, the job is %+v", w.begun, j)
	}
}

func TestPausedClosedAndRefusingWorkersClaimNothing(t *testing.T) {
	t.Parallel()
	closed := time.Now().Add(3 * time.Hour)
	hours, err := ParseHours(closed.Format("15:04") + "-" + closed.Add(time.Hour).Format("15:04"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		o      Options
		before func(*box)
		phase  string
	}{
		"paused": {before: func(b *box) { _ = b.folder.Pause("ann") }, phase: PhasePaused},
		"closed": {o: Options{Hours: hours}, phase: PhaseClosed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exacttest.Options{}, 2)
			b := w.box(1)
			if tt.before != nil {
				tt.before(b)
			}
			stop := b.serve(tt.o)
			w.eventually("it says why", func() bool { s, _ := b.folder.Status(); return s.Phase == tt.phase })
			stop()
			tt.o.Once = true
			if err := b.worker(tt.o).Run(t.Context(), nil); err != nil {
				t.Error(err)
			}
			if len(w.begun) > 0 || len(w.s.Requests()) > 0 {
				t.Errorf("begun %v, %d requests", w.begun, len(w.s.Requests()))
			}
		})
	}
}

func TestAllowListThatBreaksWhileItWorksStopsClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 0)
	b := w.box(1)
	stop := b.serve(Options{})
	defer stop()
	w.eventually("it polls", func() bool { return len(w.s.Requests()) > 1 })
	if err := os.WriteFile(b.allow, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.eventually("it refuses", func() bool { s, _ := b.folder.Status(); return s.Phase == PhaseRefusing })
	w.s.AddJob(w.demo.Images[0], w.plugin, w.demo.Plain)
	time.Sleep(3 * inHurry.idle)
	if len(w.begun) > 0 {
		t.Error("it claimed")
	}
	if err := os.WriteFile(b.allow, []byte("org.example.detector "+digest+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.eventually("it works again", w.allDone)
}

func TestWhatMayNotRunHereIsAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 3)
	b := w.box(1)
	var mu sync.Mutex
	asked := 0
	b.ready = func(exact.PluginJob) error {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return &NotHere{"its image is not for us"}
	}
	stop := b.serve(Options{})
	w.eventually("it says so", func() bool { s, _ := b.folder.Status(); return s.LeftAlone["its image is not for us"] == 3 })
	time.Sleep(5 * inHurry.idle)
	stop()
	if asked != 3 || len(w.begun) > 0 {
		t.Errorf("asked %d times", asked)
	}
}

func TestBoxOnWhichAnAlgorithmFailsLeavesItToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 12)
	b := w.box(1)
	b.broken = true
	if err := b.worker(Options{Once: true}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, j := range w.s.Jobs() {
		if j.Error != "" {
			failed++
		}
	}
	s, _ := b.folder.Status()
	if failed != strikesOut || len(s.LeftAlone) != 1 {
		t.Errorf("%d jobs failed, left alone %v", failed, s.LeftAlone)
	}
	if err := w.box(2).worker(Options{Once: true}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(w.done) != 12-strikesOut {
		t.Errorf("another box did %d", len(w.done))
	}
}

func TestWorkerWithAnEmptyAllowListRunsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 2)
	b := w.box(1)
	if err := os.WriteFile(b.allow, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := b.worker(Options{Once: true, Say: func(line string) { said = append(said, line) }}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(w.begun) > 0 || len(said) == 0 || said[0] != b.allow+" allows nothing, so nothing is claimed until an algorithm stands there" {
		t.Errorf("begun %v, said %q", w.begun, said)
	}
	for _, r := range w.s.Requests() {
		if r.Method != "GET" {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func TestClaimOfASilentWorkerIsFreedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reclaim time.Duration
		tell    bool // the other worker tells its progress now and then
		result  bool
		done    bool
	}{
		"off":                {},
		"silent":             {reclaim: 700 * time.Millisecond, done: true},
		"telling":            {reclaim: 700 * time.Millisecond, tell: true},
		"silent with result": {reclaim: 700 * time.Millisecond, result: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Its clock is far off, and so is that of who claimed: neither counts.
			w := newWorld(t, exacttest.Options{Skew: -72 * time.Hour}, 1)
			job := w.s.Jobs()[0].ID
			old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
			w.s.Set("pluginjobs", job, map[string]any{"attached_worker": "elsewhere_AbC123", "updated_time": old, "processing_complete": 12.5})
			if tt.result {
				if _, _, err := w.client().CreateResult(t.Context(), exact.NewResult{Job: client.ID(job), Image: 1, Plugin: 1}); err != nil {
					t.Fatal(err)
				}
			}
			stop := w.box(1).serve(Options{Reclaim: tt.reclaim})
			for end, n := time.Now().Add(2*time.Second), 0; time.Now().Before(end); n++ {
				if tt.tell {
					w.s.Set("pluginjobs", job, map[string]any{"updated_time": old.Add(time.Duration(n) * time.Second)})
				}
				time.Sleep(100 * time.Millisecond)
			}
			stop()
			if j, _ := w.s.Job(job); (j.Complete == 100) != tt.done || !tt.done && j.Worker != "elsewhere_AbC123" {
				t.Errorf("job %+v", j)
			}
		})
	}
}

func TestOneWorkerForEachServerAndPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 0)
	b := w.box(1)
	stop := b.serve(Options{})
	defer stop()
	w.eventually("it runs", b.folder.Running)
	if err := b.worker(Options{}).Run(t.Context(), nil); err != ErrRunning {
		t.Errorf("second: %v", err)
	}
}

func TestServerThatIsAwayIsAskedLessAndLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	remove := w.s.Fault(func(exacttest.Request) exacttest.Fault { return exacttest.Fault{Fail: true} })
	b := w.box(1)
	stop := b.serve(Options{})
	w.eventually("it says so", func() bool {
		s, _ := b.folder.Status()
		return s.Phase == PhaseOffline && strings.Contains(s.Why, "500")
	})
	remove()
	w.eventually("it works again", w.allDone)
	stop()
	w.onceEach()
}

func TestOnceEndsWithWhatTheServerRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	b := w.box(1)
	plain, err := exact.New(profile.Profile{Kind: client.Exact, URL: w.s.URL}, client.Keys{Public: "plain", Private: "plain-pass-1"}, exact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.server = plain
	if err := b.worker(Options{Once: true}).Run(t.Context(), nil); !errors.Is(err, client.ErrForbidden) || !strings.Contains(err.Error(), "rights of a worker") {
		t.Errorf("it ended with %v", err)
	}
	w.s.Fault(func(exacttest.Request) exacttest.Fault { return exacttest.Fault{Drop: true} })
	if err := b.worker(Options{Once: true}).Run(t.Context(), nil); !client.Transient(err) {
		t.Errorf("it ended with %v", err)
	}
}

func TestOnceSaysWhatItLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 2)
	b := w.box(1)
	b.ready = func(exact.PluginJob) error { return &NotHere{"its image is not for us"} }
	var said []string
	if err := b.worker(Options{Once: true, Say: func(line string) { said = append(said, line) }}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(said, "2 jobs left alone: its image is not for us") {
		t.Errorf("it said %q", said)
	}
}

func TestJobsAreDoneOnceThroughTheHourThatComesTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{Skew: 4 * time.Second}, 0)
	began, berlin := time.Now(), time.Date(2026, 10, 25, 0, 59, 55, 500e6, time.UTC) // by the server 02:59:59.5, and then 02:00
	w.s.SetNow(func() time.Time { return berlin.Add(time.Since(began)) })
	var all []int
	for _, im := range w.s.AddImages(w.demo.Set, 20) {
		all = append(all, w.s.AddJob(im, w.plugin, w.demo.Plain))
		time.Sleep(time.Second / 20) // across the change
	}
	first, _ := w.s.Job(all[0])
	last, _ := w.s.Job(all[len(all)-1])
	var stops []func()
	for n := range 4 {
		stops = append(stops, w.box(n).serve(Options{Slots: 2}))
	}
	w.eventually("all jobs are done", w.allDone)
	for _, stop := range stops {
		stop()
	}
	w.onceEach()
	if !last.Created.Before(first.Created) {
		t.Errorf("the clock was not put back: %s, %s", first.Created, last.Created)
	}
}

func TestJobsThatSlipBetweenPagesAreFoundLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 0)
	b := w.box(1)
	stop := b.serve(Options{Slots: 4})
	w.eventually("it polls", func() bool { return len(w.s.Requests()) > 1 })
	w.s.FaultNext(5, "GET", "/api/v1/processing/pluginjobs/", exacttest.Fault{After: func() {
		for _, im := range w.s.AddImages(w.demo.Set, 3) {
			w.s.AddJob(im, w.plugin, w.demo.Plain)
		}
	}})
	w.eventually("all are done", func() bool { return len(w.s.Jobs()) == 15 && w.allDone() })
	stop()
	w.onceEach()
}

func TestDoneJobWhoseOldRowComesBackIsDoneAgainOnlyInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	stop := w.box(1).serve(Options{})
	w.eventually("it is done", w.allDone)
	w.s.Set("pluginjobs", w.s.Jobs()[0].ID, map[string]any{"processing_complete": 0.0})
	w.eventually("it is done again", w.allDone)
	stop()
	w.onceEach()
}

func TestRestartedJobIsDoneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	b := w.box(1)
	stop := b.serve(Options{})
	defer stop()
	w.eventually("it is done", w.allDone)
	job := w.s.Jobs()[0].ID
	w.s.RestartJob(job)
	w.eventually("it is done again", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return maps.Equal(w.done, map[client.ID]int{client.ID(job): 2})
	})
}
