package gpu

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// Queue is the queue of this box as one run sees it.
type Queue struct {
	Settings
	dir string
	run string
	say func(reason string)

	discover func(context.Context) ([]Device, error)
	ours     func(Process, Lease) bool
	gpus     int // of this box, once somebody asked; see slots
}

// Open finds the queue of this box and makes it where it is missing. say is
// told why the run waits, each time that changes.
func Open(run string, say func(reason string)) (*Queue, error) {
	settings, err := LoadSettings()
	if err != nil {
		return nil, err
	}
	dir, err := openDir()
	if err != nil {
		return nil, err
	}
	return &Queue{
		Settings: settings, dir: dir, run: run, say: say, discover: Discover, gpus: -1,
		ours: func(p Process, l Lease) bool { return below(p.PID, l.Holder) },
	}, nil
}

func (q *Queue) path(name string) string { return filepath.Join(q.dir, name) }

// decisions is the file whose lock is held while a number is drawn and while
// somebody decides what to take. It holds the last number.
const decisions = "queue"

// Draw gives the run its number: the one it had, or the next. A lower number
// goes first.
func (q *Queue) Draw(old int64) (int64, error) {
	if old > 0 {
		return old, nil
	}
	f, err := lockShared(q.path(decisions), true)
	if err != nil {
		return 0, fmt.Errorf("cannot draw a number in the queue: %w", err)
	}
	defer f.Close()
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	last := parseCount(b[:n])
	// The counter may be younger than the tickets: a cleaned folder, another
	// version.
	if ts := runner.Tickets(q.dir); len(ts) > 0 {
		last = max(last, ts[len(ts)-1].Number)
	}
	last++
	if err := f.Truncate(0); err != nil {
		return 0, fmt.Errorf("cannot draw a number in the queue: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.FormatInt(last, 10)+"\n"), 0); err != nil {
		return 0, fmt.Errorf("cannot draw a number in the queue: %w", err)
	}
	return last, nil
}

// Leave removes the ticket of a run of this user that will not start any more:
// one whose supervisor was killed in the queue still lies there.
func Leave(run string, number int64) {
	if number == 0 {
		return
	}
	for _, dir := range runner.LeaseDirs() {
		_ = os.Remove(filepath.Join(dir, runner.TicketName(number, os.Getuid(), run)))
	}
}

// wish is what is written in a ticket: what its run waits for, and why.
type wish struct {
	Schema int `json:"schema"`
	Request
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// Enter waits until it is this run's turn and all that it asks for is free, and
// takes it. The end of ctx ends the waiting. Errors are for good: nothing that
// mends itself ends the waiting.
func (q *Queue) Enter(ctx context.Context, number int64, r Request) (*Grant, error) {
	path := q.path(runner.TicketName(number, os.Getuid(), q.run))
	// Whoever looks whether a ticket is alive holds its lock for a moment.
	ticket, err := lockUntil(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("cannot wait in the queue: %w", err)
	}
	defer ticket.Close()
	defer os.Remove(path)
	w := &waiting{q: q, number: number, request: r, ticket: ticket, since: time.Now()}
	w.note()
	for {
		if err := w.turn(ctx); err != nil {
			return nil, err
		}
		grant, err := w.take(ctx)
		if grant != nil || err != nil {
			return grant, err
		}
	}
}

// errAgain tells that the world changed while somebody looked at it.
var errAgain = errors.New("look again")

// attempt decides and takes, under the lock of all decisions. It gives a grant,
// or what is in the way; errAgain means that nobody knows yet.
func (q *Queue) attempt(ctx context.Context, number int64, r *Request) (*Grant, *refusal, error) {
	var devices []Device
	seen := map[string][]Lease{}
	if r.GPUs() > 0 {
		seen = leases(q.dir)
		var err error
		if devices, err = q.discover(ctx); err != nil {
			return nil, nil, err
		}
		q.gpus = len(devices)
		if *r, err = r.pin(devices); err != nil {
			return nil, nil, err
		}
	}
	slots := q.slots(ctx, *r)
	lock, err := lockUntil(ctx, q.path(decisions))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot decide in the queue: %w", err)
	}
	defer lock.Close()
	if len(q.before(number)) > 0 {
		return nil, nil, errAgain // one had lost its supervisor and is back
	}
	var picked []Device
	now := map[string][]Lease{}
	if r.GPUs() > 0 {
		now = leases(q.dir)
		if ended(seen, now) {
			return nil, nil, errAgain // what nvidia-smi said is older than that
		}
		var obstacles []obstacle
		picked, obstacles, err = choose(devices, now, *r, q.Allow, q.ours, time.Now())
		if err != nil {
			return nil, nil, err
		}
		if picked == nil {
			return nil, newRefusal(waitingFor(*r, obstacles), obstacles), nil
		}
	}
	g := &Grant{}
	refused, err := q.takeSlot(g, slots, *r)
	if refused == nil && err == nil {
		err = q.takeLeases(g, picked, now, *r)
	}
	if refused != nil || err != nil {
		g.Close()
		return nil, refused, err
	}
	return g, nil, nil
}

// lockUntil takes a lock that nobody holds for long, unless it is stopped just
// then; our end is still heard.
func lockUntil(ctx context.Context, path string) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	locked := make(chan result)
	go func() {
		f, err := lockShared(path, true)
		select {
		case locked <- result{f, err}:
		case <-ctx.Done():
			if err == nil {
				_ = f.Close()
			}
		}
	}()
	select {
	case r := <-locked:
		return r.f, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// slots is how many runs may work at once, 0 for a run that needs no slot.
func (q *Queue) slots(ctx context.Context, r Request) int {
	if q.Slots > 0 {
		return q.Slots
	}
	if r.GPUs() > 0 && r.Memory > 0 {
		return 0 // one run for each GPU is no measure where several share one
	}
	if q.gpus < 0 {
		q.gpus = count(ctx, q.discover)
	}
	return max(q.gpus, 1)
}

// slotPrefix begins the name of a slot's file; its number follows.
const slotPrefix = "slot-"

// takeSlot takes the first free slot.
func (q *Queue) takeSlot(g *Grant, slots int, r Request) (*refusal, error) {
	var o obstacle
	var holders []Holder
	for i := range slots {
		path := q.path(slotPrefix + strconv.Itoa(i+1))
		f, err := lockShared(path, false)
		if err == nil {
			g.files = append(g.files, f)
			return nil, write(f, newHolder(q.run, 0, time.Now(), r.Typical))
		}
		if !errors.Is(err, errBusy) {
			return nil, fmt.Errorf("cannot take a slot of this box: %w", err)
		}
		holders = append(holders, readHolder(path))
		o.files = append(o.files, path)
	}
	if slots == 0 {
		return nil, nil
	}
	return newRefusal(slotReason(holders), []obstacle{o}), nil
}

// slotReason says who has the turns.
func slotReason(holders []Holder) string {
	var who []string
	for _, h := range holders {
		who = append(who, h.String())
	}
	return runner.WaitingForTurn + ": taken by " + strings.Join(who, "; ")
}

// takeLeases takes the GPUs that were chosen.
func (q *Queue) takeLeases(g *Grant, picked []Device, now map[string][]Lease, r Request) error {
	for _, d := range picked {
		f, err := q.takeLease(d.UUID, now[d.UUID])
		if errors.Is(err, errBusy) {
			return errAgain // somebody looks whether it is held
		}
		if err != nil {
			return fmt.Errorf("cannot lease GPU %s: %w", d.Label(), err)
		}
		g.files = append(g.files, f)
		if err := write(f, newHolder(q.run, r.Memory, time.Now(), r.Typical)); err != nil {
			return fmt.Errorf("cannot lease GPU %s: %w", d.Label(), err)
		}
		g.GPUs = append(g.GPUs, d)
	}
	return nil
}

// takeLease takes the first share of a GPU that nobody holds.
func (q *Queue) takeLease(uuid string, now []Lease) (*os.File, error) {
	for share := 1; share <= maxShares; share++ {
		path := q.path(leaseName(uuid, share))
		if !slices.ContainsFunc(now, func(l Lease) bool { return l.path == path }) {
			return lockShared(path, false)
		}
	}
	return nil, errBusy
}

// ended tells whether a lease that was held is not any more.
func ended(seen, now map[string][]Lease) bool {
	for uuid, ls := range maps.All(seen) {
		for _, l := range ls {
			if !slices.ContainsFunc(now[uuid], func(n Lease) bool { return n.path == l.path && n.Holder == l.Holder }) {
				return true
			}
		}
	}
	return false
}

// before lists the tickets before a number, up to the nearest one alive. Dead
// ones of this user behind that are swept.
func (q *Queue) before(number int64) []runner.Ticket {
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
		if is, err := held(t.Path); is && err == nil {
			break
		}
		if t.UID == os.Getuid() || os.Getuid() == 0 {
			_ = os.Remove(t.Path)
		}
	}
	return tickets[:last]
}
