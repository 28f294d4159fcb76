package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
)

// leftAlone is a job that waits and does not run here, as it was seen.
type leftAlone struct {
	job   exact.PluginJob
	until time.Time
	why   string
}

func (l leftAlone) same(j exact.PluginJob) bool { return sameRow(l.job, j) }

// sameRow tells that nobody wrote to a job between two readings.
func sameRow(a, b exact.PluginJob) bool {
	return a.Worker == b.Worker && a.Progress == b.Progress && a.ErrorMessage == b.ErrorMessage &&
		a.Created.Equal(b.Created) && a.Updated.Equal(b.Updated) && a.Plugin == b.Plugin && a.Image == b.Image
}

// leave leaves a job alone for a while, or until something is written to it.
func (w *Worker) leave(j exact.PluginJob, why string) {
	w.leaveUntil(j, time.Now().Add(jitter(w.pace.again)), why)
}

func (w *Worker) leaveUntil(j exact.PluginJob, until time.Time, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left[j.ID] = leftAlone{job: j, until: until, why: why}
}

// countLeft sums up for people what waits and why.
func (w *Worker) countLeft(found int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.LeftAlone = map[string]int{}
	for id, l := range w.left {
		if _, ok := w.jobs.rows[id]; !ok {
			delete(w.left, id)
			continue
		}
		w.status.LeftAlone[l.why]++
	}
	w.status.Waiting = 0
	for id, j := range w.jobs.rows {
		if _, ok := w.left[id]; !ok && j.Claimable() {
			w.status.Waiting++
		}
	}
}

// sayLeft says what waits and does not run here, for who reads no status.
func (w *Worker) sayLeft() {
	w.mu.Lock()
	left := maps.Clone(w.status.LeftAlone)
	w.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(left)) {
		w.say("%s left alone: %s", text.Plural(left[why], "job"), why)
	}
}

// settle takes up the runs that an earlier worker began.
func (w *Worker) settle() error {
	for id, job := range w.folder.intents() {
		if !w.runs.Exists(id) {
			continue // see settleClaims
		}
		over, end, err := w.runs.Over(id)
		if err != nil {
			return err
		}
		if over && end == runner.Succeeded {
			w.keep(id, job, 0)
			continue
		}
		if over {
			w.folder.forget(id)
			continue
		}
		if err := w.runs.Revive(id); err != nil {
			w.say("cannot take up run %s of job %d: %v", id, job, err)
		}
		w.running[id] = Work{Run: id, Job: job}
		w.say("run %s of job %d goes on", id, job)
	}
	return nil
}

// settleClaims gives back what was claimed and never launched. While no claim is
// being made, every intent without a run is one of those.
func (w *Worker) settleClaims(ctx context.Context) error {
	for id, job := range w.folder.intents() {
		if w.runs.Exists(id) {
			continue
		}
		if err := w.giveBack(ctx, id, job); err != nil {
			return fmt.Errorf("cannot give back job %d, which was claimed and not launched: %w", job, err)
		}
	}
	return nil
}

// giveBack frees a job that was claimed for a run that is not there. The intent
// stays where the server does not answer, so that it is tried again.
func (w *Worker) giveBack(ctx context.Context, id string, job client.ID) error {
	ctx, stop := context.WithTimeout(ctx, report.Timeout)
	defer stop()
	err := w.free(ctx, job, w.nameOf(id))
	if err == nil || errors.Is(err, client.ErrNotFound) {
		w.folder.forget(id)
		return nil
	}
	return err
}

// free takes a worker's name off a job, if it still stands there.
func (w *Worker) free(ctx context.Context, job client.ID, worker string) error {
	j, err := w.server.PluginJob(ctx, job)
	if err != nil || j.Worker != worker {
		return err
	}
	none := ""
	_, err = w.server.PatchPluginJob(ctx, job, exact.JobPatch{Worker: &none})
	return err
}

// finishedLife is how long a job that succeeded here is looked at.
const finishedLife = 10 * time.Minute

// mend says again that a job is done which succeeded here, where a write that came
// late has put an older row in place of the one that said so. A job that a person
// restarted has lost its result.
func (w *Worker) mend(ctx context.Context) error {
	for id, at := range w.finished {
		j, listed := w.jobs.rows[id]
		switch {
		case time.Since(at) > finishedLife:
			delete(w.finished, id)
			continue
		case !listed || !j.Claimable():
			continue
		}
		j, err := w.server.PluginJob(ctx, id)
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
		if err == nil && j.Result != 0 && j.Worker == "" && (j.State() == exact.StatePending || j.State() == exact.StatePartial) {
			all := 100.0
			if _, err := w.server.PatchPluginJob(ctx, id, exact.JobPatch{Progress: &all}); err != nil {
				return err
			}
			w.say("job %d is done: said it again, because an older state had come back", id)
			delete(w.jobs.rows, id)
		}
		delete(w.finished, id)
	}
	return nil
}

// sightings is since when the claims of others look as they do now, by the clock
// of this process.
type sightings map[client.ID]sighting

type sighting struct {
	job   exact.PluginJob
	since time.Time
}

// see compares all jobs with how they were.
func (s sightings) see(rows []exact.PluginJob, now time.Time) {
	there := make(map[client.ID]bool, len(s))
	for _, j := range rows {
		if j.State() != exact.StateClaimed {
			continue
		}
		there[j.ID] = true
		if old, ok := s[j.ID]; !ok || !sameRow(old.job, j) {
			s[j.ID] = sighting{j, now}
		}
	}
	for id := range s {
		if !there[id] {
			delete(s, id)
		}
	}
}

// reclaim frees jobs whose workers are dead by Options.Reclaim: nothing of the
// row changed for so long while this process watched, and it is no run of this
// box that lives. A job that has results already is left to people.
func (w *Worker) reclaim(ctx context.Context) error {
	if w.Reclaim <= 0 {
		return nil
	}
	for id, s := range w.claimed {
		if time.Since(s.since) < w.Reclaim {
			continue
		}
		if ours, err := w.runs.Holds(id); err != nil {
			return err
		} else if ours {
			continue
		}
		j, err := w.server.PluginJob(ctx, id)
		switch {
		case errors.Is(err, client.ErrNotFound):
			delete(w.claimed, id)
			continue
		case err != nil:
			return err
		case !sameRow(j, s.job):
			w.claimed[id] = sighting{j, time.Now()}
			continue
		case j.Result != 0:
			w.leave(j, fmt.Sprintf("its worker is silent for %s, and it has results", w.Reclaim))
			delete(w.claimed, id)
			continue
		}
		if err := w.free(ctx, id, j.Worker); err != nil {
			return err
		}
		w.say("freed job %d: its worker %s gave no sign for %s", id, j.Worker, time.Since(s.since).Round(time.Second))
		delete(w.claimed, id)
		j.Worker = ""
		w.jobs.rows[id] = j
	}
	return nil
}
