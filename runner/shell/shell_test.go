package shell

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// TestMain lets the test binary stand in for both ends.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "hold":
			if d, err := time.ParseDuration(os.Getenv("TEST_PATIENCE")); err == nil {
				patience = d
			}
			os.Exit(Hold(os.Args[2:]))
		case "attach":
			a, err := Attach(os.Args[2])
			for end := time.Now().Add(20 * time.Second); errors.Is(err, ErrNotYet) && time.Now().Before(end); a, err = Attach(os.Args[2]) {
				time.Sleep(5 * time.Millisecond)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(99)
			}
			code, ended, err := a.Run(os.Args[3:])
			fmt.Println(code, ended, err)
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("does not come: ", what)
		}
	}
}

// holding is a running `hold`.
type holding struct {
	folder string
	cmd    *exec.Cmd
	said   bytes.Buffer
	ended  chan error
}

func holdShell(t *testing.T, p Plan, env ...string) *holding {
	t.Helper()
	folder := filepath.Join(t.TempDir(), fmt.Sprintf("run-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-")))
	data, err := json.Marshal(p)
	must(t, err)
	h := &holding{folder: folder, cmd: exec.Command(os.Args[0], "hold", folder), ended: make(chan error, 1)}
	h.cmd.Env = append(append(os.Environ(), Variable+"="+string(data)), env...)
	h.cmd.Stdout, h.cmd.Stderr = &h.said, &h.said
	must(t, h.cmd.Start())
	t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	go func() { h.ended <- h.cmd.Wait() }()
	return h
}

func (h *holding) attach(t *testing.T) *Attached {
	t.Helper()
	var a *Attached
	within(t, "the shell", func() bool {
		var err error
		if a, err = Attach(h.folder); err != nil && !errors.Is(err, ErrNotYet) {
			t.Fatal(err)
		}
		return err == nil
	})
	return a
}

func (h *holding) wait(t *testing.T) (said string, err error) {
	t.Helper()
	select {
	case err := <-h.ended:
		return h.said.String(), err
	case <-time.After(30 * time.Second):
		t.Fatal("hold does not end")
		return "", nil
	}
}

// sleeper prints its pid into a file and sleeps.
func sleeper(t *testing.T) (words []string, pid func() int) {
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv("PIDFILE", file)
	return []string{"sh", "-c", "echo $$ >" + file + ".new; mv " + file + ".new " + file + "; exec sleep 3600"}, func() int {
		n := 0
		within(t, "a pid", func() bool {
			b, _ := os.ReadFile(file)
			n, _ = strconv.Atoi(strings.TrimSpace(string(b)))
			return n > 0
		})
		return n
	}
}

func gone(pid int) bool {
	p, err := runner.ReadProc(pid)
	return err != nil || p.Dead()
}

func TestTheExitCodeOfTheShellPassesThrough(t *testing.T) {
	for _, code := range []int{0, 3, 143} {
		h := holdShell(t, Plan{Program: []string{"sh"}, Env: os.Environ(), Dir: t.TempDir()})
		got, ended, err := h.attach(t).Run([]string{"sh", "-c", fmt.Sprintf("exit %d", code)})
		if got != code || ended || err != nil {
			t.Errorf("%d: %d, %v, %v", code, got, ended, err)
		}
		if said, err := h.wait(t); err != nil || !strings.Contains(said, fmt.Sprintf("shell ended with exit code %d", code)) {
			t.Errorf("hold: %v, %s", err, said)
		}
	}
}

func TestWhatTheShellLeavesInTheBackgroundEnds(t *testing.T) {
	words, pid := sleeper(t)
	h := holdShell(t, Plan{Program: []string{"sh"}, Env: os.Environ(), Dir: t.TempDir()})
	a := h.attach(t)
	a.Plan.Env = append(os.Environ(), Mark+"="+filepath.Base(h.folder))
	if _, _, err := a.Run([]string{"sh", "-c", "setsid " + words[0] + " -c '" + words[2] + "' & while [ ! -e $PIDFILE ]; do sleep 0.01; done; exit 0"}); err != nil {
		t.Fatal(err)
	}
	if said, err := h.wait(t); err != nil {
		t.Error(err, said)
	}
	within(t, "the end of what was left", func() bool { return gone(pid()) })
}

func TestAKilledTerminalEndsTheShell(t *testing.T) {
	h := holdShell(t, Plan{Program: []string{"sh"}, Env: os.Environ(), Dir: t.TempDir()})
	words, pid := sleeper(t)
	cmd := exec.Command(os.Args[0], append([]string{"attach", h.folder}, words...)...)
	must(t, cmd.Start())
	inside := pid()
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if said, err := h.wait(t); err != nil || !strings.Contains(said, "the terminal went away") {
		t.Errorf("hold: %v, %s", err, said)
	}
	within(t, "the end of the shell", func() bool { return gone(inside) })
}

func TestAKilledRunEndsTheShell(t *testing.T) {
	h := holdShell(t, Plan{Program: []string{"sh"}, Env: os.Environ(), Dir: t.TempDir()})
	a := h.attach(t)
	words, pid := sleeper(t)
	go func() { pid(); _ = h.cmd.Process.Kill() }()
	code, ended, err := a.Run(words)
	if !ended || err != nil || code != 137 {
		t.Errorf("%d, %v, %v", code, ended, err)
	}
}

func TestNobodyWaitsForATerminalThatIsGone(t *testing.T) {
	h := holdShell(t, Plan{Program: []string{"sh"}}, "TEST_PATIENCE=50ms")
	if said, err := h.wait(t); err == nil || !strings.Contains(said, "nobody came to open the shell") {
		t.Errorf("%v, %s", err, said)
	}
	if _, err := Attach(h.folder); !errors.Is(err, ErrNotYet) {
		t.Errorf("attached to nothing: %v", err)
	}
}

// What comes of such a run is for the run to say: its state tells whether it was
// cancelled.
func TestAShellThatEndsBeforeItIsOpenedIsNotReady(t *testing.T) {
	folder := filepath.Join(t.TempDir(), fmt.Sprintf("run-%d-ended", os.Getpid()))
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: address(folder), Net: "unix"})
	must(t, err)
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			_ = c.Close()
		}
	}()
	if _, err := Attach(folder); !errors.Is(err, ErrNotYet) {
		t.Errorf("%v", err)
	}
}
