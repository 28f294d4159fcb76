package tui

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// screensMain is the test binary as the program in a terminal: it opens the
// screens on the profile "lab" of its environment.
func screensMain() int {
	env, err := app.NewEnv("test")
	if err == nil {
		var s *app.Session
		if s, err = env.Open(profile.Selection{Server: "lab"}); err == nil {
			err = Run(context.Background(), env, Options{Session: s})
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// terminal is a real pty with a terminal emulator at its other end.
type terminal struct {
	t     *testing.T
	pty   *os.File
	cmd   *exec.Cmd
	start time.Time

	mu       sync.Mutex
	screen   *vt.Emulator
	raw      bytes.Buffer
	lastByte time.Time
	first    time.Duration // from the start to the first useful frame
}

// openTerminal starts the screens in a terminal.
func openTerminal(t *testing.T, term string, w, h int) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, screen: vt.NewEmulator(w, h), cmd: exec.Command(exe, "screens")}
	x.cmd.Env = append(os.Environ(), "TERM="+term, "COLORTERM=")
	x.start = time.Now()
	x.pty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Fatal(err)
	}
	go x.read()
	go x.answer()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.cmd.Wait()
		_ = x.pty.Close()
	})
	return x
}

func (x *terminal) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := x.pty.Read(buf)
		x.mu.Lock()
		x.raw.Write(buf[:n])
		_, _ = x.screen.Write(buf[:n])
		x.lastByte = time.Now()
		if x.first == 0 && strings.Contains(x.screen.String(), "1 Algorithms") {
			x.first = time.Since(x.start)
		}
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer gives the program what a terminal answers to its questions.
func (x *terminal) answer() {
	buf := make([]byte, 1024)
	for {
		n, err := x.screen.Read(buf)
		if err != nil {
			return
		}
		_, _ = x.pty.Write(buf[:n])
	}
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

func (x *terminal) until(what string, ok func(string) bool) {
	x.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if ok(x.text()) {
			return
		}
	}
	x.t.Fatalf("not within 15 s: %s\n%s", what, x.text())
}

func (x *terminal) untilShows(s string) {
	x.t.Helper()
	x.until("the terminal shows "+s, func(text string) bool { return strings.Contains(text, s) })
}

func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.pty.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// quiet waits until nothing has come for a while and tells how many bytes there
// were.
func (x *terminal) quiet(d time.Duration) int {
	x.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		x.mu.Lock()
		still := time.Since(x.lastByte) > d
		n := x.raw.Len()
		x.mu.Unlock()
		if still {
			return n
		}
	}
	x.t.Fatal("the screen never rests")
	return 0
}

// after presses a key and tells how many bytes there were when its echo had
// come to rest, before a pane that follows could move.
func (x *terminal) after(key string) int {
	x.t.Helper()
	pressed := time.Now()
	x.press(key)
	x.until("the key is answered", func(string) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.lastByte.After(pressed)
	})
	time.Sleep(40 * time.Millisecond)
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.Len()
}

const keyDown = "\x1b[B"

func TestSessionInARealTerminal(t *testing.T) {
	for _, term := range []string{"xterm-256color", "tmux-256color"} {
		t.Run(term, func(t *testing.T) {
			site := tuitest.New(t)
			site.Run("stain-density", runner.Failed, nil, &runner.Result{Reason: "exit code 7", FirstError: "no such slide"})
			x := openTerminal(t, term, 80, 24)
			x.untilShows("nuclei-segmentation")
			x.press("2")
			x.untilShows("no such slide")
			x.press("1/")
			x.untilShows("keep the filter")
			x.press("stain-d")
			x.untilShows("1 of 3")
			if err := pty.Setsize(x.pty, &pty.Winsize{Cols: 60, Rows: 20}); err != nil {
				t.Fatal(err)
			}
			x.mu.Lock()
			x.screen.Resize(60, 20)
			x.mu.Unlock()
			x.until("the footer is at the bottom", func(s string) bool {
				lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
				return strings.Contains(lines[len(lines)-1], "keep the filter")
			})
			x.press("\r")
			x.untilShows("q leave")
			x.press("q")
			if err := x.cmd.Wait(); err != nil {
				t.Fatalf("leaving: %v", err)
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			for what, seq := range map[string]string{"the main screen": "\x1b[?1049l", "the cursor": "\x1b[?25h", "bracketed paste": "\x1b[?2004l", "focus reports": "\x1b[?1004l"} {
				if !bytes.Contains(x.raw.Bytes(), []byte(seq)) {
					t.Errorf("%s is not given back", what)
				}
			}
		})
	}
}

// The numbers to reach: 300 bytes for a cursor key in a list, 200 bytes a second
// while nothing happens.
func TestBytesOverTheLine(t *testing.T) {
	site := tuitest.New(t)
	for range 40 {
		site.Run("stain-density", runner.Succeeded, nil, nil)
	}
	x := openTerminal(t, "xterm-256color", 120, 40)
	x.untilShows("nuclei-segmentation")
	x.press("2")
	x.untilShows("✓ succeeded")
	before := x.quiet(700 * time.Millisecond)
	const moves = 30
	worst, total := 0, 0
	for range moves {
		n := x.after(keyDown)
		worst, total = max(worst, n-before), total+n-before
		before = n
	}
	t.Logf("cursor key: %d bytes at most, %d on average", worst, total/moves)
	if total/moves > 300 {
		t.Errorf("a cursor key costs %d bytes on average", total/moves)
	}
	before = x.quiet(700 * time.Millisecond)
	time.Sleep(3 * time.Second)
	x.mu.Lock()
	idle := (x.raw.Len() - before) / 3
	x.mu.Unlock()
	t.Logf("idle: %d bytes a second; first frame after %v", idle, x.first)
	if idle > 200 {
		t.Errorf("%d bytes a second while nothing happens", idle)
	}
}

func TestSuspendingNeedsAShell(t *testing.T) {
	tuitest.New(t)
	x := openTerminal(t, "xterm-256color", 80, 24)
	x.untilShows("nuclei-segmentation")
	x.press("\x1a")
	x.untilShows("no shell started")
	x.press("2")
	x.untilShows("by:me")
}
