package worker

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
)

// EXACT's own worker reads its list of jobs once, works through all of it, and
// looks at each again only for an error and for somebody's name (its client loses
// the result). So a job that was done meanwhile would be done a second time. A job
// that succeeded here therefore keeps the name of its run until no such worker has
// been at work for a while. It cannot keep it for good: the server's pages count a
// job with a name as one that is not finished.

// kept is a job that succeeded here and may still have its run's name.
type kept struct {
	job    client.ID
	plugin client.ID // 0 where it is not known
}

// How long a worker of another kind counts that writes nothing: it may be dead, and
// its name stands there for ever. What was written long before we look, by its own
// clock in whatever zone, does not count at all.
const (
	strangerLife = 15 * time.Minute
	longAgo      = 24 * time.Hour
)

// strangers are claims of workers that are not ours.
type strangers struct {
	rows map[client.ID]sighting  // by job
	seen map[client.ID]time.Time // by plugin, the last time that one was at work
}

// see looks for strangers among the jobs as they were read.
func (s *strangers) see(rows map[client.ID]exact.PluginJob, now time.Time) {
	for id, j := range rows {
		if j.State() != exact.StateClaimed || ours(j.Worker) {
			delete(s.rows, id)
			continue
		}
		old, ok := s.rows[id]
		if !ok || !sameRow(old.job, j) {
			first := !ok && now.Sub(j.Updated) > longAgo
			if old = (sighting{j, now}); first {
				old.since = now.Add(-strangerLife)
			}
			s.rows[id] = old
		}
		if now.Sub(old.since) < strangerLife {
			s.seen[j.Plugin] = now
		}
	}
	maps.DeleteFunc(s.rows, func(id client.ID, _ sighting) bool { _, ok := rows[id]; return !ok })
}

// last is when a stranger was at work on a plugin, 0 being any.
func (s *strangers) last(plugin client.ID) (at time.Time) {
	for p, t := range s.seen {
		if (plugin == 0 || p == plugin) && t.After(at) {
			at = t
		}
	}
	return at
}

// ours tells whether a name is that of a run of this program, on whatever box:
// those look for results, and do no job twice.
func ours(worker string) bool {
	return runner.IsID(worker[strings.LastIndexByte(worker, '_')+1:])
}

// keep remembers a job that succeeded here; its intent stays until it is let go.
func (w *Worker) keep(run string, job, plugin client.ID) {
	w.kept[run] = kept{job, plugin}
}

// release takes the names off the jobs that no stranger will come to any more, and
// looks at the server before, where that is due.
func (w *Worker) release(ctx context.Context) error {
	if len(w.kept) == 0 {
		return nil
	}
	// A list that one poll does not cover is known as a whole only now and then.
	calm := w.pace.calm
	if w.jobs.count > newest {
		calm += w.pace.all
	}
	if time.Since(w.jobs.at) >= w.pace.idle {
		if err := w.poll(ctx); err != nil {
			return err
		}
	}
	for run, k := range w.kept {
		if time.Since(w.strangers.last(k.plugin)) < calm {
			continue
		}
		if err := w.giveBack(ctx, run, k.job); err != nil {
			return err
		}
		delete(w.kept, run)
	}
	if len(w.kept) > 0 && !w.waits && w.busy() == 0 && (w.Once || w.draining()) {
		w.waits = true
		w.say("%s done here keep a name until the other worker has passed them, or it does them again; ending now takes it off", text.Plural(len(w.kept), "job"))
	}
	return nil
}

// letGo takes off the names that are left when the worker ends; what cannot be done
// in a few seconds is done by the next one.
func (w *Worker) letGo(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	for run, k := range w.kept {
		if err := w.giveBack(ctx, run, k.job); errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}

// nameOf is what a run of this box writes on its job.
func (w *Worker) nameOf(run string) string {
	return report.Worker(runner.Spec{ID: run, Host: w.Host})
}
