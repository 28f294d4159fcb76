package runner

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// idLetters is a base32 alphabet without upper case.
var idLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes the name of a run: the time in UTC and four random letters, such
// as 20261120-143205-k7qd. That it is free is decided by mkdir alone.
func NewID(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return now.UTC().Format("20060102-150405") + "-" + idLetters.EncodeToString(b[:])[:4]
}

// BootID identifies this boot of the machine; empty where the kernel does not
// say.
var BootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})

// Host is the name of this box, by which run folders in a shared home are told
// apart.
var Host = sync.OnceValue(func() string {
	h, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return h
})

// Proc is what /proc/PID/stat says of a process.
type Proc struct {
	PID, Parent, Session int
	State                byte // of its first thread; see Dead
	Threads              int
	Start                string // field 22, ticks since boot: tells a reused pid apart
}

// Dead tells that a process has ended and only its parent has not asked yet. A
// process whose first thread alone has ended looks the same but has others.
func (p Proc) Dead() bool { return p.State == 'X' || p.State == 'Z' && p.Threads <= 1 }

// ReadProc reads a process. An error means that there is none.
func ReadProc(pid int) (Proc, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Proc{}, err
	}
	return parseStat(pid, b)
}

// parseStat reads the line of /proc/PID/stat. The command name may hold spaces
// and brackets, so fields are counted from its last bracket.
func parseStat(pid int, b []byte) (Proc, error) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return Proc{}, fmt.Errorf("cannot read process %d: no command name in its stat line", pid)
	}
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 20 {
		return Proc{}, fmt.Errorf("cannot read process %d: its stat line is short", pid)
	}
	p := Proc{PID: pid, State: f[0][0], Start: f[19]}
	p.Parent, _ = strconv.Atoi(f[1])
	p.Session, _ = strconv.Atoi(f[3])
	p.Threads, _ = strconv.Atoi(f[17])
	return p, nil
}

// Processes lists the processes of this box that still run, without zombies.
func Processes() []Proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var ps []Proc
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if p, err := ReadProc(pid); err == nil && !p.Dead() {
			ps = append(ps, p)
		}
	}
	return ps
}

// Lives tells whether the process that had this pid and start time still runs.
func Lives(pid int, start string) bool {
	p, err := ReadProc(pid)
	return err == nil && p.Start == start && !p.Dead()
}
