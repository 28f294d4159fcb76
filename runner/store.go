package runner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Store is a folder of run folders. It keeps nothing that is not there, except
// a copy of what can no longer change.
type Store struct {
	dir string

	mu    sync.Mutex
	final map[string]Run // by folder name
}

// OpenStore opens the folder of runs and makes it where it is missing, for its
// owner only.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, writeError(dir, err)
	}
	return &Store{dir: dir, final: map[string]Run{}}, nil
}

// Dir is the folder of runs.
func (s *Store) Dir() string { return s.dir }

// Create makes the run folder of a spec: when it returns, the run is queued on
// disk. An empty ID, creation time, host or boot id is filled in. An ID that is
// taken is an error if the caller chose it.
func (s *Store) Create(spec Spec) (Run, error) {
	spec.Schema = Schema
	if spec.Created.IsZero() {
		spec.Created = time.Now()
	}
	spec.Created = spec.Created.UTC()
	spec.Host = cmp.Or(spec.Host, Host())
	spec.BootID = cmp.Or(spec.BootID, BootID())
	folder, err := s.mkdir(&spec)
	if err != nil {
		return Run{}, err
	}
	if err := fill(folder, spec); err != nil {
		_ = os.RemoveAll(folder)
		return Run{}, err
	}
	if err := SyncDir(s.dir); err != nil {
		return Run{}, writeError(s.dir, err)
	}
	run, size, err := readFolder(folder)
	if err != nil {
		return Run{}, err
	}
	_ = writeSummary(run, size)
	return run, nil
}

// mkdir decides who has an id: of two that want the same one gets it.
func (s *Store) mkdir(spec *Spec) (string, error) {
	chosen := spec.ID != ""
	if strings.ContainsRune(spec.ID, filepath.Separator) || strings.HasPrefix(spec.ID, ".") {
		return "", fmt.Errorf("%q cannot name a run", spec.ID)
	}
	for {
		if !chosen {
			spec.ID = NewID(spec.Created)
		}
		folder := filepath.Join(s.dir, spec.ID)
		err := os.Mkdir(folder, 0o700)
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", writeError(folder, err)
		}
		if chosen {
			return "", fmt.Errorf("cannot create run %s: %w", spec.ID, client.ErrConflict)
		}
	}
}

// fill writes the first files of a run folder. The events come before the spec:
// a folder is a run from the moment that it has a spec.
func fill(folder string, spec Spec) error {
	at := spec.Created
	var lines []byte
	for _, e := range []Event{
		{Schema: Schema, Time: at, State: Created, Facts: map[string]string{FactBoot: spec.BootID}},
		{Schema: Schema, Time: at, State: Queued},
	} {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("cannot create run %s: %w", spec.ID, err)
		}
		lines = append(append(lines, line...), '\n')
	}
	path := filepath.Join(folder, EventsFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return writeError(path, err)
	}
	_, err = f.Write(lines)
	if err = cmp.Or(err, f.Sync(), f.Close()); err != nil {
		return writeError(path, err)
	}
	return WriteJSON(filepath.Join(folder, SpecFile), spec)
}

// Get reads one run completely.
func (s *Store) Get(id string) (Run, error) {
	if id == "" || id != filepath.Base(id) || strings.HasPrefix(id, ".") {
		return Run{}, client.NotFound("no run %q", id)
	}
	run, err := ReadFolder(filepath.Join(s.dir, id))
	if errors.Is(err, client.ErrNotFound) {
		return Run{}, client.NotFound("no run %q", id)
	}
	return run, err
}

// AmbiguousError tells that a part of an id fits several runs.
type AmbiguousError struct {
	Part string
	IDs  []string // newest first
}

// Error lists the newest candidates.
func (e *AmbiguousError) Error() string {
	shown, more := e.IDs, ""
	if len(shown) > 8 {
		shown, more = shown[:8], fmt.Sprintf(" and %d more", len(e.IDs)-8)
	}
	return fmt.Sprintf("%q fits several runs: %s%s; write more of one", e.Part, strings.Join(shown, ", "), more)
}

// Unwrap makes it an ErrNotFound: no single run was found.
func (e *AmbiguousError) Unwrap() error { return client.ErrNotFound }

// Find reads the run whose id is part, or the only one whose id contains it.
func (s *Store) Find(part string) (Run, error) {
	names, err := s.names()
	if err != nil {
		return Run{}, err
	}
	if part != "" && slices.Contains(names, part) {
		return s.Get(part)
	}
	var fit []string
	for _, n := range names {
		if part != "" && strings.Contains(n, part) {
			fit = append(fit, n)
		}
	}
	switch len(fit) {
	case 0:
		return Run{}, client.NotFound("no run %q; 'cytorun analyses' lists them", part)
	case 1:
		return s.Get(fit[0])
	}
	return Run{}, &AmbiguousError{Part: part, IDs: fit}
}

// names lists the run folders, newest first.
func (s *Store) names() ([]string, error) {
	d, err := os.Open(s.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the runs: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cannot list the runs: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ".") })
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

// List reads all runs, newest first, without the parameters, values and command
// line of their specs (see Get). Folders that cannot be read are listed too,
// with a Problem; files beside the folders are not.
func (s *Store) List() ([]Run, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	found := make([]*Run, len(names))
	s.mu.Lock()
	known := s.final
	s.mu.Unlock()
	workers := min(runtime.GOMAXPROCS(0), 8)
	var wg sync.WaitGroup
	fresh := make([]map[string]Run, workers)
	for w := range workers {
		wg.Go(func() {
			fresh[w] = map[string]Run{}
			buffer := make([]byte, 16<<10)
			for i := w; i < len(names); i += workers {
				if run, ok := known[names[i]]; ok {
					found[i] = &run
					continue
				}
				run, final, ok := s.light(names[i], buffer)
				if !ok {
					continue
				}
				if final {
					fresh[w][names[i]] = run
				}
				found[i] = &run
			}
		})
	}
	wg.Wait()
	s.remember(names, known, fresh)
	runs := make([]Run, 0, len(found))
	for _, r := range found {
		if r != nil {
			runs = append(runs, *r)
		}
	}
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
	})
	explainQueue(runs)
	return runs, nil
}

// remember replaces the copy of what can no longer change. The old map is never
// written again, so that other lists may still read it.
func (s *Store) remember(names []string, known map[string]Run, fresh []map[string]Run) {
	next := make(map[string]Run, len(names))
	for _, n := range names {
		if r, ok := known[n]; ok {
			next[n] = r
		}
	}
	for _, m := range fresh {
		for n, r := range m {
			next[n] = r
		}
	}
	s.mu.Lock()
	s.final = next
	s.mu.Unlock()
}

// light reads one entry of the list; ok is false for what is no run folder.
func (s *Store) light(name string, buffer []byte) (run Run, final, ok bool) {
	folder := filepath.Join(s.dir, name)
	run, final, err := readLight(folder, buffer)
	if err == nil {
		return run, final, true
	}
	st, statErr := os.Stat(folder)
	if statErr != nil || !st.IsDir() {
		return Run{}, false, false
	}
	// A launch that is just writing its folder is not damaged.
	if errors.Is(err, client.ErrNotFound) && time.Since(st.ModTime()) < 5*time.Second {
		return Run{}, false, false
	}
	run = Run{Folder: folder, State: Lost, Reason: err.Error(), Problem: err, Progress: -1, Heartbeat: st.ModTime().UTC()}
	run.ID, run.Created = name, st.ModTime().UTC()
	return run, false, true
}

// Delete removes the folder of a run that has ended. It refuses a run that
// lives, one of another host, and one whose supervisor still works.
func (s *Store) Delete(id string) error {
	run, err := s.Get(id)
	if err != nil {
		return err
	}
	if err := run.deletable(); err != nil {
		return err
	}
	lock, err := TakeLock(filepath.Join(run.Folder, LockFile))
	if err != nil {
		if errors.Is(err, ErrLocked) {
			return fmt.Errorf("cannot delete run %s: its results are still being reported; try again later", id)
		}
		return err
	}
	defer lock.Close()
	return s.remove(run)
}

// remove removes a run folder whose lock is held.
func (s *Store) remove(run Run) error {
	id := filepath.Base(run.Folder)
	// Renamed first, so that nobody ever sees half a run.
	gone := filepath.Join(s.dir, ".deleted-"+id)
	if err := os.Rename(run.Folder, gone); err != nil {
		return writeError(run.Folder, err)
	}
	return RemoveBelow(s.dir, filepath.Base(gone))
}

// Discard removes the folder of a run that nobody looked after yet: it was just
// made, and its launch is taken back.
func (s *Store) Discard(id string) error {
	run, err := s.Get(id)
	if err != nil {
		return err
	}
	lock, err := TakeLock(filepath.Join(run.Folder, LockFile))
	if err != nil {
		return err
	}
	defer lock.Close()
	if now, err := s.Get(id); err != nil || now.State != Queued || now.Job != 0 || Held(filepath.Join(run.Folder, AliveFile)) {
		return fmt.Errorf("cannot take back run %s: somebody looks after it", id)
	}
	return s.remove(run)
}
