package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// OOMCount counts processes killed by the kernel for want of memory. Box counts
// those of the whole box, Group those of a process's memory group; both may be
// somebody else's. Group is -1 where there is none but the root.
type OOMCount struct {
	Group int `json:"group"`
	Box   int `json:"box"`
	// Own is set when nobody else was in the group at the first count, as in a
	// systemd scope or a container limited by Apptainer: then its kills are
	// certain to be the run's.
	Own bool `json:"own,omitempty"`
}

// CountOOM reads the kernel's counters for a process.
func CountOOM(pid int) OOMCount {
	c := OOMCount{Group: -1}
	if b, err := os.ReadFile("/proc/vmstat"); err == nil {
		c.Box = max(counter(b, "oom_kill"), 0)
	}
	if b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup"); err == nil {
		if file := memoryEvents(b); file != "" {
			if b, err := os.ReadFile(file); err == nil {
				c.Group = counter(b, "oom_kill")
				c.Own = c.Group >= 0 && onlyOurs(filepath.Join(filepath.Dir(file), "cgroup.procs"))
			}
		}
	}
	return c
}

// Since gives what happened after an earlier count.
func (c OOMCount) Since(earlier OOMCount) OOMCount {
	d := OOMCount{Group: -1, Box: max(c.Box-earlier.Box, 0)}
	if c.Group >= 0 && earlier.Group >= 0 {
		d.Group, d.Own = max(c.Group-earlier.Group, 0), earlier.Own
	}
	return d
}

// onlyOurs tells whether all processes of a group are of this program.
func onlyOurs(procs string) bool {
	b, err := os.ReadFile(procs)
	if err != nil {
		return false
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false
	}
	for pid := range strings.FieldsSeq(string(b)) {
		if other, err := os.Readlink("/proc/" + pid + "/exe"); err == nil && other != exe {
			return false
		}
	}
	return true
}

// memoryEvents finds the file with the counters of a memory group in the text
// of /proc/PID/cgroup: version 2 (`0::/path`) or the memory controller of
// version 1. The root group counts for everybody and so for nobody.
func memoryEvents(cgroup []byte) string {
	for line := range strings.Lines(string(cgroup)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || f[2] == "/" {
			continue
		}
		if f[0] == "0" && f[1] == "" {
			return filepath.Join("/sys/fs/cgroup", f[2], "memory.events")
		}
		if f[1] == "memory" {
			return filepath.Join("/sys/fs/cgroup/memory", f[2], "memory.oom_control")
		}
	}
	return ""
}

// counter reads `name N` from lines of such pairs, -1 where it is missing.
func counter(b []byte, name string) int {
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) == 2 && string(f[0]) == name {
			if n, err := strconv.Atoi(string(f[1])); err == nil {
				return n
			}
		}
	}
	return -1
}
