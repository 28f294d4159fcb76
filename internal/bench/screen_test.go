package bench

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// demoEnv sets the demo up in folders of its own, with analyses in it, and returns the
// environment that finds it.
func demoEnv(b *testing.B, path string) []string {
	b.Helper()
	dir := b.TempDir()
	env := append(os.Environ(), "CYTORUN_LEASES="+filepath.Join(dir, "leases"), "TERM=xterm-256color", "COLORTERM=truecolor")
	for _, x := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		env = append(env, "XDG_"+x+"_HOME="+filepath.Join(dir, x))
	}
	b.Cleanup(func() { endProcessesIn(b, dir) })
	cmd := exec.Command(path, "demo", "--loop", "--runtime", "process")
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return env
}

// endProcessesIn ends the demo's detached server: its working directory is below dir.
func endProcessesIn(b *testing.B, dir string) {
	b.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		b.Fatal(err)
	}
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir+"/") {
			if pid, err := strconv.Atoi(strings.Split(link, "/")[2]); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

// BenchmarkFirstFrame measures from the start of the process to the first frame that a
// person can use, one with an algorithm in it, in a real terminal of 120x40.
func BenchmarkFirstFrame(b *testing.B) {
	path := program(b)
	env := demoEnv(b, path)
	for b.Loop() {
		var memory int
		ms := median(b, 11, func() time.Duration {
			d, kb := firstFrame(b, path, env)
			memory = max(memory, kb)
			return d
		})
		Report(b, "screens/first-frame", ms, "ms", 40, true)
		Report(b, "screens/first-frame-memory", float64(memory)/1024, "MB", 30, true)
	}
}

// BenchmarkBytesOverTheLine counts what a slow line has to carry: for a cursor key in a
// list, and while nothing happens.
func BenchmarkBytesOverTheLine(b *testing.B) {
	path := program(b)
	env := demoEnv(b, path)
	for b.Loop() {
		x := openScreen(b, env, path, "-S", "demo")
		x.until("nuclei", time.Now())
		x.count(2 * time.Second)
		const moves = 20
		keys := 0
		for i := range moves {
			key := "\x1b[B"
			if i%4 > 1 {
				key = "\x1b[A"
			}
			x.press(key)
			keys += x.count(100 * time.Millisecond)
		}
		Report(b, "screens/cursor-key", float64(keys)/moves, "B", 300, true)
		x.count(2 * time.Second)
		Report(b, "screens/idle", float64(x.count(5*time.Second))/5, "B/s", 200, true)
		x.close()
	}
}

// firstFrame returns the time and the resident memory in kB, both at the first useful frame.
func firstFrame(b *testing.B, path string, env []string) (time.Duration, int) {
	b.Helper()
	cmd := exec.Command(path, "-S", "demo")
	cmd.Env = env
	term := vt.NewEmulator(120, 40)
	defer term.Close()
	began := time.Now()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = tty.Close()
	}()
	go func() { _, _ = io.Copy(tty, term) }() // what a terminal answers to a program's questions
	if err := tty.SetReadDeadline(began.Add(10 * time.Second)); err != nil {
		b.Fatal(err)
	}
	var wrote []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := tty.Read(buf)
		if err != nil {
			b.Fatalf("no algorithm on the screen: %v\n%s", err, term.String())
		}
		wrote = append(wrote, buf[:n]...)
		_, _ = term.Write(buf[:n])
		// the words are searched in the bytes first: playing them takes time of its own
		if bytes.Contains(wrote, []byte("Algorithms")) && bytes.Contains(bytes.ToLower(wrote), []byte("nuclei")) {
			return time.Since(began), residentKB(b, cmd.Process.Pid)
		}
	}
}

func residentKB(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return kb
		}
	}
	b.Fatal("no VmRSS in status")
	return 0
}
