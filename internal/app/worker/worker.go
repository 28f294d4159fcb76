package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
)

// Options of a Worker; the zero value of most is usable.
type Options struct {
	// Server is how people call the server: a profile or an address.
	Server string
	// AllowFile is read again whenever it changed.
	AllowFile string
	Slots     int // jobs at once; 0 is 1
	// Once ends the worker when nothing waits that it may run.
	Once  bool
	Hours Hours
	// Reclaim frees the claim of a worker of whom nothing was seen for so long,
	// 0 never. MinReclaim is the least.
	Reclaim time.Duration
	Host    string // of this box, for the names of claims
	// Say is told what happens, a line each; nil is nobody.
	Say func(line string)

	pace pace
}

// MinReclaim is the least time after which a worker may be called dead: others
// than ours need not say anything between two steps of their progress.
const MinReclaim = time.Hour

// pace is how often things are done; tests are in a hurry.
type pace struct {
	idle  time.Duration // at least between two polls that found nothing
	busy  time.Duration // at least between two polls of a worker that has free slots and finds jobs
	all   time.Duration // between two readings of the whole list
	look  time.Duration // between two looks at the own runs
	retry time.Duration // after a failure, doubled with each up to most
	most  time.Duration
	// again is when a job is looked at again that was left alone.
	again time.Duration
	// calm is how long no stranger may have been at work before names are let go.
	calm time.Duration
}

var usualPace = pace{idle: 5 * time.Second, busy: time.Second, all: time.Minute, look: 250 * time.Millisecond,
	retry: 5 * time.Second, most: 5 * time.Minute, again: 10 * time.Minute, calm: 15 * time.Second}

// Runs is where claimed jobs are run.
type Runs interface {
	// Ready finds out how a job would run here, and changes nothing. A *NotHere
	// error is why it does not; any other is one of the moment.
	Ready(ctx context.Context, job exact.PluginJob, allow Allow) (Ready, error)
	// Start makes the run with this id execute a job that is claimed for it.
	Start(ctx context.Context, id string, job exact.PluginJob, r Ready) error
	// Over tells whether a run has ended and the server knows, and how.
	Over(id string) (over bool, end runner.State, err error)
	// Tend looks after runs that nobody looks after; it is called often.
	Tend()
	// Exists tells whether there is a run with this id.
	Exists(id string) bool
	// Revive lets a run go on that an earlier worker began.
	Revive(id string) error
	// Holds tells whether a run of this box that is not over has the job.
	Holds(job client.ID) (bool, error)
}

// Ready is how a job would run.
type Ready struct {
	Algorithm, Image string // names, for people
	Launch           any    // what Runs.Start needs
}

// NotHere is why a job is left to others.
type NotHere struct{ Why string }

// Error says why.
func (e *NotHere) Error() string { return e.Why }

// Worker claims and runs jobs until it is told to end.
type Worker struct {
	Options
	server *exact.Client
	runs   Runs
	folder Folder
	drain  <-chan struct{}

	mu       sync.Mutex // guards what follows
	status   Status
	told     Status          // the one on disk
	running  map[string]Work // by run
	failures int             // to reach the server, in a row

	jobs    known
	left    map[client.ID]leftAlone
	strikes map[client.ID]strike // by plugin
	// kept are the jobs that succeeded here and still have the name of their run.
	kept map[string]kept // by run
	// strangers are the workers of another kind as they were seen last.
	strangers strangers
	waits     bool // it was said that it waits for them
	// finished are the jobs that succeeded here lately, and when.
	finished map[client.ID]time.Time
	width    int // among how many of the oldest jobs one is chosen
	allow    allowList
	claimed  sightings
}

// New makes the worker of a server. folder is its own.
func New(server *exact.Client, runs Runs, folder Folder, o Options) *Worker {
	if o.Slots <= 0 {
		o.Slots = 1
	}
	if o.pace == (pace{}) {
		o.pace = usualPace
	}
	return &Worker{Options: o, server: server, runs: runs, folder: folder, running: map[string]Work{},
		left: map[client.ID]leftAlone{}, strikes: map[client.ID]strike{}, finished: map[client.ID]time.Time{}, kept: map[string]kept{}, strangers: strangers{rows: map[client.ID]sighting{}, seen: map[client.ID]time.Time{}}, width: narrowest, claimed: sightings{},
		allow: allowList{path: o.AllowFile}}
}

// ErrRunning tells that another worker of this person serves the server already.
var ErrRunning = errors.New("a worker of yours for this server runs here already")

// Run works until drain is closed and its jobs have ended, or until ctx ends;
// its runs go on in either case. With Options.Once it also ends when nothing is
// left to do.
func (w *Worker) Run(ctx context.Context, drain <-chan struct{}) error {
	if err := w.folder.make(); err != nil {
		return fmt.Errorf("cannot keep the worker's own files: %w", err)
	}
	lock, err := runner.TakeLock(w.folder.lock())
	if errors.Is(err, runner.ErrLocked) {
		return ErrRunning
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	w.drain = drain
	w.status = Status{Schema: runner.Schema, PID: os.Getpid(), Server: w.Server, Started: time.Now().UTC(), Hours: w.Hours.String(), Slots: w.Slots}
	if err := w.allow.read(); err != nil {
		return err
	}
	if len(w.allow.now()) == 0 {
		w.say("%s allows nothing, so nothing is claimed until an algorithm stands there", w.AllowFile)
	}
	if err := w.settle(); err != nil {
		return err
	}
	defer w.letGo(ctx)
	return w.loop(ctx)
}

// onceTries is how often a worker with Options.Once asks a server that does not
// answer.
const onceTries = 4

func (w *Worker) loop(ctx context.Context) error {
	var next, calm time.Time // of the next poll, and until when nothing is asked after a failure
	for {
		w.runs.Tend()
		w.reap()
		phase, why := w.phase()
		if !time.Now().Before(calm) {
			if err := w.release(ctx); err != nil && ctx.Err() == nil {
				calm = time.Now().Add(w.failed(err))
			}
		}
		if (phase == PhaseDraining || w.Once && (phase == PhasePaused || phase == PhaseClosed)) && w.busy() == 0 && len(w.kept) == 0 {
			w.tell(phase, why)
			return nil
		}
		if phase != "" {
			w.tell(phase, why)
		} else if due := !time.Now().Before(next); w.busy() < w.Slots && !time.Now().Before(calm) && (due || w.known()) {
			found, err := w.round(ctx, due)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil && w.Once && w.busy() == 0 && (!client.Transient(err) || w.failures >= onceTries):
				return err
			case err != nil:
				calm = time.Now().Add(w.failed(err))
				next = calm
			case w.Once && found == 0 && w.busy() == 0 && len(w.kept) == 0:
				w.tell(PhaseIdle, "")
				w.sayLeft()
				return nil
			case !due: // the list was fresh enough
			case found > 0:
				next = time.Now().Add(jitter(w.pace.busy))
			default:
				next = time.Now().Add(jitter(w.pace.idle))
			}
		}
		if err := w.sleep(ctx, next); err != nil {
			return err
		}
	}
}

// draining tells whether the worker was told to end.
func (w *Worker) draining() bool {
	select {
	case <-w.drain:
		return true
	default:
		return false
	}
}

// phase is why nothing is claimed now, or nothing.
func (w *Worker) phase() (phase, why string) {
	if w.draining() {
		return PhaseDraining, "it was told to end"
	}
	changed, err := w.allow.refresh()
	if err != nil {
		return PhaseRefusing, err.Error()
	}
	if changed {
		w.mu.Lock()
		clear(w.left) // much may run here now
		w.mu.Unlock()
	}
	switch {
	case w.folder.Paused():
		return PhasePaused, "'cytorun worker resume' ends the pause"
	case !w.Hours.Open(time.Now()):
		return PhaseClosed, "its hours are " + w.Hours.String()
	}
	return "", ""
}

// sleep waits for the next look at the runs, or where there are none for the
// next poll, and no longer than a second, for a pause or the hours to end.
func (w *Worker) sleep(ctx context.Context, next time.Time) error {
	d := w.pace.look
	if w.busy() == 0 {
		d = min(max(time.Until(next), w.pace.look), time.Second)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.drain:
		if w.busy() == 0 && len(w.kept) == 0 {
			return nil
		}
		<-t.C
	case <-t.C:
	}
	return nil
}

// failed counts a failure to reach the server and returns how long to wait.
func (w *Worker) failed(err error) time.Duration {
	w.mu.Lock()
	w.failures++
	n := w.failures
	w.mu.Unlock()
	pause := jitter(min(w.pace.retry<<min(n-1, 10), w.pace.most))
	w.tell(PhaseOffline, err.Error())
	return pause
}

// jitter is d and up to a quarter more, so that workers do not go in step.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/4+1))
}

func (w *Worker) busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.running)
}

func (w *Worker) say(format string, args ...any) {
	if w.Say != nil {
		w.Say(fmt.Sprintf(format, args...))
	}
}

// reap lets go of runs that are over.
func (w *Worker) reap() {
	w.mu.Lock()
	var ids []string
	for id := range w.running {
		ids = append(ids, id)
	}
	w.mu.Unlock()
	for _, id := range ids {
		over, end, err := w.runs.Over(id)
		if err != nil {
			w.say("cannot read run %s: %v", id, err)
		}
		if over {
			w.mu.Lock()
			work := w.running[id]
			delete(w.running, id)
			w.status.Done++
			w.mu.Unlock()
			if end == runner.Succeeded {
				w.keep(id, work.Job, work.plugin)
			} else {
				w.folder.forget(id)
			}
			if work.plugin != 0 {
				w.ended(work.plugin, end == runner.Failed || end == runner.Lost)
			}
			if end == runner.Succeeded {
				w.finished[work.Job] = time.Now()
			}
			w.say("job %d %s", work.Job, cmp.Or(string(end), "is over"))
		}
	}
}

// statusLife is how old the status of a worker gets that goes on as it is.
const statusLife = 30 * time.Second

// tell writes the status where it changed, and a line of the log where the phase
// is another one.
func (w *Worker) tell(phase, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.status
	was := *s
	s.Phase, s.Why, s.Jobs = phase, why, []Work{}
	for _, id := range slices.Sorted(maps.Keys(w.running)) {
		work := w.running[id]
		work.Run = id
		s.Jobs = append(s.Jobs, work)
	}
	if was.Phase != phase || was.Why != why {
		w.say("%s", strings.TrimSuffix(phase+": "+why, ": "))
	}
	now := time.Now().UTC()
	if now.Sub(was.Time) < statusLife && was.Phase == phase && was.Why == why && was.Done == w.told.Done && was.Waiting == w.told.Waiting &&
		slices.Equal(was.Jobs, s.Jobs) && maps.Equal(was.LeftAlone, w.told.LeftAlone) {
		return
	}
	s.Time = now
	w.told = *s
	if err := runner.WriteJSON(w.folder.statusFile(), *s); err != nil {
		w.say("cannot write the status: %v", err)
	}
}
