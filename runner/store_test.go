package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t testing.TB) *Store {
	t.Helper()
	t.Setenv("CYTORUN_LEASES", t.TempDir())
	s, err := OpenStore(filepath.Join(t.TempDir(), "runs"))
	must(t, err)
	return s
}

// example is a spec with everything in it.
func example() Spec {
	return Spec{
		Created: time.Date(2026, 11, 20, 14, 32, 5, 0, time.UTC),
		Server:  ServerRef{Kind: client.Cytomine, URL: "https://lab.example", Profile: "lab"},
		Project: ProjectRef{ID: 42, Name: "Nuclei", Ontology: 7},
		Algorithm: AlgorithmSpec{ID: 9, Name: "Nuclei", Version: "1.2", Container: "lab/nuclei:1.2", CommandLine: "run.py [T]",
			Parameters: []ParameterSpec{{ServerID: 101, Parameter: descriptor.Parameter{ID: "t", Type: descriptor.Number, ValueKey: "[T]"}}}},
		Values:  []client.Value{{Parameter: "t", Text: "12", Origin: client.FromUser}},
		Runtime: Apptainer, Resources: Resources{GPUs: 1, TimeLimit: time.Hour}, Note: "first try", Person: "ann", User: "ann", Cytorun: "1",
	}
}

func create(t testing.TB, s *Store, spec Spec) Run {
	t.Helper()
	run, err := s.Create(spec)
	must(t, err)
	return run
}

func TestCreateWritesAQueuedRun(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	if !regexp.MustCompile(`^20261120-143205-[a-z2-7]{4}$`).MatchString(run.ID) {
		t.Errorf("id %q", run.ID)
	}
	if run.State != Queued || run.Host != Host() || run.Boot != BootID() || run.ForeignHost {
		t.Errorf("run %+v", run)
	}
	again, err := s.Get(run.ID)
	must(t, err)
	a, _ := json.Marshal(run.Spec)
	b, _ := json.Marshal(again.Spec)
	if string(a) != string(b) || again.Values[0].Text != "12" || again.Algorithm.Parameters[0].ValueKey != "[T]" {
		t.Errorf("read back as %s", b)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, SpecFile: 0o600, EventsFile: 0o600, SummaryFile: 0o600} {
		st, err := os.Stat(filepath.Join(run.Folder, name))
		must(t, err)
		if st.Mode().Perm() != mode {
			t.Errorf("%q has mode %v", name, st.Mode())
		}
	}
	var spec map[string]any
	b, err = os.ReadFile(filepath.Join(run.Folder, SpecFile))
	must(t, err)
	must(t, json.Unmarshal(b, &spec))
	if spec["schema"] != 1.0 {
		t.Errorf("schema %v", spec["schema"])
	}
}

func TestAnIDIsGivenOnce(t *testing.T) {
	s := openStore(t)
	spec := example()
	spec.ID = "20261120-143205-aaaa"
	create(t, s, spec)
	if _, err := s.Create(spec); !errors.Is(err, client.ErrConflict) {
		t.Errorf("second: %v", err)
	}
	for _, bad := range []string{"../x", "a/b", ".hidden"} {
		spec.ID = bad
		if _, err := s.Create(spec); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	// Many at once, of the same second.
	spec.ID = ""
	ids := make(chan string, 64)
	for range cap(ids) {
		go func() {
			run, err := s.Create(spec)
			if err != nil {
				t.Error(err)
			}
			ids <- run.ID
		}()
	}
	seen := map[string]bool{}
	for range cap(ids) {
		seen[<-ids] = true
	}
	if len(seen) != cap(ids) {
		t.Errorf("%d different ids of %d", len(seen), cap(ids))
	}
}

func TestFindTakesAnyUniquePart(t *testing.T) {
	s := openStore(t)
	for _, id := range []string{"20261120-143205-aaaa", "20261120-143205-aabb", "20261121-090000-cccc"} {
		spec := example()
		spec.ID = id
		create(t, s, spec)
	}
	for part, want := range map[string]string{
		"cccc": "20261121-090000-cccc", "1121": "20261121-090000-cccc", "abb": "20261120-143205-aabb", "20261120-143205-aaaa": "20261120-143205-aaaa",
	} {
		run, err := s.Find(part)
		if err != nil || run.ID != want {
			t.Errorf("%q finds %q, %v", part, run.ID, err)
		}
	}
	_, err := s.Find("143205")
	var ambiguous *AmbiguousError
	if !errors.As(err, &ambiguous) || len(ambiguous.IDs) != 2 || !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), "aabb") {
		t.Errorf("ambiguous: %v", err)
	}
	for _, part := range []string{"", "zzzz", "../..", "/"} {
		if _, err := s.Find(part); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%q: %v", part, err)
		}
		if _, err := s.Get(part); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("get %q: %v", part, err)
		}
	}
}

func TestListShowsEveryFolderNewestFirst(t *testing.T) {
	s := openStore(t)
	for i, id := range []string{"20261120-100000-aaaa", "20261120-100001-bbbb", "20261120-100002-cccc", "20261120-100003-dddd"} {
		spec := example()
		spec.ID, spec.Created = id, spec.Created.Add(time.Duration(i)*time.Second)
		create(t, s, spec)
	}
	dir := func(n string) string { return filepath.Join(s.Dir(), n) }
	// Torn, newer, foreign, garbage.
	must(t, os.WriteFile(filepath.Join(dir("20261120-100000-aaaa"), SpecFile), []byte(`{"schema":1,"id":`), 0o600))
	must(t, os.Remove(filepath.Join(dir("20261120-100000-aaaa"), SummaryFile)))
	replace(t, filepath.Join(dir("20261120-100001-bbbb"), SpecFile), `"schema": 1`, `"schema": 9, "future": {"x": []}`)
	must(t, os.Remove(filepath.Join(dir("20261120-100001-bbbb"), SummaryFile)))
	replace(t, filepath.Join(dir("20261120-100002-cccc"), SpecFile), `"host": "`+Host(), `"host": "elsewhere`)
	must(t, os.Remove(filepath.Join(dir("20261120-100002-cccc"), SummaryFile)))
	must(t, os.WriteFile(dir("a file"), nil, 0o600))
	must(t, os.Mkdir(dir("just-being-made"), 0o700))
	must(t, os.Mkdir(dir(".deleted-x"), 0o700))
	must(t, os.Mkdir(dir("old-rubbish"), 0o700))
	must(t, os.Chtimes(dir("old-rubbish"), time.Now(), time.Now().Add(-time.Hour)))

	runs, err := s.List()
	must(t, err)
	byID := map[string]Run{}
	var order []string
	for _, r := range runs {
		byID[r.ID] = r
		order = append(order, r.ID)
	}
	if len(runs) != 5 {
		t.Fatalf("listed %v", order)
	}
	if d := byID["20261120-100003-dddd"]; d.State != Queued || d.Problem != nil || d.Project.Name != "Nuclei" || d.Note != "first try" {
		t.Errorf("good run: %+v", d)
	}
	if r := byID["20261120-100000-aaaa"]; r.Problem == nil || r.State != Lost {
		t.Errorf("torn: %+v", r)
	}
	if r := byID["20261120-100001-bbbb"]; !errors.Is(r.Problem, ErrNewerSchema) || r.Algorithm.Name != "Nuclei" {
		t.Errorf("newer: %+v", r)
	}
	if r := byID["20261120-100002-cccc"]; !r.ForeignHost || r.Problem != nil {
		t.Errorf("foreign: %+v", r)
	}
	if r := byID["old-rubbish"]; r.Problem == nil {
		t.Errorf("rubbish: %+v", r)
	}
	good := slices.DeleteFunc(order, func(id string) bool { return !strings.HasPrefix(id, "20261120-10000") || strings.HasSuffix(id, "aaaa") })
	if !slices.IsSortedFunc(good, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("order %v", good)
	}
}

func replace(t testing.TB, path, from, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if !strings.Contains(string(b), from) {
		t.Fatalf("%s has no %q", path, from)
	}
	must(t, os.WriteFile(path, []byte(strings.Replace(string(b), from, to, 1)), 0o600))
}

// through takes a run through states.
func through(t testing.TB, run Run, states ...State) Run {
	t.Helper()
	j, err := OpenJournal(run.Folder)
	must(t, err)
	defer j.Close()
	for _, s := range states {
		if s.Ended() {
			must(t, j.Finish(Result{State: s, Ended: time.Now(), Confirmed: true, Annotations: 3, Exit: &Exit{MaxRSS: 1 << 20}}))
		}
		must(t, j.Append(Event{State: s, Reason: "because"}))
	}
	return j.Run()
}

func TestAListNeverShowsAStaleSummary(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	old, err := os.ReadFile(filepath.Join(run.Folder, SummaryFile))
	must(t, err)
	through(t, run, Preparing, Running)
	for what, data := range map[string][]byte{"older": old, "empty": nil, "torn": old[:len(old)/2]} {
		must(t, os.WriteFile(filepath.Join(run.Folder, SummaryFile), data, 0o600))
		runs, err := s.List()
		must(t, err)
		if runs[0].State != Running {
			t.Errorf("%s summary: listed as %s", what, runs[0].State)
		}
	}
	through(t, run, Succeeded)
	for range 2 { // read, then remembered
		runs, err := s.List()
		must(t, err)
		if r := runs[0]; r.State != Succeeded || r.Result == nil || r.Result.Annotations != 3 || r.Result.Exit.MaxRSS != 1<<20 || r.Progress != 100 {
			t.Errorf("listed as %+v", r)
		}
	}
	must(t, s.Delete(run.ID))
	if runs, err := s.List(); err != nil || len(runs) != 0 {
		t.Errorf("listed after deletion: %v %v", runs, err)
	}
}

func TestOnlyEndedRunsOfThisBoxAreDeleted(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	if err := s.Delete(run.ID); err == nil || !strings.Contains(err.Error(), "cancel it first") {
		t.Errorf("queued: %v", err)
	}
	through(t, run, Cancelled)
	lock, err := TakeLock(filepath.Join(run.Folder, LockFile))
	must(t, err)
	if err := s.Delete(run.ID); err == nil {
		t.Error("deleted under a supervisor")
	}
	must(t, lock.Close())
	// Programs leave folders that nobody may write.
	sealed := filepath.Join(run.Folder, WorkDir, "home", "sealed")
	must(t, os.MkdirAll(filepath.Join(sealed, "x"), 0o700))
	must(t, os.Chmod(sealed, 0o500))
	must(t, s.Delete(run.ID))
	if left, err := os.ReadDir(s.Dir()); err != nil || len(left) != 0 {
		t.Errorf("left %v %v", left, err)
	}
	if err := s.Delete(run.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	spec := example()
	spec.Host = "elsewhere"
	foreign := create(t, s, spec)
	if err := s.Delete(foreign.ID); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("foreign: %v", err)
	}
}

func TestAReadOnlyStateFolderIsAClearError(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o555))
	if os.Geteuid() == 0 {
		// Root may write everywhere, unless this thread is somebody else.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		must(t, unix.Setfsuid(65534))
		defer unix.Setfsuid(0)
	}
	_, err := OpenStore(filepath.Join(dir, "runs"))
	if err == nil || !strings.Contains(err.Error(), "[paths] state") {
		t.Errorf("got %v", err)
	}
}

func TestACopiedFolderCanBeRead(t *testing.T) {
	s := openStore(t)
	run := through(t, create(t, s, example()), Preparing, Running, Succeeded)
	copied := filepath.Join(t.TempDir(), "from-elsewhere")
	must(t, os.CopyFS(copied, os.DirFS(run.Folder)))
	replace(t, filepath.Join(copied, SpecFile), `"host": "`+Host(), `"host": "elsewhere`)
	got, err := ReadFolder(copied)
	must(t, err)
	if got.ID != run.ID || got.State != Succeeded || !got.ForeignHost || got.Values[0].Text != "12" || got.Result.Annotations != 3 {
		t.Errorf("read as %+v", got)
	}
	if _, err := ReadFolder(t.TempDir()); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("an empty folder: %v", err)
	}
}

func BenchmarkCreate(b *testing.B) {
	s := openStore(b)
	var took []time.Duration
	for range 100 {
		began := time.Now()
		create(b, s, example())
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	bench.Report(b, "run/enter-to-queued-on-disk", took[len(took)/2].Seconds()*1e3, "ms", 10, true)
}

func BenchmarkList10000(b *testing.B) {
	s := openStore(b)
	const n = 10000
	for i := range n {
		spec := example()
		spec.ID = fmt.Sprintf("20261120-%06d-aaaa", i)
		folder := filepath.Join(s.Dir(), spec.ID)
		must(b, os.Mkdir(folder, 0o700))
		run := Run{Spec: spec, Folder: folder, State: Succeeded, Job: 5, Started: spec.Created, Ended: spec.Created.Add(time.Hour), Boot: BootID(),
			Heartbeat: spec.Created, Result: &Result{Confirmed: true, Annotations: 500, Exit: &Exit{MaxRSS: 1 << 30}}}
		run.Host = Host()
		if i%100 == 0 {
			run.Result.Confirmed = false // some are still read in full
			must(b, fill(folder, run.Spec))
		}
		must(b, writeSummary(run, 0))
	}
	var took []time.Duration
	for range 9 {
		// Each command is a new process: nothing is remembered.
		s.final = map[string]Run{}
		began := time.Now()
		runs, err := s.List()
		took = append(took, time.Since(began))
		if err != nil || len(runs) != n {
			b.Fatal(len(runs), err)
		}
	}
	slices.Sort(took)
	bench.Report(b, "run/list-10000", took[len(took)/2].Seconds()*1e3, "ms", 150, true)
}
