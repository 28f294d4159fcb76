package gpu

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// Watched is a run whose use of GPUs is sampled.
type Watched struct {
	Run    string
	GPUs   []string // UUIDs
	Shared bool     // with other runs
	// File keeps what was seen over a change of the watcher; it lies in the run
	// folder.
	File string
}

// When samples are taken: soon after the start, as many programs are short, and
// then so seldom that it costs nothing.
const (
	sampleFirst = time.Second
	sampleLast  = 15 * time.Second
)

// touchEvery keeps what cleans up /tmp from removing the files of a long lease.
const touchEvery = time.Hour

// Watch samples until ctx ends, and then gives the channel what it saw. A
// sample that fails is left out.
func Watch(ctx context.Context, w Watched) <-chan runner.GPUUse {
	done := make(chan runner.GPUUse, 1)
	go func() {
		u := loadUse(w)
		touched := time.Now()
		for pause := sampleFirst; ; pause = min(2*pause, sampleLast) {
			select {
			case <-ctx.Done():
				done <- u
				return
			case <-time.After(pause):
			}
			devices, err := Discover(ctx)
			if err != nil {
				continue
			}
			before, _ := json.Marshal(u)
			add(&u, w, devices, func(p Process) bool { return below(p.PID, Holder{Run: w.Run}) })
			if after, _ := json.Marshal(u); string(after) != string(before) {
				_ = runner.WriteJSON(w.File, u) // a full disk must not end the run
			}
			if time.Since(touched) > touchEvery {
				touched = time.Now()
				touchLeases(w.Run)
			}
		}
	}()
	return done
}

// loadUse goes on with what an earlier watcher saw.
func loadUse(w Watched) runner.GPUUse {
	var u runner.GPUUse
	if b, err := os.ReadFile(w.File); err != nil || !decode(b, &u) || !slices.Equal(u.GPUs, w.GPUs) {
		u = runner.GPUUse{GPUs: w.GPUs}
	}
	u.Schema = schema
	return u
}

// ReadUse reads what was seen of a run.
func ReadUse(file string) (runner.GPUUse, bool) {
	var u runner.GPUUse
	b, err := os.ReadFile(file)
	return u, err == nil && decode(b, &u)
}

// add counts one sample.
func add(u *runner.GPUUse, w Watched, devices []Device, ours func(Process) bool) {
	var memory int64
	load, seen := 0, 0
	for _, d := range devices {
		if !slices.Contains(w.GPUs, d.UUID) {
			continue
		}
		mine, unseen := int64(0), false
		used := false
		for _, p := range d.Processes {
			if ours(p) {
				used = true
				mine += max(p.Used, 0)
			}
			unseen = unseen || p.start == ""
		}
		if !w.Shared {
			// A GPU of our own: whatever happens there is ours.
			if mine == 0 && (unseen || d.Used > idleMemory) {
				mine = max(d.Used, 0)
			}
			used = used || unseen || d.Used > idleMemory || d.Load > 5
		} else if unseen {
			used = true // nobody can tell whose it is
		}
		if used && !slices.Contains(u.Touched, d.UUID) {
			u.Touched = append(u.Touched, d.UUID)
		}
		memory += mine
		if d.Load >= 0 {
			load += d.Load
			seen++
			u.PeakLoad = max(u.PeakLoad, d.Load)
		}
	}
	u.Memory = max(u.Memory, memory)
	mean := 0.0
	if seen > 0 {
		mean = float64(load) / float64(seen)
	}
	u.Load = (u.Load*float64(u.Samples) + mean) / float64(u.Samples+1)
	u.Samples++
}

// touchLeases renews the times of the files that a run holds.
func touchLeases(run string) {
	now := time.Now()
	for _, dir := range runner.LeaseDirs() {
		for _, name := range fileNames(dir) {
			if _, ok := parseLeaseName(name); !ok && !strings.HasPrefix(name, "slot-") {
				continue
			}
			if path := filepath.Join(dir, name); readHolder(path).Run == run {
				_ = os.Chtimes(path, now, now)
			}
		}
	}
}
