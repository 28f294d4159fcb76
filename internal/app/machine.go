package app

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/gpu"
)

// Machine is this box as runs see it.
type Machine struct {
	Host string
	// GPUs are those the driver tells of; NoGPU says why there are none.
	GPUs  []GPU
	NoGPU string
	// Turns are the runs of all users that work here now, of Slots at most, and
	// Waiting those in the queue, first come first. QueueProblem says why the
	// queue cannot be used, empty where it can.
	Slots        int
	Turns        []gpu.Holder
	Waiting      []gpu.Waiting
	QueueProblem string
	// Apptainer is its version and place, or what to do without it.
	Apptainer Check
	// Containers is the folder of fetched containers, Cached what lies there in
	// bytes, and Disk the space around it.
	Containers string
	Cached     int64
	Disk       []Check
	// Live are the runs that wait or work here, of every project, oldest first.
	Live []Analysis
}

// GPU is one device. Sizes are in bytes, Load in percent; -1 is unknown.
type GPU struct {
	Index       int
	Label       string // for people: the index, or GPU:SLICE
	UUID, Name  string
	Used, Total int64
	Load        int
	// Problem says why no run gets it, empty where runs do.
	Problem string
	Free    bool        // a run could have all of it now
	Leases  []gpu.Lease // of runs of all users
	Holders []GPUHolder
}

// GPUHolder is a process that computes on a GPU, ours or not.
type GPUHolder struct {
	PID   int
	Name  string // of its program
	User  string // empty where the process cannot be seen
	Used  int64
	Since time.Time // zero where the process cannot be seen
	// Foreign is set where it belongs to no run that leased the GPU, and Text
	// says all of it in a line.
	Foreign bool
	Text    string
}

// Machine looks at this box. It changes nothing and needs no server.
func (e *Env) Machine(ctx context.Context) Machine {
	m := Machine{Host: e.Host, Containers: e.Paths.Containers}
	m.share(gpu.Look(ctx))
	if a, err := apptainer.Find(); err != nil {
		m.Apptainer = Check{Name: "Apptainer", Text: err.Error(), Next: "cytorun doctor --install"}
	} else {
		m.Apptainer = Check{Name: "Apptainer", OK: true, Text: a.Version + " in " + a.Path}
	}
	m.Cached = folderSize(e.Paths.Containers)
	m.Disk = e.checkPlaces(ctx)
	runs, err := e.Store.List()
	if err != nil {
		return m
	}
	for i := len(runs) - 1; i >= 0; i-- {
		if !runs[i].State.Ended() && !runs[i].ForeignHost {
			m.Live = append(m.Live, Analysis{Run: &runs[i]})
		}
	}
	return m
}

// share takes over what the users of the box share.
func (m *Machine) share(box gpu.Box) {
	m.Slots, m.Turns, m.Waiting = box.SlotCount, box.Slots, box.Waiting
	if box.NoGPU != nil {
		m.NoGPU = box.NoGPU.Error()
	}
	if box.Problem != nil {
		m.QueueProblem = box.Problem.Error()
	}
	for _, s := range box.GPUs {
		g := GPU{Index: s.Index, Label: s.Label(), UUID: s.UUID, Name: s.Name, Used: s.Used, Total: s.Total, Load: s.Load, Free: s.Free(), Leases: s.Leases}
		switch {
		case s.Lost:
			g.Problem = "does not answer; restart the box"
		case !s.Allowed:
			g.Problem = "left out by [gpu] allow of config.toml"
		}
		for _, p := range s.Processes {
			foreign := slices.ContainsFunc(s.Foreign, func(f gpu.Process) bool { return f.PID == p.PID })
			g.Holders = append(g.Holders, GPUHolder{PID: p.PID, Name: p.Name, User: p.User, Used: p.Used, Since: p.Since, Foreign: foreign, Text: p.String()})
		}
		m.GPUs = append(m.GPUs, g)
	}
}

// folderSize adds up the files of a folder that is not deep.
func folderSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}
