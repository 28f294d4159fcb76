package app

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// Machine is this box as runs see it.
type Machine struct {
	Host string
	// GPUs are those the driver tells of; NoGPU says why there are none.
	GPUs  []GPU
	NoGPU string
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
	UUID, Name  string
	Used, Total int64
	Load        int
	Holders     []GPUHolder
}

// GPUHolder is a process that computes on a GPU, ours or not.
type GPUHolder struct {
	PID   int
	User  string // empty where the process cannot be seen
	Used  int64
	Since time.Time // zero where the process cannot be seen
}

// Machine looks at this box. It changes nothing and needs no server.
func (e *Env) Machine(ctx context.Context) Machine {
	m := Machine{Host: e.Host, Containers: e.Paths.Containers}
	m.GPUs, m.NoGPU = gpus(ctx)
	if a, err := apptainer.Find(); err != nil {
		m.Apptainer = Check{Name: "Apptainer", Text: err.Error(), Next: "cytorun doctor --install"}
	} else {
		m.Apptainer = Check{Name: "Apptainer", OK: true, Text: a.Version + " in " + a.Path}
	}
	m.Cached = folderSize(e.Paths.Containers)
	m.Disk = e.checkPaths()
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

// gpus asks the driver's own tool; its fields are documented by
// nvidia-smi --help-query-gpu and --help-query-compute-apps.
func gpus(ctx context.Context) ([]GPU, string) {
	if _, err := exec.LookPath("nvidia-smi"); err != nil {
		return nil, "no GPU found: no nvidia-smi on this box; install the NVIDIA driver where it has one"
	}
	out, err := output(ctx, "nvidia-smi", "--query-gpu=index,uuid,name,memory.used,memory.total,utilization.gpu", "--format=csv,noheader,nounits")
	if err != nil {
		return nil, fmt.Sprintf("no GPU found: nvidia-smi fails: %v; run it to see why, a new driver often needs a restart", err)
	}
	found := parseGPUs(out)
	if len(found) == 0 {
		return nil, "no GPU found: nvidia-smi lists none"
	}
	apps, err := output(ctx, "nvidia-smi", "--query-compute-apps=gpu_uuid,pid,used_memory", "--format=csv,noheader,nounits")
	if err == nil {
		addHolders(found, apps)
	}
	return found, ""
}

func parseGPUs(out string) []GPU {
	var found []GPU
	for _, r := range csvRows(out, 6) {
		found = append(found, GPU{
			Index: int(number(r[0])), UUID: r[1], Name: r[2],
			Used: mebibytes(r[3]), Total: mebibytes(r[4]), Load: int(number(r[5])),
		})
	}
	return found
}

func addHolders(found []GPU, out string) {
	for _, r := range csvRows(out, 3) {
		for i := range found {
			if found[i].UUID == r[0] {
				h := GPUHolder{PID: int(number(r[1])), Used: mebibytes(r[2])}
				h.User, h.Since = processOwner(h.PID)
				found[i].Holders = append(found[i].Holders, h)
			}
		}
	}
}

// csvRows are the rows with enough fields; what cannot be read is left out.
func csvRows(out string, fields int) [][]string {
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	all, _ := r.ReadAll()
	var rows [][]string
	for _, row := range all {
		if len(row) >= fields {
			rows = append(rows, row)
		}
	}
	return rows
}

// number reads a field, -1 for "[N/A]" and the like.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func mebibytes(s string) int64 {
	if n := number(s); n >= 0 {
		return n << 20
	}
	return -1
}

// processOwner tells who started a process and when.
func processOwner(pid int) (name string, since time.Time) {
	info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	if err != nil {
		return "", time.Time{}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", time.Time{}
	}
	name = strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return name, startedAt(pid)
}

// ticksPerSecond is USER_HZ, which Linux keeps at 100 for all programs.
const ticksPerSecond = 100

// startedAt is when a process started: the kernel counts from the boot.
func startedAt(pid int) time.Time {
	p, err := runner.ReadProc(pid)
	if err != nil {
		return time.Time{}
	}
	ticks, err1 := strconv.ParseFloat(p.Start, 64)
	uptime, err2 := os.ReadFile("/proc/uptime")
	if err1 != nil || err2 != nil {
		return time.Time{}
	}
	up, err := strconv.ParseFloat(strings.Fields(string(uptime) + " x")[0], 64)
	if err != nil {
		return time.Time{}
	}
	age := up - ticks/ticksPerSecond
	return time.Now().Add(-time.Duration(age * float64(time.Second)))
}
