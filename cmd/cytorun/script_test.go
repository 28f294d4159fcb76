package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// TestMain lets this test program be cytorun itself: for the scripts, and for
// the processes that cytorun starts from its own file.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		os.Exit(Main(os.Args[1:]))
	}
	testscript.Main(m, map[string]func(){"cytorun": main})
}

// TestSessions runs the scripts: each reads like a session of one person on a
// box of their own, with real servers and real processes.
func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		Setup:              newBox,
		Condition:          condition,
		Cmds:               commands,
		RequireUniqueNames: true,
	})
}

// newBox gives a script a home of its own, and tidies up behind it.
func newBox(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	for name, value := range map[string]string{
		"HOME":            home,
		"CYTORUN_LEASES":  filepath.Join(e.WorkDir, "leases"),
		"XDG_CONFIG_HOME": filepath.Join(home, ".config"),
		"XDG_DATA_HOME":   filepath.Join(home, ".local", "share"),
		"XDG_STATE_HOME":  filepath.Join(home, ".local", "state"),
		"XDG_CACHE_HOME":  filepath.Join(home, ".cache"),
		"TERM":            "xterm-256color",
		"RUNS":            filepath.Join(home, ".local", "state", "cytorun", "runs"),
	} {
		e.Setenv(name, value)
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	e.Values[demoKey] = new(func())
	e.Defer(func() { leave(home) })
	return nil
}

// leave ends what a script left behind: the detached server of the demo, and
// supervisors that still report.
func leave(home string) {
	data, err := os.ReadFile(filepath.Join(home, ".local", "share", "cytorun", "demo", "connection.json"))
	var server struct {
		PID int `json:"pid"`
	}
	if err == nil && json.Unmarshal(data, &server) == nil && server.PID > 1 {
		_ = syscall.Kill(server.PID, syscall.SIGTERM)
	}
	folders, _ := filepath.Glob(filepath.Join(home, ".local", "state", "cytorun", "runs", "*"))
	for _, folder := range folders {
		if run, err := runner.ReadFolder(folder); err == nil && !run.State.Ended() {
			_ = runner.RequestCancel(folder, "the test")
		}
	}
	for _, folder := range folders {
		_ = within(10*time.Second, func() error {
			if run, err := runner.ReadFolder(folder); err == nil && !run.State.Ended() {
				return errors.New("it lives")
			}
			return nil
		})
		endSupervisor(folder)
	}
}

// endSupervisor ends the process that still looks after a run, if any: one that
// waits for a server which is gone.
func endSupervisor(folder string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		line, err := os.ReadFile(f)
		words := strings.Split(string(line), "\x00")
		if err != nil || len(words) < 3 || words[1] != "supervise" || !slices.Contains(words, folder) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(f, "/proc/%d/", &pid); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// condition knows [apptainer]: containers can be run here.
func condition(name string) (bool, error) {
	if name == "apptainer" {
		_, err := apptainer.Find()
		return err == nil, nil
	}
	return false, fmt.Errorf("no condition %q", name)
}

// within tries until it works or the time is over.
func within(limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
