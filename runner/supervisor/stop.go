package supervisor

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
)

// stop ends a running program: TERM, some patience, KILL, then every process of
// its session. It returns when ctx ends, which is when the program has. asked is
// set when the program was still there to be asked.
func (s *supervisor) stop(ctx context.Context, started runner.Started, asked *atomic.Bool) {
	if !signalProcess(started, unix.SIGTERM) {
		return
	}
	asked.Store(true)
	patience := time.NewTimer(killAfter())
	defer patience.Stop()
	select {
	case <-ctx.Done():
		return
	case <-patience.C:
	}
	for ctx.Err() == nil {
		s.kill(started)
		_ = s.pause(ctx, 200*time.Millisecond)
	}
}

// kill kills the program and its session at once.
func (s *supervisor) kill(started runner.Started) {
	if signalProcess(started, unix.SIGKILL) {
		keep.Kill(keep.Session(started.PID))
	}
}

// signalProcess sends a signal to the process that was started, and never to
// another one that got its pid later.
func signalProcess(started runner.Started, signal unix.Signal) bool {
	fd, err := unix.PidfdOpen(started.PID, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return started.Lives() && unix.PidfdSendSignal(fd, signal, nil, 0) == nil
}
