package supervisor

import (
	"fmt"
	"os"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/keep"
)

// ready gets the container, then a turn and GPUs: a run that fetches has neither
// meanwhile. In the queue a file may be replaced, damaged or deleted, so it is
// looked at once more, and where it is another one all is let go and got again.
func (s *supervisor) ready(q *gpu.Queue, number int64) (apptainer.Container, *keep.Keeper, error) {
	const most = 5
	for range most {
		container, err := s.fetch()
		if err != nil {
			return container, nil, err
		}
		keeper, err := s.queueUp(q, number)
		if err != nil {
			return container, nil, err
		}
		if s.unchanged(container) {
			return container, keeper, nil
		}
		keeper.Dismiss()
		s.log.Warn("the container changed while the run waited", "path", container.Path)
	}
	return apptainer.Container{}, nil, fmt.Errorf("container %s changes each time before it starts; see who writes to it", s.run().Algorithm.Container)
}

// unchanged tells whether the container is what fetch gave. Nobody is asked, and
// only a file that was touched is read.
func (s *supervisor) unchanged(container apptainer.Container) bool {
	if s.run().Runtime != runner.Apptainer {
		return true
	}
	paths, err := profile.DefaultPaths()
	if err != nil || !apptainer.Unchanged(paths.Containers, container) {
		return false
	}
	s.sif = lookAt(container.Path)
	return true
}

// fetch gets the container of the run, and none for one without. A registry that
// is away is waited for, see apptainer.Patience.
func (s *supervisor) fetch() (container apptainer.Container, err error) {
	if s.run().Runtime != runner.Apptainer {
		return container, nil
	}
	runtime, err := s.find.result()
	if err != nil {
		return container, err
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return container, err
	}
	var pause backoff
	for end := time.Now().Add(apptainer.Patience()); ; {
		err = s.container(func(progress func(string)) error {
			container, err = runtime.Ensure(s.ctx, paths.Containers, s.run().Algorithm.Container, progress)
			return err
		})
		if s.ctx.Err() != nil {
			return container, errCancelled
		}
		wait := pause.next()
		if err == nil || !apptainer.Transient(err) || time.Now().Add(wait).After(end) {
			return container, err
		}
		s.waiting("waiting for the registry: " + oneLine(err.Error()))
		if s.pause(s.ctx, wait) != nil {
			return container, errCancelled
		}
	}
}

// container gets the run's container and says how it goes, at most once a
// second. The server hears of it only where it takes a while.
func (s *supervisor) container(ensure func(progress func(string)) error) error {
	const words = "getting the container"
	var last time.Time
	began, told := time.Now(), false
	tell := func(status client.Status, text string) {
		if err := s.status(status, text); err != nil {
			s.log.Warn("the server does not know of the container", "error", err)
		}
	}
	err := ensure(func(line string) {
		now := time.Now()
		if now.Sub(last) >= time.Second {
			last = now
			s.waiting(words + ": " + oneLine(line))
		}
		if !told && now.Sub(began) > time.Second {
			told = true
			tell(client.Waiting, words)
		}
	})
	if told && err == nil {
		tell(client.Running, "")
	}
	return err
}

// sifFile is a container file as it was when its program started.
type sifFile struct {
	path string
	info os.FileInfo // nil where it is not known
}

func lookAt(path string) sifFile {
	info, err := os.Stat(path)
	if err != nil {
		return sifFile{}
	}
	return sifFile{path, info}
}

// overwritten says that somebody wrote into the file while the program ran, ""
// otherwise. Another file in its place does not matter: the program goes on with
// the one that it has.
func (f sifFile) overwritten() string {
	if f.info == nil {
		return ""
	}
	now, err := os.Stat(f.path)
	if err != nil || !os.SameFile(now, f.info) || now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime()) {
		return ""
	}
	return "somebody wrote into the container file " + f.path + " while the program ran: its results cannot be trusted"
}
