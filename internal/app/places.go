package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Place is a folder of cytorun that a person may put elsewhere.
type Place struct {
	Name string // in [paths]
	What string // lies there, for people
	Path string
	// Beside names the place that it shares when nothing else is said.
	Beside string
	Space  runner.Space
	Err    error // why its space is not known
}

// Places are the folders that grow, with the room that each has.
func (e *Env) Places(ctx context.Context) []Place {
	all := []Place{
		{Name: "state", What: "what is known of each run, and its log", Path: e.Paths.State},
		{Name: "containers", What: "containers and downloaded models, some GB each", Path: e.Paths.Containers},
		{Name: "work", What: "HOME and tmp of programs while they run", Path: e.Paths.Work, Beside: "state"},
		{Name: "tmp", What: "what building a container needs, some times its size", Path: e.Paths.Tmp, Beside: "containers"},
	}
	for i := range all {
		p := &all[i]
		if p.Path == "" {
			p.Path = map[string]string{"work": e.Paths.Runs, "tmp": e.Paths.Containers}[p.Name]
		} else {
			p.Beside = ""
		}
		p.Space, p.Err = runner.SpaceOf(ctx, p.Path)
	}
	return all
}

// Room says in a few words what may be written there.
func (p Place) Room() string {
	if p.Err != nil {
		return p.Err.Error()
	}
	return leftOf(p.Space)
}

// FirstUse tells that nothing was stored yet and nobody said where it shall be.
func (e *Env) FirstUse() bool {
	config, err := profile.Load(e.Paths)
	if err != nil || config.Paths != (profile.PathSettings{}) {
		return false
	}
	for _, dir := range []string{e.Paths.Runs, e.Paths.Containers} {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return false
		}
	}
	return true
}

// PlacesChosen notes that a person was asked, so that FirstUse is over.
func (e *Env) PlacesChosen() error {
	if err := os.MkdirAll(filepath.Join(e.Paths.Containers, "locks"), 0o700); err != nil {
		return fmt.Errorf("cannot make the folder for containers: %w", err)
	}
	return nil
}

// Roomier are folders of this box that are meant for large things, in which
// this person may write and which have more room than a place.
func (p Place) Roomier(ctx context.Context) []Place {
	user := userName()
	var found []Place
	seen := map[uint64]bool{p.Space.Device: true}
	for _, dir := range []string{
		os.Getenv("SCRATCH"), os.Getenv("WORK"), "/scratch/" + user, "/scratch", "/data/" + user, "/data", "/local/" + user, "/local", "/work/" + user, "/mnt/" + user, "/var/tmp",
	} {
		if !filepath.IsAbs(dir) || unix.Access(dir, unix.W_OK|unix.X_OK) != nil {
			continue
		}
		s, err := runner.SpaceOf(ctx, dir)
		if err != nil || seen[s.Device] || s.Left() <= p.Space.Left() || s.Type == "tmpfs" {
			continue
		}
		seen[s.Device] = true
		found = append(found, Place{Path: dir, Space: s})
	}
	return found
}

// SetPlaces keeps folders in [paths] of config.toml, by name; an empty one goes
// back to where it is by default. Each is made and tried first. What lies in the
// old ones stays there.
func (e *Env) SetPlaces(folders map[string]string) error {
	var failed error
	for name, dir := range folders {
		if err := new(profile.PathSettings).Set(name, dir); err != nil {
			return err
		}
		if dir == "" {
			continue
		}
		dir, err := profile.Expand(dir)
		if err == nil {
			err = tryPlace(name, dir)
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	if live := e.live(); live > 0 && moves(folders) {
		return fmt.Errorf("%s not ended yet and would lose their folders; wait for them or cancel them first", countOf(live, "run has", "runs have"))
	}
	err := profile.Update(e.Paths, func(c *profile.Config) (err error) {
		for name, dir := range folders {
			err = errors.Join(err, c.Paths.Set(name, dir))
		}
		return err
	})
	if err != nil {
		return err
	}
	if e.Paths, err = profile.DefaultPaths(); err != nil {
		return err
	}
	e.Store, err = runner.OpenStore(e.Paths.Runs)
	return err
}

// tryPlace makes a folder and tries what is done there.
func tryPlace(name, dir string) error {
	if strings.ContainsAny(dir, ":,") && name != "state" && name != "runs" {
		return fmt.Errorf("%s: apptainer cannot use %s, for the colon or comma in its name", name, dir)
	}
	if err := runner.TryFolder(dir); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// moves tells whether runs are looked for elsewhere afterwards.
func moves(folders map[string]string) bool {
	for _, name := range []string{"state", "runs", "work"} {
		if _, ok := folders[name]; ok {
			return true
		}
	}
	return false
}

// live counts the runs of this box that are not over.
func (e *Env) live() (n int) {
	runs, _ := e.Store.List()
	for _, r := range runs {
		if !r.State.Ended() && !r.ForeignHost {
			n++
		}
	}
	return n
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// checkPlaces looks at the room of each folder, and whether it can be written.
func (e *Env) checkPlaces(ctx context.Context) []Check {
	var checks []Check
	for _, p := range e.Places(ctx) {
		checks = append(checks, p.check())
	}
	return checks
}

func (p Place) check() Check {
	move := "cytorun path --set " + p.Name + "=FOLDER"
	switch err := unix.Access(nearest(p.Path), unix.W_OK|unix.X_OK); {
	case err != nil:
		return Check{Name: p.Name, Text: fmt.Sprintf("cannot write to %s: %v", nearest(p.Path), err), Next: move + ", to a folder of yours"}
	case p.Err != nil:
		return Check{Name: p.Name, Text: p.Err.Error(), Next: move}
	}
	c := Check{Name: p.Name, OK: true, Text: p.Path + ", " + spaceOf(p.Space)}
	if p.Beside != "" {
		c.Text = "beside " + p.Beside + ", " + spaceOf(p.Space)
	}
	need := map[string]int64{"containers": 20 << 30, "tmp": 20 << 30}[p.Name]
	switch left := p.Space.Left(); {
	case left < minFree:
		c.Warn, c.Next = true, "free some space, or "+move
	case left < need:
		c.Warn, c.Next = true, "a large container may need more; "+move
	case p.Space.Type == "tmpfs" || p.Space.Type == "ramfs":
		c.Warn, c.Next = true, "it lies in memory and is gone after a restart; "+move
	}
	return c
}

// spaceOf says what a folder offers: free space, quota, and of what.
func spaceOf(s runner.Space) string {
	line := text.Bytes(s.Free) + " free"
	if s.Quota != nil && s.Quota.Limit() > 0 {
		line += fmt.Sprintf(", %s used of your quota of %s", text.Bytes(s.Quota.Used), text.Bytes(s.Quota.Limit()))
	}
	if s.Type != "" {
		line += " on " + s.Mount + " (" + s.Type + ")"
	}
	return line
}

// nearest is a path or the next one above that exists.
func nearest(path string) string {
	for path != "/" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// checkState tries what runs rely on; some network file systems accept a lock
// and lock nothing.
func (e *Env) checkState() Check {
	if err := runner.TryFolder(e.Paths.Runs); err != nil {
		return Check{Name: "locks", Text: err.Error(), Next: "cytorun path --set state=FOLDER, on a local disk"}
	}
	return Check{Name: "locks", OK: true, Text: "files lock, sync and are replaced in " + e.Paths.Runs}
}
