package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// Check is one line of the list that is shown before a launch.
type Check struct {
	Name string // such as "container"
	OK   bool
	Warn bool   // the launch is possible, somebody should look
	Tell bool   // all is well, but it is worth a line when it is not asked
	Text string // what was found
	Next string // what to do when it is not OK
}

// minFree is the free space under which a run is likely to end with a full disk.
const minFree = 1 << 30

// Preflight looks at everything that a launch needs, without changing anything.
func (s *Session) Preflight(ctx context.Context, r LaunchRequest) []Check {
	r.Runtime = s.runtime(r)
	checks := append(s.checkOwn(ctx, r), []Check{
		s.checkValues(r),
		s.checkImages(ctx, r),
		s.checkServer(ctx),
		s.checkRuntime(r),
		s.checkContainer(ctx, r),
		s.checkDisk(ctx),
		checkGPU(ctx, r),
		s.checkLimits(r),
		s.checkHistory(r),
	}...)
	return append(checks, s.checkModels(r)...)
}

// Room is the part of Preflight that tells what is fetched and how much room there
// is for it and for the run.
func (s *Session) Room(ctx context.Context, r LaunchRequest) []Check {
	r.Runtime = s.runtime(r)
	return []Check{s.checkContainer(ctx, r), s.checkDisk(ctx)}
}

func (s *Session) checkValues(r LaunchRequest) Check {
	c := Check{Name: "values", OK: true, Text: fmt.Sprintf("%d given, all valid", len(r.Values))}
	problems := forms.Validate(UserParameters(r.Algorithm), r.Values)
	if n := problems.Errors(); n > 0 {
		return Check{Name: "values", Text: problems.Error(), Next: "mend them in the form"}
	}
	if len(problems) > 0 {
		c.Warn, c.Text = true, problems[0].Parameter+": "+problems[0].Message
	}
	if p := s.Preview(r); len(p.Unreached) > 0 {
		c.Warn, c.Text = true, "never reaches the program: "+strings.Join(p.Unreached, ", ")
	}
	return c
}

func (s *Session) checkServer(ctx context.Context) Check {
	u, err := s.Server.CurrentUser(ctx)
	switch {
	case client.Transient(err):
		return Check{Name: "server", OK: true, Warn: true, Text: err.Error(), Next: "the run waits until the server answers"}
	case err != nil:
		return Check{Name: "server", Text: err.Error(), Next: "log in again: cytorun login " + s.Profile.URL}
	case s.Project.ReadOnly:
		return Check{Name: "server", Text: "project " + s.Project.Name + " is read-only", Next: "choose another project"}
	}
	return Check{Name: "server", OK: true, Text: fmt.Sprintf("%s answers, keys of %s are valid", s.Profile.URL, u.Username)}
}

func (s *Session) checkRuntime(r LaunchRequest) Check {
	if r.Runtime == runner.Process {
		return Check{Name: "runtime", OK: true, Warn: true, Text: ownProcess(r)}
	}
	a, err := apptainer.FindFor(s.Env.Paths)
	if err != nil {
		return Check{Name: "runtime", Text: err.Error(), Next: "cytorun doctor --install"}
	}
	for _, p := range a.Forbidden(s.Env.Paths.Containers) {
		if p.Fatal {
			return Check{Name: "runtime", Text: p.What, Next: p.Fix}
		}
	}
	return Check{Name: "runtime", OK: true, Text: a.Kind()}
}

func (s *Session) checkContainer(ctx context.Context, r LaunchRequest) Check {
	if r.Runtime == runner.Process {
		return Check{Name: "container", OK: true, Text: "none needed"}
	}
	ref := r.Container
	if ref == "" {
		ref = ContainerReference(r.Algorithm)
	}
	if ref == "" {
		where := "on the server"
		if s.isExact() {
			where = "in its descriptor"
		}
		return Check{Name: "container", Text: "the algorithm has no container " + where, Next: "name one with --container"}
	}
	if apptainer.IsFolder(ref) {
		return Check{Name: "container", OK: true, Warn: true, Text: ref + " is a folder, which may change at any time", Next: "what ran from it cannot be known again; build a .sif of it for results that count"}
	}
	if _, size, ok := apptainer.Cached(s.Env.Paths.Containers, ref); ok {
		return Check{Name: "container", OK: true, Text: fmt.Sprintf("%s is here, %s", ref, text.Bytes(size))}
	}
	// Fetching is what a first analysis does: nothing that somebody has to look at.
	c := Check{Name: "container", OK: true, Tell: true, Text: ref + " is fetched first"}
	ctx, stop := context.WithTimeout(ctx, needWithin)
	defer stop()
	room, err := apptainer.Need(ctx, s.Env.Paths.Containers, ref)
	var tag *apptainer.TagError
	switch {
	case errors.Is(err, apptainer.ErrLogin), errors.Is(err, apptainer.ErrNoImage), errors.As(err, &tag), errors.Is(err, apptainer.ErrArchitecture):
		return Check{Name: "container", Text: err.Error(), Next: "name another one with --container, or ask who published it"}
	case apptainer.Transient(err):
		c.Warn, c.Text, c.Next = true, err.Error(), "the run waits for the registry"
	case err != nil:
		c.Warn, c.Text, c.Next = true, c.Text+", and its size is unknown: "+err.Error(), "the run says more when it fetches"
	case room.Download > 0:
		c.Text += ", " + text.Bytes(room.Download)
	}
	if err == nil && room == (apptainer.Room{}) {
		return Check{Name: "container", OK: true, Text: ref + " is here"}
	}
	if room.Stays > 0 { // an archive is not downloaded, and needs room
		c.room(ctx, s.Env, room)
	}
	return c
}

// room adds the most that a fetch takes at one time on each file system.
func (c *Check) room(ctx context.Context, e *Env, room apptainer.Room) {
	places, err := room.Places(ctx, e.Paths.Containers, e.Paths.Tmp)
	if err != nil {
		return // the space is looked at in a line of its own
	}
	var lines []string
	for _, p := range places {
		line := fmt.Sprintf("up to %s in %s", text.Bytes(p.Need), p.Path)
		if p.Need > p.Left() {
			c.Warn = true
			line += ", where " + leftOf(p.Space)
		}
		lines = append(lines, line)
	}
	c.Text += "; takes " + strings.Join(lines, " and ") + " while it is built, " + text.Bytes(room.Stays) + " then"
	if c.Warn {
		c.Next = "free some with 'cytorun container prune', or 'cytorun path --set containers=FOLDER'"
	}
}

// needWithin bounds the wait for a registry: the run will ask it anyway.
const needWithin = 10 * time.Second

// checkModels tells of what the program finds from earlier runs, nil where that
// is nothing.
func (s *Session) checkModels(r LaunchRequest) []Check {
	if r.Runtime == runner.Process {
		return nil
	}
	dir := apptainer.ModelsFolder(s.Env.Paths.Weights, s.Profile.URL, r.Algorithm.Name)
	size := folderSize(dir)
	if size == 0 && len(r.Cache) == 0 {
		return nil
	}
	line := text.Bytes(size) + " that earlier runs downloaded are kept in " + dir
	if len(r.Cache) > 0 {
		line += "; with " + strings.Join(r.Cache, ", ")
	}
	return []Check{{Name: "models", OK: true, Text: line}}
}

// checkDisk looks at the room for what the run writes: its log, and what the
// program has in HOME and tmp.
func (s *Session) checkDisk(ctx context.Context) Check {
	c := Check{Name: "disk", OK: true}
	var lines []string
	seen := map[uint64]bool{}
	for _, p := range s.Env.Places(ctx) {
		if p.Name != "state" && p.Name != "work" {
			continue
		}
		if p.Err != nil {
			return Check{Name: "disk", Text: p.Err.Error(), Next: "cytorun path --set " + p.Name + "=FOLDER"}
		}
		if seen[p.Space.Device] {
			continue
		}
		seen[p.Space.Device] = true
		lines = append(lines, leftOf(p.Space)+" for runs in "+p.Path)
		if p.Space.Left() < minFree {
			c.Warn, c.Next = true, "free some space, or cytorun path --set "+p.Name+"=FOLDER"
		}
	}
	c.Text = strings.Join(lines, "; ")
	return c
}

func (s *Session) checkHistory(r LaunchRequest) Check {
	runs, err := s.runs()
	if err != nil {
		return Check{Name: "history", OK: true, Warn: true, Text: err.Error()}
	}
	row := s.algorithmRow(r.Algorithm, runs)
	if row.Typical == 0 {
		return Check{Name: "history", OK: true, Text: "first time on this box"}
	}
	return Check{Name: "history", OK: true, Text: "usually takes " + text.Duration(row.Typical)}
}
