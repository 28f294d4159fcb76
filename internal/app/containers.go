package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// The kinds of things that containers leave on a box.
const (
	ContainerFile   = "container" // a SIF file
	ContainerLayers = "layers"    // of a fetch that did not end
	ContainerModels = "models"    // what programs downloaded; see apptainer.Models
)

// StoredItem is one thing that containers left on this box.
type StoredItem struct {
	Kind string
	// References are the names that a container was asked for by, the first one
	// first; of models the algorithm.
	References []string
	Server     string // of models: the host
	Digest     string // of containers and layers
	Path       string
	Arch       string // processor, of a container
	Bytes      int64
	Fetched    time.Time
	LastUsed   time.Time
	ReadOnly   bool // of the site, which nobody deletes from here
	Busy       bool // being fetched now
	// Runs are those of this box that used it, newest first, and Needed those of
	// them that are not over or have not begun.
	Runs   []runner.Run
	Needed []runner.Run
}

// Name is what a person calls it.
func (i StoredItem) Name() string {
	if len(i.References) > 0 {
		return i.References[0]
	}
	return i.Digest
}

// People are those who launched the runs that used it, on its server.
func (i StoredItem) People() []string {
	var all []string
	for _, r := range i.Runs {
		if !slices.Contains(all, r.Person) {
			all = append(all, r.Person)
		}
	}
	return all
}

// Containers lists what containers left on this box: the files, the site's
// ones, layers of fetches that did not end, and downloaded models. It changes
// nothing.
func (e *Env) Containers() ([]StoredItem, error) {
	runs, err := e.Store.List()
	if err != nil {
		return nil, err
	}
	use := e.usage(runs)
	items, err := stored(e.Paths.Containers, use)
	if err != nil {
		return nil, err
	}
	if site := apptainer.SiteCache(); site != "" {
		theirs, err := stored(site, use)
		if err != nil {
			return nil, fmt.Errorf("cannot look at the site's containers: %w", err)
		}
		for _, item := range theirs {
			item.ReadOnly = true
			if item.Kind == ContainerFile {
				items = append(items, item)
			}
		}
	}
	for _, m := range apptainer.ListModels(e.Paths.Weights) {
		if m.Size == 0 {
			continue // the program downloads nothing
		}
		item := StoredItem{Kind: ContainerModels, References: []string{m.Algorithm}, Server: m.Server, Path: m.Path, Bytes: m.Size, LastUsed: m.LastUsed, Fetched: m.LastUsed}
		for _, r := range runs {
			if r.Runtime == runner.Apptainer && apptainer.ModelsFolder(e.Paths.Weights, r.Server.URL, r.Algorithm.Name) == m.Path {
				item.add(r)
			}
		}
		items = append(items, item)
	}
	return items, nil
}

func stored(dir string, use map[string][]runner.Run) ([]StoredItem, error) {
	containers, partials, err := apptainer.List(dir)
	if err != nil {
		return nil, err
	}
	var items []StoredItem
	for _, c := range containers {
		item := StoredItem{
			Kind: ContainerFile, References: c.References, Digest: c.Digest, Path: c.Path, Arch: c.Arch,
			Bytes: c.Size, Fetched: c.Fetched, LastUsed: c.LastUsed,
		}
		for _, r := range use[c.Digest] {
			item.add(r)
		}
		items = append(items, item)
	}
	for _, p := range partials {
		item := StoredItem{Kind: ContainerLayers, References: p.References, Digest: p.Digest, Bytes: p.Size, Fetched: p.Since, LastUsed: p.Since, Busy: p.Busy}
		for _, r := range use[p.Digest] {
			item.add(r)
		}
		items = append(items, item)
	}
	return items, nil
}

func (i *StoredItem) add(r runner.Run) {
	i.Runs = append(i.Runs, r)
	if !r.State.Ended() {
		i.Needed = append(i.Needed, r)
	}
}

// usage tells which runs executed the image of a digest, or will.
func (e *Env) usage(runs []runner.Run) map[string][]runner.Run {
	meant := map[string]string{}
	use := map[string][]runner.Run{}
	for _, r := range runs {
		if r.Runtime != runner.Apptainer {
			continue
		}
		digest := Digest(r)
		if digest == "" && !r.State.Ended() {
			reference := r.Algorithm.Container
			if _, ok := meant[reference]; !ok {
				meant[reference] = apptainer.Meant(e.Paths.Containers, reference)
			}
			digest = meant[reference]
		}
		if digest != "" {
			use[digest] = append(use[digest], r)
		}
	}
	return use
}

// ContainerAge is how long a container must be unused before it is deleted
// where nobody said otherwise.
const ContainerAge = 30 * 24 * time.Hour

// ContainerPrune says what of the containers may go.
type ContainerPrune struct {
	// OlderThan is for how long it was not used; negative: ContainerAge for
	// containers and models, none for layers.
	OlderThan time.Duration
	// Names are references, their last parts, or digests; empty names all.
	Names []string
	// Models are deleted instead of containers.
	Models bool
}

// PlanContainers lists what would go. What a run needs that is not over stays,
// and so does what is being fetched and what belongs to the site.
func (e *Env) PlanContainers(o ContainerPrune) ([]StoredItem, error) {
	items, err := e.Containers()
	if err != nil {
		return nil, err
	}
	now := e.Now()
	var goes []StoredItem
	for _, item := range items {
		age := o.OlderThan
		switch {
		case age >= 0:
		case item.Kind == ContainerLayers || len(o.Names) > 0:
			age = 0
		default:
			age = ContainerAge
		}
		if (item.Kind == ContainerModels) != o.Models || item.ReadOnly || item.Busy || len(item.Needed) > 0 ||
			now.Sub(item.LastUsed) < age || len(o.Names) > 0 && !slices.ContainsFunc(o.Names, item.is) {
			continue
		}
		goes = append(goes, item)
	}
	return goes, nil
}

// is tells whether a name means the thing.
func (i StoredItem) is(name string) bool {
	if len(name) >= 12 && strings.HasPrefix(strings.TrimPrefix(i.Digest, "sha256:"), strings.TrimPrefix(name, "sha256:")) {
		return true
	}
	return slices.ContainsFunc(i.References, func(r string) bool {
		bare := strings.TrimPrefix(r, "docker://")
		return name == r || name == bare || name == path.Base(bare)
	})
}

// PruneContainers deletes what a plan lists. What a run came to need meanwhile
// stays.
func (e *Env) PruneContainers(plan []StoredItem) (deleted []StoredItem, err error) {
	now, err := e.Containers()
	if err != nil {
		return nil, fmt.Errorf("nothing is deleted: %w", err)
	}
	// A thing of the plan goes when it is still there and still nobody's.
	goes := func(kind, key string) bool {
		same := func(i StoredItem) bool { return i.Kind == kind && (i.Digest == key || i.Path == key) && !i.ReadOnly }
		at := slices.IndexFunc(now, same)
		return slices.ContainsFunc(plan, same) && at >= 0 && len(now[at].Needed) == 0
	}
	done, err := apptainer.Prune(e.Paths.Containers,
		func(c apptainer.Stored) bool { return goes(ContainerFile, c.Digest) },
		func(p apptainer.Partial) bool { return goes(ContainerLayers, p.Digest) })
	for _, item := range plan {
		gone := false
		switch item.Kind {
		case ContainerFile:
			gone = slices.ContainsFunc(done.Containers, func(c apptainer.Stored) bool { return c.Digest == item.Digest })
		case ContainerLayers:
			gone = slices.ContainsFunc(done.Partials, func(p apptainer.Partial) bool { return p.Digest == item.Digest })
		case ContainerModels:
			if goes(ContainerModels, item.Path) {
				failed := apptainer.RemoveModels(e.Paths.Weights, apptainer.Models{Path: item.Path})
				err, gone = errors.Join(err, failed), failed == nil
			}
		}
		if gone {
			deleted = append(deleted, item)
		}
	}
	return deleted, err
}

// PullFor is Pull for everybody: into a folder that a site names in [containers]
// site, and readable by all.
func (e *Env) PullFor(ctx context.Context, folder, reference string, progress func(string)) (apptainer.Container, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return apptainer.Container{}, err
	}
	site := *e
	site.Paths.Containers = folder
	got, err := site.Pull(ctx, reference, progress)
	if err != nil {
		return got, err
	}
	// Nothing but what is the cache's own: the folder may be anybody's.
	names, _ := filepath.Glob(filepath.Join(folder, "refs", "*.json")) // the pattern is good
	for _, path := range append(names, got.Path, strings.TrimSuffix(got.Path, ".sif")+".json") {
		// Somebody else may fetch there too.
		if failed := os.Chmod(path, 0o644); !errors.Is(failed, os.ErrPermission) {
			err = errors.Join(err, failed)
		}
	}
	return got, errors.Join(err, openToAll(folder), openToAll(filepath.Join(folder, "refs")))
}

// Pull makes sure that a container is on this box. progress gets lines for a
// person.
func (e *Env) Pull(ctx context.Context, reference string, progress func(string)) (apptainer.Container, error) {
	a, err := apptainer.FindFor(e.Paths)
	if err != nil {
		return apptainer.Container{}, err
	}
	if room, err := apptainer.Need(ctx, e.Paths.Containers, reference); err == nil && room.Download > 0 {
		for _, line := range e.shortOf(ctx, room) {
			progress(line)
		}
	}
	return a.Ensure(ctx, e.Paths.Containers, reference, progress)
}

// shortOf says where a fetch may not find the room that it takes.
func (e *Env) shortOf(ctx context.Context, room apptainer.Room) []string {
	places, err := room.Places(ctx, e.Paths.Containers, e.Paths.Tmp)
	if err != nil {
		return nil
	}
	var lines []string
	for _, p := range places {
		if p.Need > p.Left() {
			lines = append(lines, fmt.Sprintf("this takes up to %s in %s, where %s", text.Bytes(p.Need), p.Path, leftOf(p.Space)))
		}
	}
	return lines
}

// leftOf says what may still be written, and what bounds it.
func leftOf(s runner.Space) string {
	if s.Quota != nil && s.Quota.Limit() > 0 && s.Quota.Limit()-s.Quota.Used < s.Free {
		return fmt.Sprintf("%s are left of your quota of %s", text.Bytes(s.Left()), text.Bytes(s.Quota.Limit()))
	}
	return text.Bytes(s.Free) + " are free"
}

// openToAll lets everybody read a folder. One of somebody else may be open already.
func openToAll(folder string) error {
	const read = 0o555
	if st, err := os.Stat(folder); err == nil && st.Mode().Perm()&read == read {
		return nil
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		return fmt.Errorf("not everybody can read the containers: %w; ask its owner for 'chmod a+rX %s'", err, folder)
	}
	return nil
}
