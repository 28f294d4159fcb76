package gpu

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Holder is what is written in a slot or a lease: who has it. Only the lock
// tells whether that is still so.
type Holder struct {
	Schema int    `json:"schema"`
	PID    int    `json:"pid"` // that took it; the keeper has it now
	Start  string `json:"start"`
	UID    int    `json:"uid"`
	Run    string `json:"run"`
	// Memory is what a run that shares the GPU declared, in bytes; 0 has it
	// whole.
	Memory int64     `json:"memory,omitempty"`
	Since  time.Time `json:"since"`
	// Until is when it will be free as far as is known; zero is not known.
	Until time.Time `json:"until,omitzero"`
}

// Lease is one GPU, or a share of it, in the hands of a run.
type Lease struct {
	Holder
	GPU  string // UUID
	User string // of the run, on this box
	path string
	// problem is why nobody can tell whether the lease is held.
	problem error
}

// maxShares is how many runs may share one GPU.
const maxShares = 16

// leaseName is the file of a lease: the first of a GPU is gpu-UUID, others
// follow as gpu-UUID.2 and so on.
func leaseName(uuid string, share int) string {
	if share <= 1 {
		return "gpu-" + uuid
	}
	return fmt.Sprintf("gpu-%s.%d", uuid, share)
}

func parseLeaseName(name string) (uuid string, ok bool) {
	uuid, ok = strings.CutPrefix(name, "gpu-")
	if !ok {
		return "", false
	}
	uuid, share, more := strings.Cut(uuid, ".")
	if more {
		if n, err := strconv.Atoi(share); err != nil || n < 2 || n > maxShares || share != strconv.Itoa(n) {
			return "", false
		}
	}
	return uuid, validUUID(uuid)
}

// leases reads the leases that are held now, by GPU.
func leases(dir string) map[string][]Lease {
	byGPU := map[string][]Lease{}
	for _, name := range fileNames(dir) {
		uuid, ok := parseLeaseName(name)
		if !ok {
			continue
		}
		path := filepath.Join(dir, name)
		is, err := held(path)
		if err == nil && !is {
			// One that we could not lock keeps us out as well.
			if err = writable(path); err == nil {
				continue
			}
		}
		l := Lease{GPU: uuid, path: path, problem: err}
		l.Holder = readHolder(path)
		if l.UID >= 0 {
			l.User = userName(l.UID)
		}
		byGPU[uuid] = append(byGPU[uuid], l)
	}
	return byGPU
}

// readHolder reads who has a lock. Content that cannot be read is a holder that
// nobody knows, with the whole of what it has.
func readHolder(path string) Holder {
	var h Holder
	if !read(path, &h) {
		h = Holder{UID: -1}
		if st, err := os.Lstat(path); err == nil {
			h.UID, h.Since = owner(st), st.ModTime()
		}
	}
	h.Run = text.Line(h.Run)
	return h
}

// fileNames lists a folder in order.
func fileNames(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	return names
}

// newHolder is this process as the holder of something.
func newHolder(run string, memory int64, now time.Time, typical time.Duration) Holder {
	h := Holder{Schema: schema, PID: os.Getpid(), UID: os.Getuid(), Run: run, Memory: memory, Since: now.UTC().Truncate(time.Second)}
	if p, err := runner.ReadProc(h.PID); err == nil {
		h.Start = p.Start
	}
	if typical > 0 {
		h.Until = h.Since.Add(typical)
	}
	return h
}

// String says who has it: "run k7qd of anna since 14:02, until about 15:30".
func (h Holder) String() string { return h.describe(time.Now()) }

func (h Holder) describe(now time.Time) string {
	s := "a run"
	if h.Run != "" {
		s = "run " + h.Run
	}
	if h.UID >= 0 { // also our own: another user reads it in our ticket
		s += " of " + userName(h.UID)
	}
	if h.Memory > 0 {
		s += ", " + text.Memory(h.Memory)
	}
	if !h.Since.IsZero() {
		s += " since " + clock(h.Since, now)
	}
	if h.Until.After(now) {
		s += ", until about " + clock(h.Until, now)
	}
	return s
}

// String says what uses a GPU: "python (pid 4242) of bob, 9.8 GiB, since Tue
// 18:40".
func (p Process) String() string { return p.describe(time.Now()) }

func (p Process) describe(now time.Time) string {
	name := cmp.Or(p.Name, "a process that cannot be seen")
	s := fmt.Sprintf("%s (pid %d)", name, p.PID)
	if p.User != "" {
		s += " of " + p.User
	}
	if p.Used >= 0 {
		s += ", " + text.Memory(p.Used)
	}
	if !p.Since.IsZero() {
		s += ", since " + clock(p.Since, now)
	}
	return s
}

// clock is a time for people: with the day where that is not today.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch d := t.Sub(now).Abs(); {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case d < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan 15:04")
}
