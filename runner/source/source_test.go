package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/runner"
)

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repository is a new one with a commit of run.py and an ignored file.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	dir := t.TempDir()
	write(t, dir, "run.py", "print(1)\n")
	write(t, dir, ".gitignore", "*.pyc\n")
	for _, words := range []string{"init -q -b main", "add .", "commit -q -m first"} {
		do(t, dir, strings.Fields(words)...)
	}
	return dir
}

func do(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e@example.org"}, words...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", words, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestCommitAndBranchOfARepositoryAreKnown(t *testing.T) {
	dir := repository(t)
	s := Look(t.Context(), dir)
	if s.Commit != do(t, dir, "rev-parse", "HEAD") || s.Branch != "main" || s.Dirty != 0 || s.Problem != "" || s.Files == "" {
		t.Errorf("%+v", s)
	}
	if want := "commit " + s.Commit[:12] + " on main"; s.String() != want {
		t.Errorf("%q, want %q", s.String(), want)
	}
	do(t, dir, "checkout", "-q", "--detach")
	if s := Look(t.Context(), dir); s.Branch != "" || s.Commit == "" {
		t.Errorf("detached: %+v", s)
	}
}

func TestChangesAreCountedAndIgnoredFilesAreNot(t *testing.T) {
	dir := repository(t)
	clean := Look(t.Context(), dir)
	write(t, dir, "run.py", "print(2)\n")
	write(t, dir, "new/a b.py", "")
	write(t, dir, "x.pyc", "made")
	s := Look(t.Context(), dir)
	if s.Dirty != 2 || s.Files == clean.Files || !strings.Contains(s.String(), "2 files changed, files ") {
		t.Errorf("%+v: %s", s, s)
	}
	// The same code has the same checksum once it is committed.
	do(t, dir, "add", ".")
	do(t, dir, "commit", "-q", "-m", "second")
	if now := Look(t.Context(), dir); now.Dirty != 0 || now.Files != s.Files || now.Commit == clean.Commit {
		t.Errorf("after the commit: %+v, before: %+v", now, s)
	}
}

func TestPartsOfARepositoryAreLookedAtAlone(t *testing.T) {
	dir := repository(t)
	write(t, dir, "src/a.py", "a")
	file := Look(t.Context(), filepath.Join(dir, "run.py"))
	if file.Dirty != 0 || file.Commit == "" {
		t.Errorf("a file that did not change: %+v", file)
	}
	if s := Look(t.Context(), filepath.Join(dir, "src")); s.Dirty != 1 {
		t.Errorf("a folder with a new file: %+v", s)
	}
}

func TestFoldersThatGitDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "run.py", "a")
	one := Look(t.Context(), dir)
	if one.Problem != NoRepository || one.Files == "" {
		t.Errorf("%+v", one)
	}
	write(t, dir, "__pycache__/run.pyc", "made")
	if again := Look(t.Context(), dir); again.Files != one.Files {
		t.Error("what Python makes changes the checksum")
	}
	write(t, dir, "run.py", "b")
	if again := Look(t.Context(), dir); again.Files == one.Files {
		t.Error("other code has the same checksum")
	}
	empty := t.TempDir()
	do(t, empty, "init", "-q")
	if s := Look(t.Context(), empty); s.Problem != noCommit || s.Commit != "" {
		t.Errorf("without a commit: %+v", s)
	}
	t.Setenv("PATH", t.TempDir())
	if s := Look(t.Context(), dir); s.Problem != NoGit || s.Files == "" {
		t.Errorf("without git: %+v", s)
	}
	if s := Look(t.Context(), filepath.Join(dir, "gone")); !strings.HasPrefix(s.Problem, "cannot be read: ") {
		t.Errorf("gone: %+v", s)
	}
}

func TestRepositoriesCannotMakeUsStartThings(t *testing.T) {
	dir := repository(t)
	mark := filepath.Join(t.TempDir(), "started")
	do(t, dir, "config", "core.fsmonitor", "touch "+mark+"; false")
	Look(t.Context(), dir)
	if _, err := os.Stat(mark); err == nil {
		t.Error("looking at a repository started its program")
	}
}

func TestMuchDataIsLeftOut(t *testing.T) {
	dir := repository(t)
	f, err := os.Create(filepath.Join(dir, "weights.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(mostData + 1); err != nil {
		t.Fatal(err)
	}
	var s runner.Source = Look(t.Context(), dir)
	if s.Files != "" || s.Dirty != 1 || s.Commit == "" {
		t.Errorf("%+v", s)
	}
}
