package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRemoveBelow(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	for _, d := range []string{outside, filepath.Join(dir, "gone", "locked", "deep")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"gone/link", "gone/locked/deep/link", "link"} {
		if err := os.Symlink(outside, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "gone", "locked"), 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "gone/link", "../x", "/"} {
		if err := RemoveBelow(dir, name); err == nil {
			t.Errorf("%q was removed", name)
		}
	}
	for _, name := range []string{"gone", "link", "never was there"} {
		if err := RemoveBelow(dir, name); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	if _, err := os.Stat(filepath.Join(outside, "kept")); err != nil {
		t.Error("a link was followed:", err)
	}
}

// Root may enter every folder, so what a program left locked is tried as an
// ordinary user too.
func TestRemoveBelowAsAnOrdinaryUser(t *testing.T) {
	setpriv, err := exec.LookPath("setpriv")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("needs root and setpriv to become an ordinary user; the test above ran as one or not at all")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "prune")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	tests := filepath.Join(dir, "tests")
	if err := os.WriteFile(tests, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", tests, "-test.run", "^TestRemoveBelow$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{"TMPDIR=" + dir, "HOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestRemoveBelow") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestIDs(t *testing.T) {
	for name, want := range map[string]bool{
		"20261120-143205-k7qd": true, "20261120-143205-k7q1": false, "20261120-143205-k7qd2": false, "data": false, "": false, "../20261120-143205-k7qd": false,
	} {
		if IsID(name) != want {
			t.Errorf("IsID(%q) = %t", name, !want)
		}
	}
}

func TestDeleteWorkKeepsTheRun(t *testing.T) {
	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run, err := store.Create(Spec{})
	if err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	work := filepath.Join(run.Folder, WorkDir)
	if err := os.Symlink(outside, work); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteWork(run.ID, ""); err == nil {
		t.Error("the work folder of a queued run was deleted")
	}
	j, err := OpenJournal(run.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(Event{State: Cancelled}); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
	if err := store.DeleteWork(run.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(work); err != nil {
		t.Error("a link in place of a work folder is not ours to delete")
	}
	if err := os.Remove(work); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(work, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteWork(run.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(work); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	if now, err := store.Get(run.ID); err != nil || now.State != Cancelled {
		t.Errorf("%+v, %v", now, err)
	}
}
