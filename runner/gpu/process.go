package gpu

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// identify looks in /proc for who a process is.
func (p *Process) identify() {
	dir := filepath.Join("/proc", strconv.Itoa(p.PID))
	st, err := os.Stat(dir)
	if err != nil {
		return
	}
	proc, err := runner.ReadProc(p.PID)
	if err != nil || proc.Dead() {
		return
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		p.UID = int(sys.Uid)
		p.User = userName(p.UID)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "comm")); err == nil {
		p.Name = text.Line(strings.TrimSpace(string(b)))
	}
	p.start = proc.Start
	p.Since = startedAt(proc.Start)
}

// gone tells a process that was seen and has ended from one that cannot be seen.
func (p *Process) gone() bool {
	return p.start != "" && !runner.Lives(p.PID, p.start)
}

// ticksPerSecond is USER_HZ, which Linux keeps at 100 for all programs.
const ticksPerSecond = 100

// startedAt turns the kernel's ticks since the boot into a time.
func startedAt(ticks string) time.Time {
	n, err := strconv.ParseFloat(ticks, 64)
	if err != nil {
		return time.Time{}
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return time.Time{}
	}
	first, _, _ := strings.Cut(string(uptime), " ")
	up, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration((up - n/ticksPerSecond) * float64(time.Second))).Round(time.Second)
}

// names caches user names: a directory service may be slow.
var names sync.Map // uid -> string

// userName names a user of this box, by number where nobody knows the name.
func userName(uid int) string {
	if n, ok := names.Load(uid); ok {
		return n.(string)
	}
	name, number := "", strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		name = u.Username
	} else if out, err := run(context.Background(), 2*time.Second, "getent", "passwd", number); err == nil {
		// Without cgo only /etc/passwd is read; getent knows all users.
		name, _, _ = strings.Cut(out, ":")
	}
	if name = text.Line(name); name == "" {
		name = "user " + number
	}
	names.Store(uid, name)
	return name
}

// below tells whether a process belongs to the run of a holder: one of its
// ancestors is the process that took the lease, or the keeper of that run,
// which outlives it.
func below(pid int, h Holder) bool {
	for range 64 { // a chain that is longer, or turns in a circle while it changes
		if pid <= 1 {
			return false
		}
		proc, err := runner.ReadProc(pid)
		if err != nil {
			return false
		}
		if pid == h.PID && proc.Start == h.Start || h.Run != "" && keeps(pid, h.Run) {
			return true
		}
		pid = proc.Parent
	}
	return false
}

// keeps tells whether a process is `cytorun keep .../RUN`.
func keeps(pid int, run string) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	argv := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
	return len(argv) == 3 && argv[1] == "keep" && filepath.Base(argv[2]) == run
}
