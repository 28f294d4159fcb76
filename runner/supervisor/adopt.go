package supervisor

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// adopt takes over a program whose keeper was killed. Where the kernel can tell
// a stranger the exit code, the program goes on to its end; elsewhere nobody
// would ever know how it ended, so it is ended here and now.
func (s *supervisor) adopt(started runner.Started) error {
	if started.BootID != runner.BootID() {
		return s.lost("the box went down while it ran")
	}
	if exit, ok := runner.ReadExit(s.folder); ok {
		return s.finish(started, exit)
	}
	fd, err := unix.PidfdOpen(started.PID, 0)
	if err != nil || !started.Lives() {
		s.killLeftOvers(started)
		return s.lost("its keeper and the program were killed")
	}
	if !kernelTellsExit() {
		_ = unix.Close(fd)
		s.killLeftOvers(started)
		return s.lost("its keeper was killed, and this kernel cannot tell how a program ends that is not one's own; it was ended")
	}
	// Held as keep would, so that everybody sees that the program is watched.
	lock, err := runner.TakeLock(s.path(runner.AliveFile))
	if err != nil {
		return err
	}
	runner.HoldToTheEnd(lock)
	// Its turn and its GPUs went with the keeper.
	turn, err := gpu.Retake(s.ctx, s.run().ID, started.PID, started.Start)
	if err != nil {
		s.log.Warn("others of this box may not see what the run uses", "error", err)
	}
	if err := s.event(runner.Event{Facts: map[string]string{"adopted": "1"}}); err != nil {
		return err
	}
	return s.watch(started, s.strangerEnd(started, fd, turn))
}

// killLeftOvers ends everything of a program's session. A program that forked
// into another session inside a container died with the container.
func (s *supervisor) killLeftOvers(started runner.Started) {
	s.killAll(func() []int {
		var pids []int
		for _, p := range runner.Processes() {
			// A session id is not reused while the session has processes, but
			// afterwards it is: only what began after the program counts.
			if p.Session == started.PID && !earlier(p.Start, started.Start) {
				pids = append(pids, p.PID)
			}
		}
		return pids
	})
	_ = s.orphans()
}

// earlier compares start times: ticks since boot, without leading zeros.
func earlier(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

// strangerEnd waits, asleep, for a process that is not ours, and asks the kernel
// for its exit code. The run's turn ends with it.
func (s *supervisor) strangerEnd(started runner.Started, fd int, turn *gpu.Grant) ended {
	end := make(chan struct {
		exit runner.Exit
		ok   bool
	}, 1)
	go func() {
		var e struct {
			exit runner.Exit
			ok   bool
		}
		status, err := waitPidfd(fd)
		s.killLeftOvers(started)
		turn.Close()
		if err != nil {
			s.log.Error("the kernel does not tell how the program ended", "error", err)
		} else {
			e.exit = runner.Exit{
				Schema: runner.Schema, Code: status.ExitStatus(), Started: started.Time, Ended: time.Now().UTC(), Adopted: true,
				OOMKills: runner.OOMCount{Group: -1, Box: runner.CountOOM(1).Since(started.OOMKills).Box},
			}
			if status.Signaled() {
				e.exit.Signal = status.Signal().String()
			}
			err = s.persist(func() error { return runner.WriteJSON(s.path(runner.ExitFile), e.exit) })
			e.ok = err == nil
		}
		end <- e
	}()
	return end
}

// waitPidfd sleeps until the process of a pidfd has ended and was waited for by
// its parent, and gives its wait status.
func waitPidfd(fd int) (unix.WaitStatus, error) {
	defer unix.Close(fd)
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, fmt.Errorf("cannot wait for the program: %w", err)
		}
		if fds[0].Revents != 0 {
			break
		}
	}
	// The exit code is there once the new parent has taken the zombie.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		err := unix.IoctlPidfdInfo(fd, &info)
		switch {
		case err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0:
			return unix.WaitStatus(info.Exit_code), nil
		case time.Now().After(deadline):
			return 0, fmt.Errorf("no exit code after ten seconds: %w", err)
		}
	}
}

// kernelTellsExit tells whether the exit code behind a pidfd can be read by a
// process that is not the parent.
func kernelTellsExit() bool {
	fd, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	return unix.IoctlPidfdInfo(fd, &info) == nil && kernelAtLeast(6, 15)
}

func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var a, b int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}
