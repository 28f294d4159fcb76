package worker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/runner"
)

// reference works as EXACT-QueueRunner does, whose client reads every result as
// none: it takes its list of jobs once and looks at each again for an error and a
// name only. It ends with ctx and returns which jobs it did.
func (w *world) reference(ctx context.Context, pause time.Duration) (did []client.ID) {
	c := w.client()
	name := "labbox_x7k2m9"
	patch := func(id client.ID, p exact.JobPatch) {
		if _, err := c.PatchPluginJob(ctx, id, p); err != nil && ctx.Err() == nil {
			w.t.Errorf("reference worker: %v", err)
		}
	}
	for ctx.Err() == nil {
		list, err := c.PluginJobs(ctx, exact.JobQuery{})
		if err != nil {
			break
		}
		slices.SortFunc(list, func(a, b exact.PluginJob) int { return int(b.ID - a.ID) })
		for _, j := range list {
			if j.Progress == 100 {
				continue
			}
			now, err := c.PluginJob(ctx, j.ID)
			if err != nil || now.ErrorMessage != "" || now.Worker != "" {
				continue
			}
			patch(j.ID, exact.JobPatch{Worker: &name})
			time.Sleep(pause)
			if now, err = c.PluginJob(ctx, j.ID); err != nil || now.Worker != name {
				continue
			}
			did = append(did, j.ID)
			time.Sleep(pause)
			all, none := 100.0, ""
			patch(j.ID, exact.JobPatch{Progress: &all})
			patch(j.ID, exact.JobPatch{Worker: &none})
		}
		time.Sleep(pause)
	}
	return did
}

// inHurryBeside is the pace of tests beside a worker of another kind.
func inHurryBeside() pace {
	p := inHurry
	p.calm = 300 * time.Millisecond
	return p
}

func TestWhatIsDoneHereIsNotDoneAgainByAWorkerThatReadItsListBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 40)
	ctx, end := context.WithCancel(t.Context())
	theirs := make(chan []client.ID)
	go func() { theirs <- w.reference(ctx, 100*time.Millisecond) }()
	w.eventually("the other worker is at work", func() bool {
		return slices.ContainsFunc(w.s.Jobs(), func(j exacttest.Job) bool { return j.Worker != "" })
	})
	b := w.box(1)
	stop := b.serve(Options{Slots: 4, pace: inHurryBeside()})
	w.eventually("all jobs are done, and free of names", w.allDone)
	stop()
	end()
	did := <-theirs
	if len(did) == 0 || len(w.done) == 0 || len(did)+len(w.done) != 40 {
		t.Errorf("the other did %d jobs and we %d of 40", len(did), len(w.done))
	}
	for _, id := range did {
		if w.done[id] != 0 {
			t.Errorf("job %d was done here and by the other", id)
		}
	}
	if left := b.folder.intents(); len(left) != 0 {
		t.Errorf("intents %v", left)
	}
}

func TestNamesThatAWorkerLeftAreTakenOffByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, exacttest.Options{}, 1)
	b := w.box(1)
	j := w.s.Jobs()[0]
	id := client.ID(j.ID)
	run := runner.NewID(time.Now())
	name, all := "box1_"+run, 100.0
	if _, err := b.server.PatchPluginJob(t.Context(), id, exact.JobPatch{Worker: &name, Progress: &all}); err != nil {
		t.Fatal(err)
	}
	if err := writeIntent(b, run, id); err != nil {
		t.Fatal(err)
	}
	stop := b.serve(Options{pace: inHurryBeside()})
	defer stop()
	w.eventually("the name is gone", w.allDone)
	w.eventually("the intent is gone", func() bool { return len(b.folder.intents()) == 0 })
}

// writeIntent leaves what a worker leaves that dies after a run succeeded.
func writeIntent(b *box, id string, job client.ID) error {
	b.runs[id] = &run{work: Work{Run: id, Job: job}, over: true, end: runner.Succeeded}
	w := b.worker(Options{})
	if err := w.folder.make(); err != nil {
		return err
	}
	return w.folder.intend(id, job)
}

func TestAWorkerThatDiedLongAgoKeepsNoNames(t *testing.T) {
	now := time.Now()
	s := strangers{rows: map[client.ID]sighting{}, seen: map[client.ID]time.Time{}}
	row := exact.PluginJob{ID: 1, Plugin: 7, Worker: "labbox_x7k2m9", Updated: now.Add(-48 * time.Hour)}
	rows := map[client.ID]exact.PluginJob{1: row, 2: {ID: 2, Plugin: 8, Worker: "otherbox_20261120-143205-k7qd", Updated: now}}
	s.see(rows, now)
	if !s.last(0).IsZero() {
		t.Errorf("seen %v", s.seen)
	}
	row.Progress, row.Updated = 5, now.Add(-time.Hour) // it lives, in another zone
	rows[1] = row
	s.see(rows, now.Add(time.Second))
	if !s.last(7).Equal(now.Add(time.Second)) || !s.last(8).IsZero() || s.last(0).IsZero() {
		t.Errorf("seen %v", s.seen)
	}
	s.see(rows, now.Add(strangerLife+time.Minute))
	if !s.last(7).Equal(now.Add(time.Second)) {
		t.Error("it wrote nothing for long, and counts")
	}
}
