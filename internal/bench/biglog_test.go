package bench

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// viewer shows the big log to a person at a terminal.
type viewer struct {
	name string
	args []string
	// open is pressed, after ready is seen, to open the log; empty for programs that open
	// it as they start.
	ready string
	open  []string
	// toEnd tells that it goes to the end by itself as it reads, so that the end counts
	// from its start.
	toEnd bool
	// first is what is seen of the log at once, toFirst goes to its first line.
	first, toFirst string
	// regexp is typed to search for the needle whatever its letters; found is seen then.
	regexp, found string
}

// BenchmarkBigLogAtATerminal measures a log of 1 GB in the viewer as it is used, and in
// others that are installed, from the key or the start of the process to the text on a
// screen of 120x40.
func BenchmarkBigLogAtATerminal(b *testing.B) {
	path := program(b)
	env := demoEnv(b, path)
	log := BigLog(b)
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(log), "../*/STATE/cytorun/runs/*/output.log"))
	if err != nil || len(logs) == 0 {
		b.Fatal("no run of the demo: ", err)
	}
	for _, run := range logs {
		if err := os.Remove(run); err != nil {
			b.Fatal(err)
		}
		if err := os.Link(log, run); err != nil {
			b.Fatal(err)
		}
	}
	viewers := []viewer{
		{name: path, args: []string{"-S", "demo"}, ready: "nuclei", open: []string{"2", "\r"}, first: LastLine, toFirst: "g", regexp: "/needle.*in-line-[0-9]+/", found: Needle + " found"},
		{name: "less", args: []string{"-I", log}, first: FirstLine, toFirst: "g", regexp: "needle.*in-line-[0-9]+", found: Needle + " found"},
		// It says what it found, and n goes there.
		{name: "lnav", toEnd: true, args: []string{"-N", log}, first: "segmented:", toFirst: "g", regexp: "needle.*in-line-[0-9]+", found: "1 hits for"},
	}
	for b.Loop() {
		for i, v := range viewers {
			if _, err := exec.LookPath(v.name); err != nil {
				b.Logf("%s is not installed: not measured", v.name)
				continue
			}
			if i > 0 {
				v.measure(b, env, func(what string, value float64, unit string, _ float64) {
					Beside(b, "log-viewer/"+what, value, unit, v.name)
				})
				continue
			}
			all := map[string][]float64{}
			const times = 3
			for range times {
				v.measure(b, env, func(what string, value float64, unit string, goal float64) {
					if all[what] = append(all[what], value); len(all[what]) == times {
						slices.Sort(all[what])
						Report(b, "log-viewer/"+what, all[what][times/2], unit, goal, true)
					}
				})
			}
		}
	}
}

func (v viewer) measure(b *testing.B, env []string, report func(what string, value float64, unit string, goal float64)) {
	began := time.Now()
	x := openScreen(b, env, v.name, v.args...)
	defer x.close()
	if len(v.open) > 0 {
		x.until(v.ready, began)
		for _, k := range v.open[:len(v.open)-1] {
			x.press(k)
			x.until("by:me", began)
			x.until("✓", began)
		}
		began = x.press(v.open[len(v.open)-1])
	}
	report("first-paint-1GB", ms(x.until(v.first, began)), "ms", 20)
	if !v.toEnd {
		if v.first != FirstLine {
			x.toFirst(v.toFirst)
		}
		began = x.press("G")
	}
	report("end-1GB", ms(x.until(LastLine, began)), "ms", 20)
	for _, s := range []struct {
		what, typed string
		goal        float64
	}{{"literal-to-line-5M", Needle, 0.3}, {"regexp-to-line-5M", v.regexp, 3}} {
		x.toFirst(v.toFirst)
		x.press("/")
		x.press(s.typed)
		x.until(s.typed[:8], time.Now())
		report(s.what, x.until(v.found, x.press("\r")).Seconds(), "s", s.goal)
	}
	report("anonymous-memory-1GB", x.anonymousMB(), "MB", 40)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// screen is a program at a terminal of 120x40.
type screen struct {
	b     *testing.B
	cmd   *exec.Cmd
	tty   *os.File
	bytes chan read
	term  *vt.Emulator
}

type read struct {
	data []byte
	at   time.Time
}

func openScreen(b *testing.B, env []string, name string, args ...string) *screen {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = env
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		b.Fatal(err)
	}
	x := &screen{b: b, cmd: cmd, tty: tty, bytes: make(chan read, 1000), term: vt.NewEmulator(120, 40)}
	go func() { _, _ = io.Copy(tty, x.term) }() // what a terminal answers to a program's questions
	go func() {
		defer close(x.bytes)
		for {
			buf := make([]byte, 64<<10)
			n, err := tty.Read(buf)
			x.bytes <- read{buf[:n], time.Now()}
			if err != nil {
				return
			}
		}
	}()
	return x
}

func (x *screen) close() {
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
	_ = x.tty.Close()
	for range x.bytes { // until its reader has ended
	}
	_ = x.term.Close()
}

func (x *screen) press(keys string) time.Time {
	x.b.Helper()
	began := time.Now()
	if _, err := x.tty.WriteString(keys); err != nil {
		x.b.Fatal(err)
	}
	return began
}

// toFirst goes to the first line, and presses again for programs that move by themselves
// while they load.
func (x *screen) toFirst(key string) {
	x.b.Helper()
	for range 60 {
		x.press(key)
		if x.within(2*time.Second, func(s string) bool { return strings.Contains(s, FirstLine) && !strings.Contains(s, LastLine) }).IsZero() {
			continue
		}
		return
	}
	x.b.Fatalf("%s does not go to the first line:\n%s", x.cmd.Path, x.term.String())
}

// until waits until a text is on the screen, and tells how long after a time its bytes came.
func (x *screen) until(want string, began time.Time) time.Duration {
	x.b.Helper()
	seen := x.within(5*time.Minute, func(s string) bool { return strings.Contains(s, want) })
	if seen.IsZero() {
		x.b.Fatalf("%s does not show %q:\n%s", x.cmd.Path, want, x.term.String())
	}
	return max(seen.Sub(began), 0)
}

// within waits until the screen is so, and tells when the bytes came that made it so; zero
// if it never was.
func (x *screen) within(d time.Duration, so func(string) bool) time.Time {
	x.b.Helper()
	if so(x.term.String()) {
		return time.Now()
	}
	deadline := time.After(d)
	for {
		select {
		case r, open := <-x.bytes:
			if !open {
				x.b.Fatalf("%s ended:\n%s", x.cmd.Path, x.term.String())
			}
			_, _ = x.term.Write(r.data)
			if so(x.term.String()) {
				return r.at
			}
		case <-deadline:
			return time.Time{}
		}
	}
}

// count is how many bytes come in a span of time.
func (x *screen) count(d time.Duration) (n int) {
	deadline := time.After(d)
	for {
		select {
		case r, open := <-x.bytes:
			if !open {
				x.b.Fatalf("%s ended", x.cmd.Path)
			}
			n += len(r.data)
			_, _ = x.term.Write(r.data)
		case <-deadline:
			return n
		}
	}
}

// anonymousMB is the anonymous memory of the program, from the kernel.
func (x *screen) anonymousMB() float64 {
	x.b.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(x.cmd.Process.Pid) + "/smaps_rollup")
	if err != nil {
		x.b.Skip("needs smaps_rollup: ", err)
	}
	for l := range bytes.Lines(data) {
		if f := strings.Fields(string(l)); len(f) == 3 && f[0] == "Anonymous:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				x.b.Fatal(err)
			}
			return kb / 1000
		}
	}
	x.b.Fatal("no anonymous memory told")
	return 0
}
