package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

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
	return append(s.checkOwn(ctx, r), []Check{
		s.checkValues(r),
		s.checkImages(ctx, r),
		s.checkServer(ctx),
		s.checkRuntime(r),
		s.checkContainer(ctx, r),
		s.checkDisk(),
		checkGPU(ctx, r),
		s.checkLimits(r),
		s.checkHistory(r),
	}...)
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
	a, err := apptainer.Find()
	if err != nil {
		return Check{Name: "runtime", Text: err.Error(), Next: "cytorun doctor --install"}
	}
	return Check{Name: "runtime", OK: true, Text: "Apptainer " + a.Version}
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
		return Check{Name: "container", Text: "the algorithm has no container on the server", Next: "name one with --container"}
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
	switch {
	case err != nil:
		c.Warn, c.Text, c.Next = true, c.Text+", and its size is unknown: "+err.Error(), "the run says more when it fetches"
	case room.Download > 0:
		c.Text += ", " + text.Bytes(room.Download)
	}
	if free, err := freeOn(s.Env.Paths.Containers); err == nil && room.Containers > free {
		c.Warn = true
		c.Text += fmt.Sprintf("; that takes %s in %s, where %s are free", text.Bytes(room.Containers), s.Env.Paths.Containers, text.Bytes(free))
		c.Next = "free some space, or move containers with [paths] in config.toml"
	}
	return c
}

// needWithin bounds the wait for a registry: the run will ask it anyway.
const needWithin = 10 * time.Second

// freeOn is the free space at a folder, or at the next one above that exists.
func freeOn(folder string) (int64, error) {
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(folder, &fs)
		if err == nil {
			return int64(fs.Bavail) * int64(fs.Bsize), nil
		}
		above := filepath.Dir(folder)
		if !errors.Is(err, unix.ENOENT) || above == folder {
			return 0, err
		}
		folder = above
	}
}

func (s *Session) checkDisk() Check {
	var fs unix.Statfs_t
	if err := unix.Statfs(s.Env.Paths.Runs, &fs); err != nil {
		return Check{Name: "disk", Text: fmt.Sprintf("cannot look at %s: %v", s.Env.Paths.Runs, err), Next: "set [paths] state in config.toml to a folder that exists"}
	}
	free := int64(fs.Bavail) * int64(fs.Bsize)
	c := Check{Name: "disk", OK: true, Text: fmt.Sprintf("%s free for runs in %s", text.Bytes(free), s.Env.Paths.Runs)}
	if free < minFree {
		c.Warn, c.Next = true, "free some space, or move runs with [paths] in config.toml"
	}
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
