package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// TestFullDisk runs itself once more where it may mount a small file system.
func TestFullDisk(t *testing.T) {
	if os.Getenv("CYTORUN_TEST_MOUNT") != "" {
		onAFullDisk(t)
		return
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("needs unshare (util-linux)")
	}
	if out, err := exec.Command(unshare, "-Urm", "true").CombinedOutput(); err != nil {
		t.Skipf("user namespaces are closed here: %v %s", err, out)
	}
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(unshare, "-Urm", self, "-test.run", "^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "CYTORUN_TEST_MOUNT=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
		t.Errorf("%v\n%s", err, out)
	}
}

func onAFullDisk(t *testing.T) {
	s := newSite(t)
	must(t, syscall.Mount("tmpfs", s.store.Dir(), "tmpfs", 0, "size=2m"))
	t.Cleanup(func() { _ = syscall.Unmount(s.store.Dir(), syscall.MNT_DETACH) })
	ballast := filepath.Join(s.store.Dir(), ".ballast")

	words, end := until(t)
	run, started := s.running(s.launch(words))
	fill(t, ballast)
	end("3")
	within(t, "the program ends", func() bool { return !alive(started.PID) })
	// Its keeper holds the exit code until it can be written.
	stays(t, "kept", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		return alive(started.Keep) && locked(t, filepath.Join(run.Folder, runner.AliveFile)) && err == nil && now.State == runner.Running
	})
	// A launch says what is wrong and leaves nothing.
	if _, err := s.store.Create(s.spec("ok")); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free space") {
		t.Errorf("launch on a full disk: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(s.store.Dir(), "2*")); len(names) != 1 {
		t.Errorf("folders %v", names)
	}
	must(t, os.Remove(ballast))
	run = s.ended(run, runner.Failed)
	if run.Result.Exit.Code != 3 || !run.Result.Confirmed {
		t.Errorf("result %+v", run.Result)
	}
	if job := s.job(); job.status != 4 {
		t.Errorf("server has %+v", job)
	}

	// A disk that fills between the exit and the verdict.
	words, end = until(t)
	run, _ = s.running(s.launch(words))
	super := s.supervisor(run)
	must(t, syscall.Kill(super, syscall.SIGSTOP))
	end("0")
	within(t, "exit.json", func() bool { _, ok := runner.ReadExit(run.Folder); return ok })
	fill(t, ballast)
	must(t, syscall.Kill(super, syscall.SIGCONT))
	stays(t, "running", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		return err == nil && now.State == runner.Running
	})
	must(t, os.Remove(ballast))
	s.ended(run, runner.Succeeded)
}

// stays watches for a while that something does not change.
func stays(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(300 * time.Millisecond); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if !f() {
			t.Fatal("not any more: ", what)
		}
	}
}

// fill takes all the room of a file system, also what is given back for a while
// by files that were being replaced when it began.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	for quiet := time.Now(); time.Since(quiet) < 300*time.Millisecond; time.Sleep(5 * time.Millisecond) {
		for _, size := range []int{64 << 10, 512, 1} {
			block := make([]byte, size)
			for {
				n, err := f.Write(block)
				if n > 0 {
					quiet = time.Now()
				}
				if errors.Is(err, syscall.ENOSPC) {
					break
				}
				must(t, err)
			}
		}
	}
}

func TestAReadOnlyStateFolderStartsNothing(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; see TestRealAsAnOrdinaryUser")
	}
	s := newSite(t)
	run := s.create(s.spec("ok"))
	must(t, os.Chmod(run.Folder, 0o500))
	defer os.Chmod(run.Folder, 0o700)
	err := Start(run.Folder, s.exe, client.Keys{})
	if err == nil {
		t.Error("started")
	}
}
