package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// yard is a box with runs of all kinds, by name.
type yard struct {
	*site
	runs map[string]runner.Run
}

// ended changes a run on disk, as if it had ended so long ago.
func (y *yard) add(name string, state runner.State, age time.Duration, change func(*runner.Spec, *runner.Result)) {
	y.t.Helper()
	spec := y.spec(LaunchRequest{Algorithm: client.Algorithm{Name: "Nuclei"}, Runtime: runner.Apptainer})
	at := time.Now().Add(-age)
	spec.Created = at.Add(-time.Minute)
	result := runner.Result{State: state, Ended: at, Confirmed: true}
	if change != nil {
		change(&spec, &result)
	}
	run, err := y.env.Store.Create(spec)
	must(y.t, err)
	if j, err := runner.OpenJournal(run.Folder); err == nil {
		for _, next := range []runner.State{runner.Preparing, runner.Running, state} {
			if next.Ended() {
				must(y.t, j.Finish(result))
			}
			must(y.t, j.Append(runner.Event{State: next, Time: at}))
			if next == state {
				break
			}
		}
		must(y.t, j.Close())
	}
	home := filepath.Join(run.Folder, runner.WorkDir, "home")
	must(y.t, os.MkdirAll(home, 0o700))
	must(y.t, os.WriteFile(filepath.Join(home, "weights"), make([]byte, 100_000), 0o600))
	y.runs[name] = run
}

const day = 24 * time.Hour

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{newSite(t), map[string]runner.Run{}}
	y.add("old", runner.Succeeded, 40*day, nil)
	y.add("old failed", runner.Failed, 40*day, nil)
	y.add("old lost", runner.Lost, 40*day, nil)
	y.add("old noted", runner.Succeeded, 40*day, func(s *runner.Spec, _ *runner.Result) { s.Note = "for the paper" })
	y.add("old starred", runner.Succeeded, 40*day, nil)
	y.add("old unreported", runner.Succeeded, 40*day, func(_ *runner.Spec, r *runner.Result) { r.Confirmed = false })
	y.add("old elsewhere", runner.Succeeded, 40*day, func(s *runner.Spec, _ *runner.Result) { s.Host = "another-box" })
	y.add("old running", runner.Running, 40*day, nil)
	y.add("week", runner.Succeeded, 8*day, nil)
	y.add("cancelled", runner.Cancelled, time.Hour, nil)
	y.add("new", runner.Succeeded, time.Minute, nil)
	starred := y.runs["old starred"]
	_, err := y.Mark([]Analysis{{Run: &starred}}, func(m *Mark) { m.Star = true })
	must(t, err)
	return y
}

// names says what a plan would do, as "KIND NAME", sorted.
func (y *yard) names(items []PruneItem) string {
	var out []string
	for _, item := range items {
		name := strings.Join(item.Paths, " ")
		for n, r := range y.runs {
			if r.ID == item.Run.ID {
				name = n
			}
		}
		out = append(out, item.Kind+" "+name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestWhatIsPruned(t *testing.T) {
	y := newYard(t)
	for name, c := range map[string]struct {
		o    PruneOptions
		want string
	}{
		"by itself":                {PruneOptions{OlderThan: -1}, "run old, work cancelled, work new, work week"},
		"only work":                {PruneOptions{OlderThan: -1, WorkOnly: true}, "work cancelled, work new, work old, work week"},
		"an age counts for both":   {PruneOptions{OlderThan: 7 * day}, "run old, run week"},
		"the newest stay":          {PruneOptions{OlderThan: -1, Keep: 3}, "run old"},
		"everything that is over":  {PruneOptions{OlderThan: 0, All: true}, "run cancelled, run new, run old, run old failed, run old lost, run week"},
		"failed ones when old too": {PruneOptions{OlderThan: -1, All: true}, "run old, run old failed, run old lost, work cancelled, work new, work week"},
		"nothing is so old":        {PruneOptions{OlderThan: 365 * day}, ""},
	} {
		items, err := y.env.PrunePlan(tctx, c.o)
		must(t, err)
		if got := y.names(items); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for _, item := range items {
			if item.Bytes < 100_000 || item.Bytes > 300_000 {
				t.Errorf("%s: a %s of %d bytes", name, item.Kind, item.Bytes)
			}
		}
	}
	items, err := y.env.PrunePlan(tctx, PruneOptions{OlderThan: -1})
	must(t, err)
	deleted, err := y.env.Prune(tctx, items)
	if len(deleted) != len(items) || err != nil {
		t.Fatalf("%d of %d deleted, %v", len(deleted), len(items), err)
	}
	for n, r := range y.runs {
		_, run := os.Stat(filepath.Join(r.Folder, runner.SpecFile))
		_, work := os.Stat(filepath.Join(r.Folder, runner.WorkDir))
		cleared := slices.Contains([]string{"old", "cancelled", "new", "week"}, n)
		if (run != nil) != (n == "old") || (work != nil) != cleared {
			t.Errorf("%s: run %v, work %v", n, run, work)
		}
	}
}

func TestWhatLivesAgainOrWasStarredMeanwhileStays(t *testing.T) {
	y := newYard(t)
	items, err := y.env.PrunePlan(tctx, PruneOptions{OlderThan: 0})
	must(t, err)
	starred, reporting := y.runs["old"], y.runs["week"]
	_, err = y.Mark([]Analysis{{Run: &starred}}, func(m *Mark) { m.Star = true })
	must(t, err)
	lock, err := runner.TakeLock(filepath.Join(reporting.Folder, runner.LockFile))
	must(t, err)
	defer lock.Close()
	deleted, err := y.env.Prune(tctx, items)
	if got := y.names(deleted); got != "run cancelled, run new" || err == nil || !strings.Contains(err.Error(), "still being reported") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnreadableMarksStopThePruning(t *testing.T) {
	y := newYard(t)
	must(t, os.WriteFile(filepath.Join(y.env.Paths.State, "marks.json"), []byte("{"), 0o600))
	if items, err := y.env.PrunePlan(tctx, PruneOptions{OlderThan: 0, All: true}); len(items) != 0 || err == nil {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestWorkFoldersElsewhere(t *testing.T) {
	y := &yard{newSite(t), map[string]runner.Run{}}
	y.env.Paths.Work = filepath.Join(t.TempDir(), "scratch")
	y.add("new", runner.Succeeded, time.Minute, nil)
	y.add("old", runner.Succeeded, 40*day, nil)
	y.add("failed", runner.Failed, 40*day, nil)
	must(t, os.RemoveAll(filepath.Join(y.runs["new"].Folder, runner.WorkDir)))
	old := time.Now().Add(-40 * day)
	precious := filepath.Join(t.TempDir(), "precious")
	must(t, os.MkdirAll(precious, 0o700))
	for _, dir := range []string{y.runs["new"].ID, y.runs["old"].ID, y.runs["failed"].ID, "20200101-000000-aaaa", "data", "20200101"} {
		must(t, os.MkdirAll(filepath.Join(y.env.Paths.Work, dir), 0o700))
		must(t, os.Chtimes(filepath.Join(y.env.Paths.Work, dir), old, old))
	}
	must(t, os.Symlink(precious, filepath.Join(y.env.Paths.Work, "20200101-000000-bbbb")))
	must(t, os.Mkdir(filepath.Join(y.env.Paths.Work, "20261120-000000-cccc"), 0o700)) // young: another box may use it
	must(t, os.Mkdir(filepath.Join(y.env.Paths.Runs, ".deleted-20200101-000000-dddd"), 0o700))

	left := func() string {
		entries, err := os.ReadDir(y.env.Paths.Work)
		must(t, err)
		var names []string
		for _, e := range entries {
			name := e.Name()
			for n, r := range y.runs {
				if r.ID == name {
					name = n
				}
			}
			names = append(names, name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		o    PruneOptions
		left string
	}{
		{PruneOptions{OlderThan: -1}, "20200101 20200101-000000-aaaa 20200101-000000-bbbb 20261120-000000-cccc data failed"},
		{PruneOptions{OlderThan: -1, All: true}, "20200101 20200101-000000-bbbb 20261120-000000-cccc data"},
	} {
		items, err := y.env.PrunePlan(tctx, c.o)
		must(t, err)
		if _, err := y.env.Prune(tctx, items); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != c.left {
			t.Errorf("%+v leaves %q, want %q", c.o, got, c.left)
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(y.env.Paths.Runs, ".deleted-20200101-000000-dddd")); !os.IsNotExist(err) {
		t.Errorf("what a cut off deletion left is still there: %v", err)
	}
}

func TestNothingOutsideIsDeleted(t *testing.T) {
	s := newSite(t)
	outside := t.TempDir()
	if err := s.env.prune(PruneItem{Kind: PruneLeftover, Paths: []string{outside}}); err == nil {
		t.Error("a folder that is no leftover of ours was deleted")
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}
