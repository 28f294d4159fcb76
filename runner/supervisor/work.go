package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
)

// errParked ends a supervisor that can do no more for now: a person has to act,
// and the next start of anything takes the run up again.
var errParked = errors.New("waiting for a person")

// work takes the run from wherever the facts say it is to its end.
func (s *supervisor) work() error {
	err := s.goOn()
	switch {
	case err == nil, errors.Is(err, errParked):
		return nil
	case s.run().State.Ended():
		return err
	case errors.Is(err, errCancelled):
		return s.cancelled()
	case errors.Is(err, errNoKeys):
		s.waiting(err.Error())
		return nil
	case s.begun():
		// What stops this process says nothing of the program: the next one
		// goes on from the facts.
		return err
	case lostJob(err):
		return s.end(runner.Result{State: runner.Cancelled, Reason: oneLine(err.Error())})
	}
	return s.end(runner.Result{State: runner.Failed, Reason: oneLine(err.Error())})
}

// begun tells that the program was started, or is just being, or was judged
// already.
func (s *supervisor) begun() bool {
	_, started := runner.ReadStarted(s.folder)
	_, judged := runner.ReadResult(s.folder)
	return started || judged || runner.Held(s.path(runner.AliveFile))
}

// reasonHalfStarted is why a run is lost whose program nobody wrote down.
const reasonHalfStarted = "its keeper was killed while the program started"

// goOn looks at the facts first: what is there is believed, what an earlier
// supervisor meant to do is not.
func (s *supervisor) goOn() error {
	if s.run().State.Ended() {
		return s.deliver()
	}
	if result, ok := runner.ReadResult(s.folder); ok {
		return s.conclude(result)
	}
	started, ok, err := s.settled()
	if err != nil {
		return err
	}
	if !ok {
		if s.orphans() {
			return s.end(runner.Result{State: runner.Lost, Reason: reasonHalfStarted})
		}
		if err := s.confirmed(); err != nil {
			return err
		}
		return s.launch()
	}
	if err := s.noteRunning(started); err != nil {
		return err
	}
	if runner.Held(s.path(runner.AliveFile)) {
		return s.watch(started, s.keeperEnd())
	}
	if exit, ok := runner.ReadExit(s.folder); ok {
		return s.finish(started, exit)
	}
	return s.adopt(started)
}

// settled waits out the moment in which a keeper has its lock and has not yet
// said what it started.
func (s *supervisor) settled() (runner.Started, bool, error) {
	deadline := time.Now().Add(30 * time.Second)
	for {
		held := runner.Held(s.path(runner.AliveFile))
		started, ok := runner.ReadStarted(s.folder)
		if ok || !held {
			return started, ok, nil
		}
		if time.Now().After(deadline) {
			return started, false, fmt.Errorf("the keeper of run %s neither starts nor ends; see 'fuser %s'", s.run().ID, s.path(runner.AliveFile))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// noteRunning brings the events to what started.json says.
func (s *supervisor) noteRunning(started runner.Started) error {
	if s.run().State == runner.Queued {
		if err := s.event(runner.Event{State: runner.Preparing}); err != nil {
			return err
		}
	}
	if s.run().State != runner.Preparing {
		return nil
	}
	return s.event(runner.Event{Time: started.Time, State: runner.Running, Facts: map[string]string{
		runner.FactPID:   fmt.Sprint(started.PID),
		runner.FactStart: started.Start,
		runner.FactBoot:  started.BootID,
	}})
}

// reasonRebooted is why a run waits that was queued when the box went down.
const reasonRebooted = "the box was restarted while it waited; 'cytorun recover --resume' starts it, 'cytorun cancel' drops it"

// confirmed tells that the run may start: it was launched in this boot of the
// box, or a person agreed that it goes on.
func (s *supervisor) confirmed() error {
	run := s.run()
	if run.Boot == runner.BootID() {
		return nil
	}
	if s.ctx.Err() != nil {
		return errCancelled
	}
	if !runner.ResumeRequested(s.folder) {
		s.waiting(reasonRebooted)
		return errParked
	}
	return s.event(runner.Event{Reason: "goes on after a restart of the box", Facts: map[string]string{runner.FactBoot: runner.BootID()}})
}

// orphans ends processes that a keeper started and could not write down, and
// tells whether there were any.
func (s *supervisor) orphans() bool {
	var found []int
	work := s.workDir()
	for _, p := range runner.Processes() {
		if p.PID != os.Getpid() && worksIn(p.PID, work) {
			found = append(found, p.PID)
		}
	}
	if len(found) == 0 {
		return false
	}
	s.killAll(func() []int { return found })
	return true
}

// worksIn tells whether a process is a run's program or its container: they are
// told of the work folder by their arguments and their environment. A person
// may look into the folder at any time, with a shell that is in it or a viewer
// of one of its files: those are left alone.
func worksIn(pid int, work string) bool {
	proc := filepath.Join("/proc", fmt.Sprint(pid))
	args, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	for arg := range strings.SplitSeq(string(args), "\x00") {
		if strings.HasPrefix(arg, filepath.Join(work, "home")+":") {
			return true // what the container command is told
		}
	}
	env, _ := os.ReadFile(filepath.Join(proc, "environ"))
	for entry := range strings.SplitSeq(string(env), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "PWD", "OLDPWD", "_": // where a shell is, was, and what it ran
		default:
			if strings.Contains(value, work+"/") {
				return true
			}
		}
	}
	return false
}

// killAll kills processes until none of them runs, for at most ten seconds.
func (s *supervisor) killAll(which func() []int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		alive := living(which())
		if len(alive) == 0 {
			return
		}
		keep.Kill(alive)
	}
	s.log.Error("processes of the run cannot be killed", "pids", which())
}

func living(pids []int) []int {
	var alive []int
	for _, pid := range pids {
		if p, err := runner.ReadProc(pid); err == nil && !p.Dead() {
			alive = append(alive, pid)
		}
	}
	return alive
}
