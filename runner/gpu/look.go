package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Box is what the users of this box share, as it is now.
type Box struct {
	GPUs  []State
	NoGPU error // why there are none
	// Slots are the holders of turns, and SlotCount how many turns there are.
	Slots     []Holder
	SlotCount int
	Waiting   []Waiting // first come first
	// Folder is where the queue lies, "" before its first use, and Problem why
	// it cannot be used.
	Folder  string
	Problem error
	allow   []string
}

// State is one GPU with those who use it.
type State struct {
	Device
	Leases []Lease
	// Foreign are processes that belong to no lease.
	Foreign []Process
	// Allowed is false for one that [gpu] allow leaves out.
	Allowed bool
}

// Free tells whether a run could have the whole GPU now.
func (s State) Free() bool {
	return s.Allowed && !s.Lost && len(s.Leases) == 0 && len(s.Foreign) == 0 && s.Used <= idleMemory
}

// Waiting is a run in the queue.
type Waiting struct {
	Number int64
	Run    string
	UID    int
	User   string
	Request
	Since time.Time
	// Reason is what the run itself said last; only the first in the queue knows
	// what is in its way.
	Reason string
	// Start is when it may begin, from what is known of those before it; zero is
	// not known.
	Start time.Time
}

// String says who waits for what since when, and when it may begin.
func (w Waiting) String() string { return w.describe(time.Now()) }

func (w Waiting) describe(now time.Time) string {
	s := w.Run
	if w.UID != os.Getuid() {
		s += " of " + w.User
	}
	if w.Request.GPUs() > 0 {
		s += ", " + w.Request.String()
	}
	if !w.Since.IsZero() {
		s += ", since " + clock(w.Since, now)
	}
	if w.Start.After(now) {
		s += ", may begin at about " + clock(w.Start, now)
	}
	return s
}

// Look shows the box: for the screen of the machine, the check before a launch,
// and whoever wonders why something waits. It takes nothing and makes nothing.
func Look(ctx context.Context) Box {
	devices, err := Discover(ctx)
	b := look(devices, max(len(devices), 1))
	b.NoGPU = err
	return b
}

// LookAtQueue is Look without the GPUs, which does not wait for their driver
// where the box tells how many it has.
func LookAtQueue(ctx context.Context) Box { return look(nil, max(count(ctx, Discover), 1)) }

func look(devices []Device, slots int) Box {
	settings, err := LoadSettings()
	b := Box{Problem: err, allow: settings.Allow}
	for _, dir := range runner.LeaseDirs() {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		b.Folder = dir
		if err := usable(dir); err != nil {
			b.Problem = err
		}
		break
	}
	b.SlotCount = cmp.Or(settings.Slots, slots)
	byGPU := map[string][]Lease{}
	if b.Folder != "" {
		byGPU = leases(b.Folder)
		b.Slots, b.Waiting = slotHolders(b.Folder), tickets(b.Folder)
	}
	allowed, unknown := permitted(devices, settings.Allow)
	if b.Problem == nil && len(devices) > 0 {
		b.Problem = unknown
	}
	for _, d := range devices {
		s := State{Device: d, Leases: byGPU[d.UUID]}
		s.Foreign = foreign(d, nearby(d, devices, byGPU), func(p Process, l Lease) bool { return below(p.PID, l.Holder) })
		s.Allowed = slices.ContainsFunc(allowed, func(a Device) bool { return a.UUID == d.UUID })
		b.GPUs = append(b.GPUs, s)
	}
	b.foresee(time.Now())
	return b
}

// slotHolders are the runs that have a turn.
func slotHolders(dir string) []Holder {
	var hs []Holder
	for _, name := range fileNames(dir) {
		if n, ok := strings.CutPrefix(name, "slot-"); ok && parseCount([]byte(n)) > 0 {
			path := filepath.Join(dir, name)
			if is, err := held(path); is && err == nil {
				hs = append(hs, readHolder(path))
			}
		}
	}
	return hs
}

// tickets are the runs that wait.
func tickets(dir string) []Waiting {
	var ws []Waiting
	for _, t := range runner.Tickets(dir) {
		if is, err := held(t.Path); err != nil || !is {
			continue
		}
		w := Waiting{Number: t.Number, Run: text.Line(t.Run), UID: t.UID, User: userName(t.UID)}
		var said wish
		if read(t.Path, &said) {
			w.Request, w.Since, w.Reason = said.Request, said.Since, text.Line(said.Reason)
		}
		ws = append(ws, w)
	}
	return ws
}

// never is later than anything that is known.
var never = time.Unix(1<<40, 0)

// foresee works out when each waiting run may begin: the queue is strict, so
// that one after the other takes its turn and its GPUs when they come free. What
// is not known of one is not known of all behind it.
func (b *Box) foresee(now time.Time) {
	slots := make([]time.Time, 0, b.SlotCount)
	for _, h := range b.Slots {
		slots = append(slots, known(h.Until, now))
	}
	for len(slots) < b.SlotCount {
		slots = append(slots, now)
	}
	free := map[string]time.Time{}
	for _, g := range b.GPUs {
		free[g.UUID] = now
		if !g.Free() {
			free[g.UUID] = never
		}
		if len(g.Foreign) == 0 && len(g.Leases) > 0 {
			free[g.UUID] = time.Time{}
			for _, l := range g.Leases {
				free[g.UUID] = later(free[g.UUID], known(l.Until, now))
			}
		}
	}
	last := now
	for i := range b.Waiting {
		w := &b.Waiting[i]
		slices.SortFunc(slots, time.Time.Compare)
		uuids := b.soonest(w.Request, free)
		start := later(last, slots[0])
		for _, u := range uuids {
			start = later(start, free[u])
		}
		if len(uuids) < w.GPUs() || !start.Before(never) {
			return
		}
		end := never
		if w.Typical > 0 {
			end = start.Add(w.Typical)
		}
		slots[0] = end
		for _, u := range uuids {
			free[u] = end
		}
		w.Start, last = start, start
	}
}

// soonest picks the GPUs of a request that come free first.
func (b *Box) soonest(r Request, free map[string]time.Time) []string {
	var devices, allowed []Device
	for _, g := range b.GPUs {
		devices = append(devices, g.Device)
		if g.Allowed {
			allowed = append(allowed, g.Device)
		}
	}
	var uuids []string
	for _, n := range r.Names {
		if d, err := find(devices, n); err == nil {
			uuids = append(uuids, d.UUID)
		}
	}
	if len(r.Names) > 0 {
		return uuids
	}
	slices.SortStableFunc(allowed, func(a, b Device) int { return free[a.UUID].Compare(free[b.UUID]) })
	for _, d := range allowed[:min(r.GPUs(), len(allowed))] {
		uuids = append(uuids, d.UUID)
	}
	return uuids
}

// known is when something is expected to end; one that is late may take for
// ever.
func known(t, now time.Time) time.Time {
	if t.Before(now) {
		return never
	}
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Available tells for a pre-flight whether a request could be met now: nil, or
// why the run would have to wait and, as far as is known, until when. An error
// of ErrRequest or ErrMissing tells that waiting does not help.
func (b Box) Available(r Request) error {
	var why error
	if r.GPUs() > 0 {
		if b.NoGPU != nil {
			return b.NoGPU
		}
		var devices []Device
		byGPU := map[string][]Lease{}
		for _, g := range b.GPUs {
			devices = append(devices, g.Device)
			byGPU[g.UUID] = g.Leases
		}
		picked, obstacles, err := choose(devices, byGPU, r, b.allow, func(p Process, l Lease) bool { return below(p.PID, l.Holder) }, time.Now())
		if err != nil {
			return err
		}
		if picked == nil {
			why = errors.New(waitingFor(r, obstacles))
		}
	}
	switch {
	case len(b.Waiting) > 0:
		why = errors.New(b.behind())
	case why == nil && len(b.Slots) >= b.SlotCount && (r.GPUs() == 0 || r.Memory == 0):
		why = errors.New(slotReason(b.Slots))
	}
	if start := b.startOf(r); why != nil && !start.IsZero() {
		why = fmt.Errorf("%w; may begin at about %s", why, clock(start, time.Now()))
	}
	return why
}

// behind says who waits already.
func (b Box) behind() string {
	first := b.Waiting[0]
	s := fmt.Sprintf("%s: %d before it, first %s", runner.WaitingForTurn, len(b.Waiting), first.Run)
	if first.UID != os.Getuid() {
		s += " of " + first.User
	}
	if first.Reason != "" {
		s += ", " + first.Reason
	}
	return s
}

// startOf is when a run that joins the queue now may begin; zero is not known.
func (b Box) startOf(r Request) time.Time {
	b.Waiting = append(slices.Clone(b.Waiting), Waiting{Request: r})
	b.foresee(time.Now())
	return b.Waiting[len(b.Waiting)-1].Start
}

// Find gives a waiting run of this user and how many are before it; false where
// it does not wait.
func (b Box) Find(run string) (w Waiting, before int, ok bool) {
	i := slices.IndexFunc(b.Waiting, func(w Waiting) bool { return w.Run == run && w.UID == os.Getuid() })
	if i < 0 {
		return Waiting{}, 0, false
	}
	return b.Waiting[i], i, true
}
