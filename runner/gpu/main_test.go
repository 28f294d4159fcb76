package gpu

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test binary a run that waits, takes and holds, as JSON of
// a child.
const childEnv = "CYTORUN_TEST_CHILD"

// child is one run in a process of its own.
type child struct {
	Run     string
	Request Request
	Number  int64 // 0 draws one
	Hold    time.Duration
	Log     string // file that gets what happened
	Umask   int
	Own     string // a folder for the log of its use, which it then writes
}

func TestMain(m *testing.M) {
	driverFolder = "/nonexistent" // the GPUs of the box of the tests are not meant
	if s := os.Getenv(childEnv); s != "" {
		os.Exit(beChild(s))
	}
	os.Exit(m.Run())
}

func beChild(s string) int {
	var c child
	if err := json.Unmarshal([]byte(s), &c); err != nil {
		return 2
	}
	syscall.Umask(c.Umask)
	log, err := os.OpenFile(c.Log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	note := func(what, more string) {
		_, _ = fmt.Fprintf(log, "%d %s %s %s\n", time.Now().UnixNano(), c.Run, what, more)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	q, err := Open(c.Run, func(reason string) { note("waits", reason) })
	if err == nil {
		c.Number, err = q.Draw(c.Number)
	}
	var g *Grant
	if err == nil {
		g, err = q.Enter(ctx, c.Number, c.Request)
	}
	if err != nil {
		note("fails", err.Error())
		return 1
	}
	note("has", strings.Join(g.UUIDs(), ","))
	select {
	case <-time.After(c.Hold):
	case <-ctx.Done():
	}
	if c.Own != "" {
		if err := LogUse(c.Own, Record{Run: c.Run, Algorithm: "Nuclei", GPUs: g.UUIDs(), Started: time.Now(), Ended: time.Now()}); err != nil {
			note("fails", err.Error())
		}
	}
	note("ends", strings.Join(g.UUIDs(), ","))
	return 0
}

// box is a box of tests: a folder for leases and a driver that is a script.
type box struct {
	t    testing.TB
	dir  string // of the fake driver
	log  string
	argv []string // before the test binary, to be another user
}

// newBox makes a box with n GPUs of 24 GB. Everybody may read it.
func newBox(t testing.TB, n int) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "cytorun-gpu-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &box{t: t, dir: dir, log: filepath.Join(dir, "log")}
	must(t, os.Chmod(dir, 0o755))
	// In memory, as /run/lock is.
	leases, err := os.MkdirTemp("/dev/shm", "cytorun-gpu-")
	if err != nil {
		leases, err = os.MkdirTemp(dir, "leases-")
	}
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(leases) })
	must(t, os.Chmod(leases, 0o777|os.ModeSticky))
	must(t, os.WriteFile(b.log, nil, 0o666))
	must(t, os.Chmod(b.log, 0o666))
	must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	script := fmt.Sprintf(`#!/bin/sh
cd %s || exit 1
[ -e hang ] && exec sleep 1000
[ -e fail ] && cat fail && exit 9
case "$*" in
*--query-compute-apps*) exec cat apps ;;
*--query-gpu*) exec cat gpus ;;
esac
exit 1
`, dir)
	must(t, os.WriteFile(filepath.Join(dir, "bin", "nvidia-smi"), []byte(script), 0o755))
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("CYTORUN_LEASES", leases)
	t.Setenv("CYTORUN_SLOTS", "")
	for _, x := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		t.Setenv("XDG_"+x+"_HOME", filepath.Join(dir, strings.ToLower(x)))
	}
	b.devices(devices(n))
	b.processes()
	return b
}

func (b *box) leases() string { return os.Getenv("CYTORUN_LEASES") }

// devices are n GPUs that are idle.
func devices(n int) []Device {
	ds := make([]Device, n)
	for i := range ds {
		ds[i] = Device{Index: i, UUID: uuid(i), Name: "NVIDIA A10", Driver: "550.54.15", Total: 24564 << 20, Used: 4 << 20}
	}
	return ds
}

func uuid(i int) string { return fmt.Sprintf("GPU-%08d-0000-0000-0000-000000000000", i) }

// devices makes these the GPUs of the box.
func (b *box) devices(ds []Device) {
	b.t.Helper()
	var s strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&s, "%d, %s, %s, %d, %d, %d, %s\n", d.Index, d.UUID, d.Name, d.Total>>20, d.Used>>20, d.Load, d.Driver)
	}
	b.write("gpus", s.String())
}

// processes makes these compute on GPUs: "UUID, PID, MiB".
func (b *box) processes(lines ...string) {
	b.t.Helper()
	b.write("apps", strings.Join(append(lines, ""), "\n"))
}

// write replaces a file of the driver at once.
func (b *box) write(name, content string) {
	b.t.Helper()
	tmp := filepath.Join(b.dir, name+".new")
	must(b.t, os.WriteFile(tmp, []byte(content), 0o644))
	must(b.t, os.Rename(tmp, filepath.Join(b.dir, name)))
}

func (b *box) remove(name string) {
	b.t.Helper()
	must(b.t, os.Remove(filepath.Join(b.dir, name)))
}

// start starts a run in a process of its own.
func (b *box) start(c child) *exec.Cmd {
	b.t.Helper()
	c.Log = b.log
	s, err := json.Marshal(c)
	must(b.t, err)
	self, err := os.Executable()
	must(b.t, err)
	argv := append(append([]string{}, b.argv...), self)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(s), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	must(b.t, cmd.Start())
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// event is one line of the log.
type event struct {
	time time.Time
	run  string
	what string
	more string
}

func (b *box) events() []event {
	b.t.Helper()
	data, err := os.ReadFile(b.log)
	must(b.t, err)
	var es []event
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		var ns int64
		if _, err := fmt.Sscan(f[0], &ns); err != nil || len(f) != 4 {
			b.t.Fatalf("bad line %q", line)
		}
		es = append(es, event{time.Unix(0, ns), f[1], f[2], f[3]})
	}
	return es
}

// await waits until a run has said something, and gives the last of it.
func (b *box) await(run, what, contains string) event {
	b.t.Helper()
	var last event
	within(b.t, 20*time.Second, run+" "+what+" "+contains, func() bool {
		for _, e := range b.events() {
			if e.run == run && e.what == what && strings.Contains(e.more, contains) {
				last = e
				return true
			}
		}
		return false
	})
	return last
}

func within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
