package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// The queue: a run draws a numbered ticket and holds its lock while it waits.
// It sleeps on the lock of the nearest ticket before its own, so that one run
// wakes one other and waiting costs nothing; without one before it, it sleeps
// on the slots. Who dies frees its locks.

// queue is this box's queue as one run sees it.
type queue struct {
	dir   string
	slots int
	run   string
	// say is told why the run waits.
	say func(reason string)
}

// openQueue finds the box's queue and makes it where it is missing.
func openQueue(run string, say func(string)) (*queue, error) {
	var failed error
	for _, dir := range runner.LeaseDirs() {
		if err := makeLeaseDir(dir); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		return &queue{dir: dir, slots: slots(), run: run, say: say}, nil
	}
	return nil, fmt.Errorf("no place for the queue of this box: %w; set CYTORUN_LEASES to a folder that its users share", failed)
}

func makeLeaseDir(dir string) error {
	err := os.Mkdir(dir, 0o777)
	if err == nil {
		err = os.Chmod(dir, 0o777|fs.ModeSticky) // whatever the umask
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err != nil {
		return err
	}
	if err := runner.TrustedLeaseDir(dir); err != nil {
		return err
	}
	return unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK)
}

// slots is how many runs work at once on this box: CYTORUN_SLOTS, [queue] slots
// of config.toml, else one.
func slots() int {
	if n, err := strconv.Atoi(os.Getenv("CYTORUN_SLOTS")); err == nil && n > 0 {
		return n
	}
	if paths, err := profile.DefaultPaths(); err == nil {
		var config struct {
			Queue struct {
				Slots int `toml:"slots"`
			} `toml:"queue"`
		}
		if _, err := toml.DecodeFile(filepath.Join(paths.Config, "config.toml"), &config); err == nil && config.Queue.Slots > 0 {
			return config.Queue.Slots
		}
	}
	return 1
}

// openShared opens a lock file that all users share. Opening before creating,
// and setting the mode by hand, is what works in a sticky folder under any
// umask and with fs.protected_regular.
func openShared(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = f.Chmod(0o666)
		}
		return f, err
	}
}

// same tells whether path still names the open file: a lock on a file that
// somebody removed locks nothing.
func same(f *os.File, path string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// lockShared opens and locks a shared file, blocking or not.
func lockShared(path string, how int) (*os.File, error) {
	for {
		f, err := openShared(path)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), how); err != nil {
			_ = f.Close()
			return nil, err
		}
		if same(f, path) {
			return f, nil
		}
		_ = f.Close()
	}
}

// draw gives the run a number: the one it had, or the next.
func (q *queue) draw(old int64) (int64, error) {
	if old > 0 {
		return old, nil
	}
	f, err := lockShared(filepath.Join(q.dir, "queue"), unix.LOCK_EX)
	if err != nil {
		return 0, fmt.Errorf("cannot draw a number in the queue: %w", err)
	}
	defer f.Close()
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	last, _ := strconv.ParseInt(strings.TrimSpace(string(b[:n])), 10, 64)
	// The counter may be younger than the tickets: a cleaned folder, another
	// version.
	if ts := runner.Tickets(q.dir); len(ts) > 0 {
		last = max(last, ts[len(ts)-1].Number)
	}
	last = max(last, 0) + 1
	if err := f.Truncate(0); err != nil {
		return 0, err
	}
	_, err = f.WriteAt([]byte(strconv.FormatInt(last, 10)+"\n"), 0)
	return last, err
}

// enter waits for a slot of the box, first come first served. The returned file
// holds the slot until it, and every copy of it in another process, is closed.
func (q *queue) enter(ctx context.Context, number int64) (*os.File, error) {
	path := filepath.Join(q.dir, runner.TicketName(number, os.Getuid(), q.run))
	// Whoever looks whether a ticket is alive holds its lock for a moment.
	var ticket *os.File
	err := sleep(ctx, func() (err error) {
		ticket, err = lockShared(path, unix.LOCK_EX)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot wait in the queue: %w", err)
	}
	defer ticket.Close()
	defer os.Remove(path)
	for {
		if err := q.turn(ctx, number); err != nil {
			return nil, err
		}
		slot, err := q.slot(ctx)
		if err != nil || len(q.before(number)) == 0 {
			return slot, err
		}
		// One that was before us had lost its supervisor and is back.
		_ = slot.Close()
	}
}

// leaveQueue removes the ticket of a run that will not start any more: one
// whose supervisor was killed in the queue still lies there.
func leaveQueue(run runner.Run) {
	if run.Ticket == 0 {
		return
	}
	for _, dir := range runner.LeaseDirs() {
		_ = os.Remove(filepath.Join(dir, runner.TicketName(run.Ticket, os.Getuid(), run.ID)))
	}
}

// turn waits until no living ticket is before this one.
func (q *queue) turn(ctx context.Context, number int64) error {
	for {
		before := q.before(number)
		if len(before) == 0 {
			return nil
		}
		q.say(runner.QueueReason(before))
		next := before[len(before)-1].Path
		if err := sleep(ctx, func() error { return runner.WaitFree(next) }); err != nil {
			return err
		}
	}
}

// before lists the tickets before a number, up to the nearest one alive. Dead
// ones of this user behind that are swept.
func (q *queue) before(number int64) []runner.Ticket {
	tickets := runner.Tickets(q.dir)
	last := 0
	for i, t := range tickets {
		if t.Number >= number {
			break
		}
		last = i + 1
	}
	for ; last > 0; last-- {
		t := tickets[last-1]
		if runner.Held(t.Path) {
			break
		}
		if t.UID == os.Getuid() {
			_ = os.Remove(t.Path)
		}
	}
	return tickets[:last]
}

// slot takes a slot, or sleeps until one is free. Only the first in the queue
// comes here.
func (q *queue) slot(ctx context.Context) (*os.File, error) {
	for i := range q.slots {
		f, err := lockShared(q.slotPath(i), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return q.take(f)
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot take a slot of this box: %w", err)
		}
	}
	q.say(runner.WaitingForSlot + q.holders())
	race := race{won: make(chan *os.File, 1), failed: make(chan error, q.slots)}
	for i := range q.slots {
		go race.run(q.slotPath(i))
	}
	select {
	case f := <-race.won:
		return q.take(f)
	case err := <-race.failed:
		race.stop()
		return nil, fmt.Errorf("cannot take a slot of this box: %w", err)
	case <-ctx.Done():
		race.stop()
		return nil, context.Cause(ctx)
	}
}

// race waits for several locks and keeps the first.
type race struct {
	won    chan *os.File
	failed chan error
	mu     sync.Mutex
	over   bool
}

// run waits for one lock. A loser sleeps on, and lets go at once when its lock
// comes free.
func (r *race) run(path string) {
	f, err := lockShared(path, unix.LOCK_EX)
	if err != nil {
		r.failed <- err
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		_ = f.Close()
		return
	}
	r.over = true
	r.won <- f
}

// stop gives up: a lock that was won in the same moment is let go.
func (r *race) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	select {
	case f := <-r.won:
		_ = f.Close()
	default:
	}
}

func (q *queue) slotPath(i int) string { return filepath.Join(q.dir, "slot-"+strconv.Itoa(i+1)) }

// take writes into a slot who has it, for people who wait.
func (q *queue) take(f *os.File) (*os.File, error) {
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "%d %d %s\n", os.Getpid(), os.Getuid(), q.run)
	return f, nil
}

// holders names who has the slots.
func (q *queue) holders() string {
	var names []string
	for i := range q.slots {
		b, err := os.ReadFile(q.slotPath(i))
		f := strings.Fields(string(b))
		if err != nil || len(f) < 3 {
			continue
		}
		who := f[2]
		if f[1] != strconv.Itoa(os.Getuid()) {
			name := f[1]
			if u, err := user.LookupId(name); err == nil {
				name = u.Username
			}
			who += " of " + name
		}
		names = append(names, who)
	}
	if len(names) == 0 {
		return ""
	}
	return ": held by " + strings.Join(names, ", ")
}

// sleep calls something that blocks and cannot be interrupted. When ctx ends
// first it is left behind, and ends with the process.
func sleep(ctx context.Context, block func() error) error {
	done := make(chan error, 1)
	go func() { done <- block() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
