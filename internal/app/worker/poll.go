package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
)

// known are the jobs of the server as they were read last.
type known struct {
	rows  map[client.ID]exact.PluginJob
	count int       // of all on the server
	full  time.Time // when all were read
	at    time.Time // when some were read
}

// newest is how many jobs a poll reads: a new one stands first in the list, and
// so does one that was restarted on the server's pages.
const newest = 200

// poll reads what is new, or everything where that may not be enough: a job that
// was restarted through the API keeps its place.
func (w *Worker) poll(ctx context.Context) error {
	k := &w.jobs
	defer func() { w.strangers.see(k.rows, time.Now()) }()
	if k.rows != nil && time.Since(k.full) < w.pace.all {
		rows, count, err := w.server.NewestPluginJobs(ctx, newest)
		if err != nil {
			return err
		}
		if count-k.count < newest {
			k.count, k.at = count, time.Now()
			for _, j := range rows {
				k.rows[j.ID] = j
			}
			return nil
		}
	}
	rows, err := w.server.PluginJobs(ctx, exact.JobQuery{})
	if err != nil {
		return err
	}
	k.rows = make(map[client.ID]exact.PluginJob, len(rows))
	for _, j := range rows {
		k.rows[j.ID] = j
	}
	k.count, k.full = len(rows), time.Now()
	k.at = k.full
	w.claimed.see(rows, time.Now())
	return nil
}

// known tells whether jobs are known that wait and may run here.
func (w *Worker) known() bool { return len(w.waiting()) > 0 }

// round fills the free slots, and polls before where that is due. found is how
// many jobs waited that nobody had looked at, or that had no slot.
func (w *Worker) round(ctx context.Context, due bool) (found int, err error) {
	if due {
		if err := w.settleClaims(ctx); err != nil {
			return 0, err
		}
		if err := w.poll(ctx); err != nil {
			return 0, err
		}
		w.mu.Lock()
		w.failures = 0
		w.mu.Unlock()
		if err := w.mend(ctx); err != nil {
			return 0, err
		}
		if err := w.reclaim(ctx); err != nil {
			return 0, err
		}
	}
	waiting := w.waiting()
	found = len(waiting)
	for len(waiting) > 0 && w.busy() < w.Slots && ctx.Err() == nil {
		if w.draining() || w.folder.Paused() || !w.Hours.Open(time.Now()) {
			break
		}
		n := min(w.Slots-w.busy(), len(waiting))
		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed error
		for _, j := range w.choose(&waiting, n) {
			wg.Go(func() {
				if err := w.try(ctx, j); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if failed != nil {
			return 0, failed
		}
	}
	phase := PhaseIdle
	if w.busy() > 0 {
		phase = PhaseWorking
	}
	w.countLeft(found)
	w.tell(phase, "")
	return found, nil
}

// waiting are the jobs that could be claimed, oldest first.
func (w *Worker) waiting() []exact.PluginJob {
	mine := map[client.ID]bool{}
	w.mu.Lock()
	for _, work := range w.running {
		mine[work.Job] = true
	}
	w.mu.Unlock()
	var out []exact.PluginJob
	for id, j := range w.jobs.rows {
		if !j.Claimable() || mine[id] {
			continue
		}
		w.mu.Lock()
		l, ok := w.left[id]
		if ok && (!l.same(j) || time.Now().After(l.until)) {
			delete(w.left, id)
			ok = false
		}
		w.mu.Unlock()
		if !ok {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b exact.PluginJob) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// choose takes n of the oldest jobs, by lot: workers that all took the oldest
// would be in each other's way. Who lost looks further.
func (w *Worker) choose(waiting *[]exact.PluginJob, n int) []exact.PluginJob {
	w.mu.Lock()
	width := max(w.width, 2*n)
	w.mu.Unlock()
	var out []exact.PluginJob
	for range n {
		i := rand.IntN(min(width, len(*waiting)))
		out = append(out, (*waiting)[i])
		*waiting = slices.Delete(*waiting, i, i+1)
	}
	return out
}

// Among how many jobs one is chosen: a worker that is alone takes nearly the
// oldest, many workers keep out of each other's way.
const (
	narrowest = 4
	widest    = 256
)

// try claims one job and starts its run. An error is one of the server; that
// somebody else has the job is none.
func (w *Worker) try(ctx context.Context, j exact.PluginJob) error {
	ready, err := w.runs.Ready(ctx, j, w.allow.now())
	var not *NotHere
	switch {
	case errors.As(err, &not):
		w.leave(j, not.Why)
		return nil
	case err != nil:
		return err
	}
	if until, why := w.struckOut(j.Plugin, ready.Algorithm); why != "" {
		w.leaveUntil(j, until, why)
		return nil
	}
	id := runner.NewID(time.Now())
	spec := runner.Spec{ID: id, Host: w.Host}
	if err := w.folder.intend(id, j.ID); err != nil {
		return err
	}
	err = report.Claim(ctx, w.server, spec, j.ID)
	switch {
	case errors.Is(err, report.ErrTaken) || errors.Is(err, report.ErrGone):
		w.folder.forget(id)
		w.lost(j.ID, true)
		return nil
	case err != nil:
		// Whether the name stands there nobody knows: settled as after a crash.
		_ = w.giveBack(context.WithoutCancel(ctx), id, j.ID)
		if errors.Is(err, client.ErrForbidden) {
			return fmt.Errorf("this account may not work on jobs, it needs the rights of a worker (docs/WORKER.md): %w", err)
		}
		return err
	}
	w.lost(j.ID, false)
	if w.draining() { // others can have it now
		return w.giveBack(context.WithoutCancel(ctx), id, j.ID)
	}
	if err := w.runs.Start(ctx, id, j, ready); err != nil {
		w.say("cannot start job %d, which was claimed: %v", j.ID, err)
		if !w.runs.Exists(id) {
			w.leave(j, err.Error())
			return w.giveBack(context.WithoutCancel(ctx), id, j.ID)
		}
	}
	w.mu.Lock()
	w.running[id] = Work{Run: id, Job: j.ID, Algorithm: ready.Algorithm, Image: ready.Image, plugin: j.Plugin}
	w.mu.Unlock()
	w.say("took job %d: %s on %s, run %s", j.ID, ready.Algorithm, ready.Image, id)
	w.tell(PhaseWorking, "")
	return nil
}

// lost learns from a claim: who lost looks further, who won less far. Either
// way the job waits no more.
func (w *Worker) lost(job client.ID, lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.jobs.rows, job)
	if lost {
		w.width = min(4*w.width, widest)
	} else {
		w.width = max(w.width-w.width/8, narrowest)
	}
}

// allowList is the list of a file, read again when the file changed.
type allowList struct {
	path string
	mu   sync.Mutex
	list Allow
	seen os.FileInfo
	err  error
}

func (a *allowList) read() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen, _ = os.Stat(a.path)
	a.list, a.err = ReadAllow(a.path)
	return a.err
}

// refresh reads the list again where its file changed.
func (a *allowList) refresh() (changed bool, err error) {
	info, err := os.Stat(a.path)
	a.mu.Lock()
	same := err == nil && a.seen != nil && info.ModTime().Equal(a.seen.ModTime()) && info.Size() == a.seen.Size() && info.Mode() == a.seen.Mode()
	last := a.err
	a.mu.Unlock()
	if same {
		return false, last
	}
	return true, a.read()
}

func (a *allowList) now() Allow {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.list
}
