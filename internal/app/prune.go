package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// PruneAge is how old a run must be before it is deleted where nobody said
// otherwise. Work folders go at any age: nothing needs them after the end.
const PruneAge = 30 * 24 * time.Hour

// PruneOptions say what may go.
type PruneOptions struct {
	// OlderThan is the age from which runs and work folders go; negative: runs
	// from PruneAge on, work folders at any age.
	OlderThan time.Duration
	Keep      int  // this many of the newest runs stay as they are
	WorkOnly  bool // runs stay, only their work folders go
	All       bool // also what failed or was lost, with its work folder
}

// The kinds of things that are pruned.
const (
	PruneRun      = "run"      // a run folder with its work folder
	PruneWork     = "work"     // the work folder of a run
	PruneLeftover = "leftover" // of a deletion that was cut off, or of a run that is gone
)

// PruneItem is one thing that would go.
type PruneItem struct {
	Kind  string
	Run   runner.Run // zero for a leftover
	Paths []string
	Bytes int64     // on the disk
	Since time.Time // when the run ended
}

// PrunePlan lists what would go, the oldest first. It never lists what lives,
// what the server has not been told of, what belongs to another host, and what
// a person has starred or noted.
func (e *Env) PrunePlan(ctx context.Context, o PruneOptions) ([]PruneItem, error) {
	runs, err := e.Store.List()
	if err != nil {
		return nil, err
	}
	marks, err := e.readMarks()
	if err != nil {
		return nil, fmt.Errorf("nothing is deleted: %w", err)
	}
	now := e.Now()
	runAge, workAge := o.OlderThan, o.OlderThan
	if o.OlderThan < 0 {
		runAge, workAge = PruneAge, 0
	}
	var items []PruneItem
	seen := 0
	for _, r := range runs { // newest first
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.State.Ended() {
			seen++
		}
		if seen <= o.Keep || !prunable(r, o) || marked(Marks{marks.Servers[r.Server.URL]}, r) {
			continue
		}
		age := now.Sub(r.Ended)
		work := e.Store.WorkFolders(r.ID, e.Paths.Work)
		item := PruneItem{Run: r, Since: r.Ended}
		switch {
		case !o.WorkOnly && age >= runAge:
			item.Kind, item.Paths = PruneRun, append([]string{r.Folder}, outside(r.Folder, work)...)
		case age >= workAge && len(work) > 0:
			item.Kind, item.Paths = PruneWork, work
		default:
			continue
		}
		for _, path := range item.Paths {
			item.Bytes += diskUsage(path)
		}
		items = append(items, item)
	}
	if !o.WorkOnly {
		items = append(items, e.halfDeleted()...)
	}
	if o.All {
		items = append(items, e.orphanedWork(runs, now, max(runAge, PruneAge))...)
	}
	slices.SortStableFunc(items, func(a, b PruneItem) int { return a.Since.Compare(b.Since) })
	return items, nil
}

// prunable tells whether a run may be deleted at all.
func prunable(r runner.Run, o PruneOptions) bool {
	if r.Problem != nil || r.ForeignHost || !r.State.Ended() || r.Ended.IsZero() {
		return false
	}
	if r.Result == nil || !r.Result.Confirmed || runner.Supervised(r.Folder) {
		return false
	}
	if (r.State == runner.Failed || r.State == runner.Lost) && !o.All {
		return false
	}
	st, err := os.Lstat(r.Folder)
	return err == nil && st.IsDir() // a link to a run is not ours to delete
}

// marked tells that a person wants to keep a run.
func marked(marks Marks, r runner.Run) bool {
	m := marks.Of(Analysis{Run: &r})
	return r.Develop != nil && r.Develop.Keep || r.Note != "" || m.Note != "" || m.Kept()
}

// outside are the paths that do not lie in a folder.
func outside(folder string, paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return strings.HasPrefix(p, folder+string(filepath.Separator))
	})
}

// deletedPrefix marks a run folder whose deletion was cut off.
const deletedPrefix = ".deleted-"

// halfDeleted are run folders whose deletion was cut off.
func (e *Env) halfDeleted() []PruneItem {
	entries, _ := os.ReadDir(e.Store.Dir())
	var items []PruneItem
	for _, d := range entries {
		if d.IsDir() && strings.HasPrefix(d.Name(), deletedPrefix) {
			items = append(items, leftover(filepath.Join(e.Store.Dir(), d.Name())))
		}
	}
	return items
}

// orphanedWork are work folders whose runs are gone. Another box may keep its
// runs elsewhere and its work folders here, so they must be old.
func (e *Env) orphanedWork(runs []runner.Run, now time.Time, age time.Duration) []PruneItem {
	if e.Paths.Work == "" {
		return nil
	}
	known := map[string]bool{}
	for _, r := range runs {
		known[r.ID], known[filepath.Base(r.Folder)] = true, true
	}
	entries, _ := os.ReadDir(e.Paths.Work)
	var items []PruneItem
	for _, d := range entries {
		if !d.IsDir() || !runner.IsID(d.Name()) || known[d.Name()] {
			continue
		}
		if item := leftover(filepath.Join(e.Paths.Work, d.Name())); now.Sub(item.Since) >= age {
			items = append(items, item)
		}
	}
	return items
}

func leftover(path string) PruneItem {
	item := PruneItem{Kind: PruneLeftover, Paths: []string{path}, Bytes: diskUsage(path)}
	if st, err := os.Lstat(path); err == nil {
		item.Since = st.ModTime()
	}
	return item
}

// Prune deletes what a plan lists, and tells how many bytes that freed. A run
// that came to life or was marked meanwhile stays. What cannot be deleted does
// not keep the rest.
func (e *Env) Prune(ctx context.Context, items []PruneItem) (deleted []PruneItem, err error) {
	marks, err := e.readMarks()
	if err != nil {
		return nil, fmt.Errorf("nothing is deleted: %w", err)
	}
	var failed []error
	for _, item := range items {
		if ctx.Err() != nil {
			failed = append(failed, ctx.Err())
			break
		}
		if item.Kind != PruneLeftover && marked(Marks{marks.Servers[item.Run.Server.URL]}, item.Run) {
			continue
		}
		if err := e.prune(item); err != nil {
			failed = append(failed, err)
			continue
		}
		deleted = append(deleted, item)
	}
	return deleted, errors.Join(failed...)
}

func (e *Env) prune(item PruneItem) error {
	switch item.Kind {
	case PruneWork:
		return e.Store.DeleteWork(item.Run.ID, e.Paths.Work)
	case PruneRun:
		// The work folder first: without its run nobody would know whose it is.
		for _, path := range outside(item.Run.Folder, e.Store.WorkFolders(item.Run.ID, e.Paths.Work)) {
			if err := runner.RemoveBelow(filepath.Dir(path), filepath.Base(path)); err != nil {
				return err
			}
		}
		return e.Store.Delete(item.Run.ID)
	}
	for _, path := range item.Paths {
		if dir := filepath.Dir(path); dir != e.Store.Dir() && dir != e.Paths.Work {
			return fmt.Errorf("%s lies neither below the runs nor below the work folders; it is not deleted", path)
		}
		if err := runner.RemoveBelow(filepath.Dir(path), filepath.Base(path)); err != nil {
			return err
		}
	}
	return nil
}

// diskUsage is what a folder takes on the disk. Links are not followed; a file
// with several names counts once.
func diskUsage(path string) (size int64) {
	type file struct{ dev, ino uint64 }
	seen := map[file]bool{}
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is not counted
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			size += info.Size()
			return nil
		}
		if st.Nlink > 1 && !d.IsDir() {
			f := file{st.Dev, st.Ino}
			if seen[f] {
				return nil
			}
			seen[f] = true
		}
		size += st.Blocks * 512
		return nil
	})
	return size
}
