package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestReadProcOfOurselves(t *testing.T) {
	p, err := ReadProc(os.Getpid())
	must(t, err)
	if p.Parent != os.Getppid() || p.Start == "" {
		t.Errorf("read as %+v", p)
	}
	if !Lives(os.Getpid(), p.Start) || Lives(os.Getpid(), p.Start+"0") {
		t.Error("a start time does not tell processes apart")
	}
	dead := exec.Command("true")
	must(t, dead.Start())
	q, err := ReadProc(dead.Process.Pid)
	must(t, err)
	must(t, dead.Wait())
	if Lives(q.PID, q.Start) {
		t.Error("a dead process lives")
	}
}

func TestStatOfAProcessWithAnyName(t *testing.T) {
	tests := map[string]struct {
		line string
		ok   bool
	}{
		"plain":    {"7 (sh) S 1 7 6 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9", true},
		"brackets": {"7 (a) b (c) S 1 7 6 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9", true},
		"empty":    {"", false},
		"short":    {"7 (sh) S 1", false},
	}
	for name, tt := range tests {
		p, err := parseStat(7, []byte(tt.line))
		if (err == nil) != tt.ok || tt.ok && (p.Start != "4711" || p.Session != 6 || p.Parent != 1 || p.State != 'S') {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("7 (a) b (c) S 1 7 6 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = parseStat(1, b) })
}

func TestLocksOfAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), LockFile)
	if Held(path) {
		t.Error("a file that is not there is held")
	}
	l, err := TakeLock(path)
	must(t, err)
	if !Held(path) {
		t.Error("not held")
	}
	free := make(chan error, 1)
	go func() { free <- WaitFree(path) }()
	select {
	case err := <-free:
		t.Fatalf("free although held: %v", err)
	default:
	}
	must(t, l.Close())
	must(t, <-free)
	if Held(path) {
		t.Error("held after its end")
	}
}

func TestWhereTheKernelCountsMemoryKills(t *testing.T) {
	tests := map[string]struct{ cgroup, want string }{
		"version 2":       {"0::/user.slice/run.scope\n", "/sys/fs/cgroup/user.slice/run.scope/memory.events"},
		"version 2, root": {"0::/\n", ""},
		"version 1":       {"4:memory:/slurm/job\n0::/\n", "/sys/fs/cgroup/memory/slurm/job/memory.oom_control"},
		"nothing":         {"", ""},
		"rubbish":         {"a:b\n::\n", ""},
	}
	for name, tt := range tests {
		if got := memoryEvents([]byte(tt.cgroup)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if n := counter([]byte("low 0\noom 2\noom_kill 3\n"), "oom_kill"); n != 3 {
		t.Errorf("counted %d", n)
	}
	d := OOMCount{Group: 5, Box: 9}.Since(OOMCount{Group: 3, Box: 9, Own: true})
	if d.Group != 2 || d.Box != 0 || !d.Own {
		t.Errorf("since: %+v", d)
	}
}

func TestTicketsAreListedInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{TicketName(10, 0, "b"), TicketName(9, 1001, "20261120-143205-aaaa"), "ticket-x-1-a", "ticket-1", "slot-1", "queue"} {
		must(t, os.WriteFile(filepath.Join(dir, n), nil, 0o600))
	}
	ts := Tickets(dir)
	if len(ts) != 2 || ts[0].Number != 9 || ts[0].UID != 1001 || ts[0].Run != "20261120-143205-aaaa" || ts[1].Run != "b" {
		t.Errorf("listed %+v", ts)
	}
}
