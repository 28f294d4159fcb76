package apptainer

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apptainer/sif/v2/pkg/sif"
	"github.com/gofrs/flock"
)

// Stored is one container of the cache.
type Stored struct {
	Digest string
	Path   string
	// References are the names that it was asked for by, the first one first.
	References []string
	Size       int64 // bytes
	Arch       string
	Fetched    time.Time
	LastUsed   time.Time
}

// Partial is what came of a fetch that never ended.
type Partial struct {
	Digest     string
	References []string
	Size       int64 // bytes
	Since      time.Time
	// Busy is set while somebody fetches it.
	Busy bool
}

// List gives what the cache holds, the last used first, and the layers of
// fetches that never ended. It checks no content.
func List(cacheDir string) ([]Stored, []Partial, error) {
	c := cache{cacheDir}
	names := c.references()
	entries, err := os.ReadDir(cacheDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var all []Stored
	for _, e := range entries {
		hex, ok := strings.CutSuffix(strings.TrimPrefix(e.Name(), "sha256-"), ".sif")
		digest := "sha256:" + hex
		if !ok || !validDigest(digest) {
			continue
		}
		st, err := e.Info()
		if err != nil {
			continue // gone meanwhile
		}
		s := Stored{Digest: digest, Path: c.sif(digest), Size: st.Size(), Fetched: st.ModTime(), LastUsed: st.ModTime(), References: names[digest]}
		var r record
		if readJSON(c.recordPath(digest), &r) {
			s.Fetched = r.Fetched
			s.References = slices.DeleteFunc(s.References, func(n string) bool { return n == r.Reference })
			s.References = append([]string{r.Reference}, s.References...)
		}
		if st, err := os.Stat(c.recordPath(digest)); err == nil {
			s.LastUsed = st.ModTime()
		}
		s.Arch = arch(s.Path)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Stored) int { return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.Digest, b.Digest)) })
	return all, c.partials(names), nil
}

// arch is the processor that a SIF says it is for, "" where it says nothing.
func arch(path string) string {
	img, err := sif.LoadContainerFromPath(path, sif.OptLoadWithFlag(os.O_RDONLY))
	if err != nil {
		return ""
	}
	defer img.UnloadContainer()
	return img.PrimaryArch()
}

// references are the names of each digest.
func (c cache) references() map[string][]string {
	files, _ := filepath.Glob(filepath.Join(c.dir, "refs", "*.json"))
	names := map[string][]string{}
	for _, f := range files {
		var m meaning
		if readJSON(f, &m) && validDigest(m.Digest) {
			names[m.Digest] = append(names[m.Digest], m.Reference)
		}
	}
	for _, n := range names {
		slices.Sort(n)
	}
	return names
}

// partials are the folders of fetches that did not end.
func (c cache) partials(names map[string][]string) []Partial {
	entries, _ := os.ReadDir(filepath.Join(c.dir, "tmp"))
	var all []Partial
	for _, e := range entries {
		digest := "sha256:" + e.Name()
		if !e.IsDir() || !validDigest(digest) {
			continue
		}
		p := Partial{Digest: digest, References: names[digest], Size: folderSize(filepath.Join(c.dir, "tmp", e.Name()))}
		if st, err := e.Info(); err == nil {
			p.Since = st.ModTime()
		}
		if unlock, ok := c.lock(digest); ok {
			unlock()
		} else {
			p.Busy = true
		}
		all = append(all, p)
	}
	return all
}

// folderSize adds up the files of a folder.
func folderSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if st, err := d.Info(); err == nil {
				size += st.Size()
			}
		}
		return nil
	})
	return size
}

// lock takes the lock of a digest unless somebody fetches it.
func (c cache) lock(digest string) (unlock func(), ok bool) {
	if err := os.MkdirAll(filepath.Join(c.dir, "locks"), 0o700); err != nil {
		return nil, false
	}
	l := flock.New(c.lockPath(digest))
	if got, err := l.TryLock(); err != nil || !got {
		return nil, false
	}
	return func() { _ = l.Unlock() }, true
}

// Pruned is what Prune removed.
type Pruned struct {
	Containers []Stored
	Partials   []Partial
	Freed      int64 // bytes
}

// Prune removes the containers that goes wants gone, and of fetches that never
// ended the layers that layersGo wants gone. What is being fetched stays. A
// container that runs goes on: its file lives until it is closed. One that a run
// still waits to start must stay.
func Prune(cacheDir string, goes func(Stored) bool, layersGo func(Partial) bool) (Pruned, error) {
	c := cache{cacheDir}
	stored, partials, err := List(cacheDir)
	if err != nil {
		return Pruned{}, err
	}
	var done Pruned
	var failed error
	for _, s := range stored {
		if !goes(s) {
			continue
		}
		unlock, ok := c.lock(s.Digest)
		if !ok {
			continue
		}
		// First what is known of it: without that the file counts as not there.
		err := errors.Join(remove(c.recordPath(s.Digest)), remove(s.Path))
		for _, n := range s.References {
			if m, ok := c.meaning(n); ok && m.Digest == s.Digest {
				err = errors.Join(err, remove(c.meaningPath(n)))
			}
		}
		unlock()
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		done.Containers = append(done.Containers, s)
		done.Freed += s.Size
	}
	for _, p := range partials {
		if !layersGo(p) {
			continue
		}
		unlock, ok := c.lock(p.Digest)
		if !ok {
			continue
		}
		err := os.RemoveAll(filepath.Join(c.dir, "tmp", strings.TrimPrefix(p.Digest, "sha256:")))
		unlock()
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		done.Partials = append(done.Partials, p)
		done.Freed += p.Size
	}
	return done, failed
}

// remove is os.Remove for what may be gone already.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// staleAfter is how long the layers of a fetch that was cut off wait for it to
// go on.
const staleAfter = 14 * 24 * time.Hour

// sweep removes the layers of fetches that nobody goes on with.
func (c cache) sweep() {
	for _, p := range c.partials(nil) {
		if p.Busy || time.Since(p.Since) < staleAfter {
			continue
		}
		if unlock, ok := c.lock(p.Digest); ok {
			_ = os.RemoveAll(filepath.Join(c.dir, "tmp", strings.TrimPrefix(p.Digest, "sha256:")))
			unlock()
		}
	}
}
