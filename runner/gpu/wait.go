package gpu

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
)

// refusal is why nothing was given, and what to wait for.
type refusal struct {
	reason    string
	files     []string
	processes []Process
	vague     bool
}

func newRefusal(reason string, obstacles []obstacle) *refusal {
	r := &refusal{reason: reason}
	for _, o := range obstacles {
		r.files = append(r.files, o.files...)
		r.processes = append(r.processes, o.processes...)
		r.vague = r.vague || o.vague
	}
	return r
}

// waiting is one run in the queue.
type waiting struct {
	q       *Queue
	number  int64
	request Request
	ticket  *os.File
	since   time.Time
	reason  string

	watch watch
	pause time.Duration // before looking again at what nobody tells the end of
	spin  time.Duration
}

// How often the first in the queue looks again at a GPU that is in use without
// a lease or does not answer: soon at first, when something is just ending.
var (
	lookFirst = 250 * time.Millisecond
	lookLast  = 30 * time.Second
)

// turn waits until no living ticket is before this one. It sleeps on the
// nearest, so that one run wakes one other.
func (w *waiting) turn(ctx context.Context) error {
	for {
		before := w.q.before(w.number)
		if len(before) == 0 {
			w.spin = 0
			return ctx.Err()
		}
		w.tell(runner.QueueReason(before))
		began := time.Now()
		w.watch.file(before[len(before)-1].Path)
		if err := w.sleep(ctx, 0, began); err != nil {
			return err
		}
	}
}

// take tries to get everything, and sleeps after a failure until something in
// the way is gone. Without a grant and an error it is time to try again.
func (w *waiting) take(ctx context.Context) (*Grant, error) {
	began := time.Now()
	grant, refused, err := w.q.attempt(ctx, w.number, &w.request)
	if ctx.Err() != nil {
		if grant != nil {
			grant.Close()
		}
		return nil, context.Cause(ctx)
	}
	switch {
	case grant != nil:
		return grant, nil
	case errors.Is(err, errAgain):
		return nil, w.breathe(ctx, 5*time.Millisecond)
	case errors.Is(err, ErrTool):
		refused = &refusal{reason: "waiting for " + w.request.String() + ": " + err.Error(), vague: true}
	case err != nil:
		return nil, err
	}
	w.tell(refused.reason)
	for _, f := range refused.files {
		w.watch.file(f)
	}
	for _, p := range refused.processes {
		w.watch.process(p)
	}
	limit := time.Duration(0)
	if refused.vague {
		w.pause = min(max(2*w.pause, lookFirst), lookLast)
		limit = w.pause
	}
	return nil, w.sleep(ctx, limit, began)
}

// sleep waits until something that is watched is gone, or for limit where that
// is not 0.
func (w *waiting) sleep(ctx context.Context, limit time.Duration, began time.Time) error {
	var later <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		later = t.C
	}
	select {
	case <-w.watch.gone():
		w.pause = 0
	case <-later:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// Whoever looks at a lock holds it for a moment, and ends our sleep at once
	// although nothing is free. Should that one be stopped in this moment, we do
	// not turn in a circle: the same reason again makes the pauses longer.
	if time.Since(began) > 100*time.Millisecond {
		w.spin = 0
		return nil
	}
	return w.breathe(ctx, 50*time.Millisecond)
}

// breathe is a short pause, longer each time that nothing else made us wait.
func (w *waiting) breathe(ctx context.Context, most time.Duration) error {
	w.spin = min(max(2*w.spin, 500*time.Microsecond), most)
	select {
	case <-time.After(w.spin):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tell says why the run waits, where that is something new.
func (w *waiting) tell(reason string) {
	if reason == w.reason {
		return
	}
	w.reason, w.spin = reason, 0
	w.q.say(reason)
	w.note()
}

// note writes down what the run waits for. Only readers of a list need it.
func (w *waiting) note() {
	_ = write(w.ticket, wish{Schema: schema, Request: w.request, Since: w.since.UTC().Truncate(time.Second), Reason: w.reason})
}

// watch tells of the end of locks and processes. What is watched once is
// watched to its end: a thread that sleeps in the kernel cannot be called back,
// and the same lock is often in the way again.
type watch struct {
	mu   sync.Mutex
	now  map[any]bool
	ping chan struct{}
}

// gone is signalled when something watched has ended.
func (w *watch) gone() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.channel()
}

func (w *watch) channel() chan struct{} {
	if w.ping == nil {
		w.ping = make(chan struct{}, 1)
		w.now = map[any]bool{}
	}
	return w.ping
}

func (w *watch) file(path string) {
	w.start(path, func() bool { return waitFree(path) == nil })
}

// process watches one that was seen.
func (w *watch) process(p Process) {
	if p.start == "" {
		return
	}
	type key struct {
		pid   int
		start string
	}
	w.start(key{p.PID, p.start}, func() bool {
		fd, err := unix.PidfdOpen(p.PID, 0)
		if err != nil {
			return p.gone() // else an old kernel: it is looked at again anyway
		}
		defer unix.Close(fd)
		for !p.gone() {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return false
			}
		}
		return true
	})
}

// start waits for something unless that is waited for already.
func (w *watch) start(key any, wait func() (ended bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ping := w.channel()
	if w.now[key] {
		return
	}
	w.now[key] = true
	go func() {
		ended := wait()
		w.mu.Lock()
		delete(w.now, key)
		w.mu.Unlock()
		if ended {
			select {
			case ping <- struct{}{}:
			default:
			}
		}
	}()
}
