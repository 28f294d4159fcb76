package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
)

// Times of the demo's server.
const (
	idleExit  = 24 * time.Hour        // it ends when nobody asked it for that long
	startTime = 30 * time.Second      // at most until the first answer
	stopTime  = 10 * time.Second      // at most until it is gone
	pollEvery = 10 * time.Millisecond // while waiting for either
)

// spawn starts a server in a session of its own and waits until it answers.
func spawn(ctx context.Context, p profile.Paths, exe, address string) (connection, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	dir := DataFolder(p)
	log, err := os.OpenFile(LogFile(p), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return connection{}, fmt.Errorf("cannot open the log of the demo's server: %w", err)
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return connection{}, fmt.Errorf("cannot open the log of the demo's server: %w", err)
	}
	cmd := exec.Command(exe, "serve", "--demo", "--data", dir, "--listen", address, "--idle-exit", idleExit.String())
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	// Its own session: it outlives this terminal, and analyses with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return connection{}, fmt.Errorf("cannot start the demo's server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		c, err := readConnection(dir)
		if err == nil && c.PID == cmd.Process.Pid && c.answers() {
			return c, nil
		}
		select {
		case err := <-ended:
			return connection{}, fmt.Errorf("the demo's server ended at once (%w): %s; all of it is in %s", exitError(err), said(log, begin), LogFile(p))
		case <-ctx.Done():
			_ = cmd.Process.Signal(syscall.SIGTERM)
			return connection{}, fmt.Errorf("the demo's server is not up after %v: %w; see %s", startTime, ctx.Err(), LogFile(p))
		case <-tick.C:
		}
	}
}

func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// said is the last line that a server wrote after the given place in its log.
func said(log *os.File, begin int64) string {
	data, err := io.ReadAll(io.LimitReader(io.NewSectionReader(log, begin, 1<<20), 1<<20))
	if err != nil || len(data) == 0 {
		return "it said nothing"
	}
	return text.Line(lastLine(string(data)))
}

// stop ends the server of c and waits until its process is gone, and its locks
// with it.
func (c connection) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	if err := syscall.Kill(c.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cannot end the demo's server, process %d: %w", c.PID, err)
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !gone(c.PID) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the demo's server, process %d, does not end: %w; end it with: kill -9 %d", c.PID, ctx.Err(), c.PID)
		case <-tick.C:
		}
	}
	return nil
}

// gone tells whether a process has ended. One that nobody has waited for yet
// has ended too: it holds nothing any more.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The state follows the name, which is in brackets and may hold any text.
	for i := len(stat) - 1; i >= 0; i-- {
		if stat[i] == ')' {
			return i+2 < len(stat) && stat[i+2] == 'Z'
		}
	}
	return false
}
