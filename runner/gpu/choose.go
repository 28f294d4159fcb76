package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// idleMemory is what a GPU may have in use while nobody computes on it: the
// driver's own, a screen's. More belongs to somebody.
const idleMemory = 1 << 30

// obstacle is why one GPU cannot be had now, and what to wait for.
type obstacle struct {
	text  string
	until time.Time // as far as is known
	files []string  // locks whose end would help
	// processes whose end would help.
	processes []Process
	// vague is set where nothing tells of the end: it must be looked again.
	vague bool
}

// choose picks GPUs for a request, or says what is in the way of each. ours
// tells whether a process belongs to the run that holds a lease. An error tells
// that the request can never be met here.
func choose(devices []Device, held map[string][]Lease, r Request, allow []string, ours func(Process, Lease) bool, now time.Time) ([]Device, []obstacle, error) {
	candidates, err := r.candidates(devices, allow)
	if err != nil {
		return nil, nil, err
	}
	var free []Device
	var obstacles []obstacle
	for _, d := range candidates {
		o := inTheWay(d, held[d.UUID], nearby(d, devices, held), r.Memory, ours, now)
		if o == nil {
			free = append(free, d)
		} else {
			obstacles = append(obstacles, *o)
		}
	}
	if len(free) < r.GPUs() {
		return nil, obstacles, nil
	}
	if r.Memory > 0 {
		// Fill GPUs that are shared already, so that others stay whole.
		slices.SortStableFunc(free, func(a, b Device) int {
			return cmp.Or(cmp.Compare(len(held[b.UUID]), len(held[a.UUID])), cmp.Compare(room(a, held[a.UUID]), room(b, held[b.UUID])))
		})
	}
	free = free[:r.GPUs()]
	slices.SortFunc(free, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(len(a.Slice), len(b.Slice)), cmp.Compare(a.Slice, b.Slice))
	})
	return free, nil, nil
}

// inTheWay says what keeps a request from a GPU, nil when nothing does. memory
// is what the request declares, 0 for the whole GPU, and near the leases whose
// runs may compute there; see nearby.
func inTheWay(d Device, held, near []Lease, memory int64, ours func(Process, Lease) bool, now time.Time) *obstacle {
	o := &obstacle{}
	name := "GPU " + d.Label()
	if strangers := foreign(d, near, ours); len(strangers) > 0 {
		o.processes = strangers
		// Its owner may give the memory back without ending.
		o.vague = true
		o.text = name + " is used without a lease by " + describe(strangers, now)
		return o
	}
	for _, l := range held {
		if l.problem != nil {
			o.vague, o.text = true, fmt.Sprintf("%s cannot be leased: %v", name, l.problem)
			return o
		}
	}
	if len(held) == 0 {
		if d.Used > idleMemory {
			o.vague, o.text = true, fmt.Sprintf("%s has %s in use by processes that cannot be seen", name, text.Memory(d.Used))
			return o
		}
		return nil
	}
	shared := memory > 0 && len(held) < maxShares && !slices.ContainsFunc(held, func(l Lease) bool { return l.Memory == 0 })
	if shared && (d.Total < 0 || room(d, held) >= memory) {
		return nil
	}
	var who []string
	for _, l := range held {
		who = append(who, l.describe(now))
		o.files = append(o.files, l.path)
		if l.Until.IsZero() {
			continue
		}
		if o.until.IsZero() || l.Until.After(o.until) {
			o.until = l.Until
		}
	}
	o.text = name + " has " + strings.Join(who, " and ")
	if shared {
		o.text = fmt.Sprintf("%s has only %s left beside %s", name, text.Memory(max(room(d, held), 0)), strings.Join(who, " and "))
		o.vague = d.Used > declared(held) // a run uses more than it said
	}
	return o
}

// foreign lists the processes on a GPU that belong to no run with a lease near
// it. A process that cannot be seen is taken for one of the holders'.
func foreign(d Device, near []Lease, ours func(Process, Lease) bool) []Process {
	var strangers []Process
	for _, p := range d.Processes {
		if p.gone() || p.start == "" && len(near) > 0 {
			continue
		}
		if !slices.ContainsFunc(near, func(l Lease) bool { return ours(p, l) }) {
			strangers = append(strangers, p)
		}
	}
	return strangers
}

func describe(processes []Process, now time.Time) string {
	const most = 3
	var s []string
	for i, p := range processes {
		if i == most {
			s = append(s, fmt.Sprintf("%d more", len(processes)-most))
			break
		}
		s = append(s, p.describe(now))
	}
	return strings.Join(s, " and ")
}

// declared is what the holders of a GPU said that they need.
func declared(held []Lease) (n int64) {
	for _, l := range held {
		n += l.Memory
	}
	return n
}

// room is what is left of a GPU's memory for one more, in bytes.
func room(d Device, held []Lease) int64 {
	if d.Total < 0 {
		return 0
	}
	return d.Total - max(declared(held), d.Used)
}

// waitingFor makes one line of what is asked for and what is in the way.
func waitingFor(r Request, obstacles []obstacle) string {
	const most = 4
	var s []string
	for i, o := range obstacles {
		if i == most {
			s = append(s, fmt.Sprintf("and %d more", len(obstacles)-most))
			break
		}
		s = append(s, o.text)
	}
	return "waiting for " + r.String() + ": " + strings.Join(s, "; ")
}
