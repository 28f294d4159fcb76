// Package supervisor looks after one live run: `cytorun supervise FOLDER`.
//
// It makes the job on the server, waits in the box's queue, gets the container,
// starts keep, watches, stops on request, judges how it ended, and reports.
// Everything it knows is in the run folder, on the server or in /proc: it may
// be killed at any moment, and the next one goes on from the facts.
//
// Rules:
//   - only the holder of the folder's lock writes events, the result and the
//     outbox;
//   - a step that cannot be repeated leaves a trace before it is taken;
//   - nothing is called dead before the kernel says so;
//   - a person's keys stay in this process. The container gets the keys of its
//     own job.
package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
)

// Main is the command `supervise FOLDER`. It returns when the run has ended and
// the server knows, or when nothing more can be done for now.
func Main(args []string) int {
	flags := flag.NewFlagSet("supervise", flag.ContinueOnError)
	ready := flags.Int("ready-fd", 0, "descriptor on which to answer that the run is looked after")
	keys := flags.Int("keys-fd", 0, "descriptor from which to read keys")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: supervise FOLDER")
		return 2
	}
	keep.CloseInherited(*ready, *keys)
	keep.CloseOnExec()
	tell := answerer(*ready)
	s, err := open(flags.Arg(0), readKeys(*keys))
	if errors.Is(err, runner.ErrLocked) {
		tell(answerBusy)
		return 0
	}
	if err != nil {
		tell(err.Error())
		fmt.Fprintln(os.Stderr, "cytorun supervise:", err)
		return 1
	}
	tell(answerReady)
	if err := s.work(); err != nil {
		s.log.Error("stopped", "error", err)
		return 1
	}
	s.noteOutputs()
	s.tidy()
	return 0
}

// tidy removes what writers that were killed left half written. The run is over
// and everybody who wrote into its folder is gone.
func (s *supervisor) tidy() {
	if !s.run().State.Ended() || runner.Held(s.path(runner.AliveFile)) {
		return
	}
	s.dropImage()
	for _, dir := range []string{s.folder, s.path(runner.OutboxDir)} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") && e.Type().IsRegular() {
				_ = os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
}

// answerer tells the parent once; nobody may be listening.
func answerer(fd int) func(string) {
	if fd == 0 {
		return func(string) {}
	}
	f := os.NewFile(uintptr(fd), "ready")
	return func(text string) {
		_, _ = io.WriteString(f, text)
		_ = f.Close()
	}
}

func readKeys(fd int) client.Keys {
	var k client.Keys
	if fd == 0 {
		return k
	}
	f := os.NewFile(uintptr(fd), "keys")
	defer f.Close()
	_ = json.NewDecoder(io.LimitReader(f, 1<<16)).Decode(&k) // none is no error
	return k
}

// supervisor is one process that looks after one run.
type supervisor struct {
	folder  string
	exe     string
	journal *runner.Journal
	log     *slog.Logger
	wake    chan os.Signal

	// ctx ends when a person asks to cancel.
	ctx    context.Context
	cancel context.CancelCauseFunc

	linkMu sync.Mutex // guards what follows
	link   link       // to the server
	ours   client.Keys
	jobs   client.Keys // of the job's own user

	stopped atomic.Bool // the program was asked to end because a person asked
	timeUp  atomic.Bool // the same for its time limit

	used *runner.GPUUse // of the GPUs, once the program has ended
	find finding        // the container runtime, looked for in the background
	sif  sifFile        // the container that this process had started
}

// errCancelled is why ctx ended.
var errCancelled = errors.New("cancelled")

// open takes a run for this process.
func open(folder string, keys client.Keys) (*supervisor, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file: %w", err)
	}
	// Before the lock names this process, so that waking it never kills it.
	s := &supervisor{folder: folder, exe: exe, ours: keys, wake: make(chan os.Signal, 1)}
	signal.Notify(s.wake, runner.WakeSignal)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)

	path := filepath.Join(folder, runner.LockFile)
	if _, err := runner.ReadFolder(folder); err != nil {
		return nil, err
	}
	lock, err := runner.TakeLock(path)
	if err != nil {
		return nil, err
	}
	runner.HoldToTheEnd(lock)
	if s.journal, err = runner.OpenJournal(folder); err != nil {
		return nil, err
	}
	me, err := runner.ReadProc(os.Getpid())
	if err != nil {
		return nil, err
	}
	holder := fmt.Sprintf("%d %s %s\n", me.PID, me.Start, runner.Host())
	if err := os.WriteFile(path, []byte(holder), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", path, err)
	}
	s.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	go s.listen()
	return s, nil
}

// heartbeat is how often the folder shows that a supervisor works, and how
// long a request from another host may lie unseen.
const heartbeat = 30 * time.Second

// listen keeps the heartbeat and looks for requests to cancel.
func (s *supervisor) listen() {
	tick := time.NewTicker(heartbeat)
	for {
		now := time.Now()
		_ = os.Chtimes(s.path(runner.LockFile), now, now)
		if _, ok := runner.CancelRequested(s.folder); ok {
			s.cancel(errCancelled)
		}
		select {
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *supervisor) path(name string) string { return filepath.Join(s.folder, name) }

func (s *supervisor) run() runner.Run { return s.journal.Run() }

// event writes one event. Where the disk is full it waits for room: going on
// without a trace would make the folder lie.
func (s *supervisor) event(e runner.Event) error {
	return s.persist(func() error { return s.journal.Append(e) })
}

// wait says why the run waits, once per reason.
func (s *supervisor) waiting(reason string) {
	if s.run().Reason == reason {
		return
	}
	if err := s.journal.Append(runner.Event{Reason: reason}); err != nil {
		s.log.Warn("cannot say why the run waits", "reason", reason, "error", err)
	}
}

// persist repeats a write as long as only a full disk is in the way.
func (s *supervisor) persist(write func() error) error {
	told := false
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := write()
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return err
		}
		if !told {
			s.log.Error("waiting for room on the disk", "error", err)
			told = true
		}
		time.Sleep(pause)
	}
}
