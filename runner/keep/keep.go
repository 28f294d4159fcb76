// Package keep is the parent of a container: `cytorun keep FOLDER`.
//
// It starts one program with the run's output.log as its stdout and stderr,
// holds the lock `alive` (and the leases it was given) while the program or
// anything it left behind lives, and writes exit.json. It does nothing else, so
// that it stays small and nothing can go wrong with it for days: a supervisor
// may come, go and be replaced meanwhile, and no pipe connects the program to
// anything that can die.
//
// Rules:
//   - in one run folder a program is started once: the lock decides between
//     two keepers, started.json ends it for all later ones;
//   - signals to keep do not end it, only the end of the program does;
//   - what it starts arrives through a pipe and is never on disk: the
//     arguments hold the job's keys.
package keep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
)

// Plan is what keep starts.
type Plan struct {
	Schema int      `json:"schema"`
	Argv   []string `json:"argv"`
	Env    []string `json:"env"`
	Dir    string   `json:"dir"`
	// Digest of the container, for the record.
	Digest string `json:"digest,omitempty"`
}

// ackFD is the descriptor on which keep tells its parent that the program
// runs, or why not.
const ackFD = 3

// Main is the command `keep FOLDER`: the plan comes on stdin. It returns the
// exit status of keep itself, not that of the program.
func Main(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: keep FOLDER")
		return 2
	}
	ack := os.NewFile(ackFD, "ack")
	CloseOnExec()
	ignoreSignals()
	k := keeper{folder: args[0]}
	started, err := k.start(os.Stdin)
	if errors.Is(err, io.EOF) {
		return 0 // dismissed: there is nothing to keep
	}
	if err != nil {
		answer(ack, answerLine{Error: err.Error()})
		return 1
	}
	answer(ack, answerLine{Started: &started})
	_ = os.Stdin.Close()
	debug.FreeOSMemory() // from here on it only waits, perhaps for days
	if err := k.wait(started); err != nil {
		fmt.Fprintln(os.Stderr, "cytorun keep:", err)
		return 1
	}
	return 0
}

// answerLine is what the parent reads.
type answerLine struct {
	Started *runner.Started `json:"started,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func answer(to *os.File, a answerLine) {
	_ = json.NewEncoder(to).Encode(a) // a parent that is gone needs no answer
	_ = to.Close()
}

// CloseOnExec keeps descriptors that this process inherited from reaching the
// programs that it starts.
func CloseOnExec() {
	for _, fd := range inherited() {
		unix.CloseOnExec(fd)
	}
}

// CloseInherited closes the descriptors that a process of ours inherited by
// accident, such as a terminal that a shell had open, except the ones named.
func CloseInherited(except ...int) {
	for _, fd := range inherited() {
		wanted := false
		for _, e := range except {
			wanted = wanted || e == fd
		}
		if !wanted {
			_ = unix.Close(fd)
		}
	}
}

// inherited lists the descriptors above stderr that came with the process: Go
// itself opens all of its own to close on exec.
func inherited() []int {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var fds []int
	for _, n := range names {
		fd, err := strconv.Atoi(n)
		if err != nil || fd <= 2 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	return fds
}

// ignoreSignals takes the signals that would end keep. They are caught and not
// ignored, because a program inherits what its parent ignores.
func ignoreSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
}

type keeper struct {
	folder string
	pid    int
	usage  unix.Rusage
}

func (k *keeper) path(name string) string { return filepath.Join(k.folder, name) }

// start waits for the plan, takes the lock and starts the program.
func (k *keeper) start(from io.Reader) (runner.Started, error) {
	var plan Plan
	if err := json.NewDecoder(from).Decode(&plan); err != nil {
		return runner.Started{}, fmt.Errorf("cannot read what to start: %w", err)
	}
	lock, err := runner.TakeLock(k.path(runner.AliveFile))
	if err != nil {
		return runner.Started{}, err
	}
	runner.HoldToTheEnd(lock)
	if len(plan.Argv) == 0 || plan.Schema != runner.Schema {
		return runner.Started{}, errors.New("cannot start the program: the plan is not for this version of cytorun")
	}
	if _, err := os.Lstat(k.path(runner.StartedFile)); !errors.Is(err, fs.ErrNotExist) {
		return runner.Started{}, errors.New("the program of this run was started before")
	}
	// Whatever the program leaves behind becomes a child of keep, which can
	// then wait for it and end it.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return runner.Started{}, fmt.Errorf("cannot watch the program's processes: %w", err)
	}
	before := runner.CountOOM(os.Getpid())
	if err := k.exec(plan); err != nil {
		return runner.Started{}, err
	}
	started := runner.Started{
		Schema: runner.Schema, Host: runner.Host(), BootID: runner.BootID(),
		PID: k.pid, Keep: os.Getpid(), Time: time.Now().UTC(), Digest: plan.Digest, OOMKills: before,
	}
	if p, err := runner.ReadProc(k.pid); err == nil {
		started.Start = p.Start
	}
	if err := runner.WriteJSON(k.path(runner.StartedFile), started); err != nil {
		k.sweep(0)
		return runner.Started{}, err
	}
	return started, nil
}

// exec starts the program in a session of its own.
func (k *keeper) exec(plan Plan) error {
	log, err := os.OpenFile(k.path(runner.LogFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("cannot open the log: %w", err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	p, err := os.StartProcess(plan.Argv[0], plan.Argv, &os.ProcAttr{
		Dir: plan.Dir, Env: plan.Env, Files: []*os.File{null, log, log},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("cannot start the program: %w", err)
	}
	k.pid = p.Pid
	return p.Release() // wait4 below takes its status together with all others
}

// wait waits for the program, writes exit.json and ends what it left behind.
func (k *keeper) wait(started runner.Started) error {
	status, err := k.reap()
	if err != nil {
		return err
	}
	exit := runner.Exit{
		Schema: runner.Schema, Code: status.ExitStatus(),
		Started: started.Time, Ended: time.Now().UTC(),
		MaxRSS:   k.usage.Maxrss << 10,
		CPU:      seconds(k.usage.Utime) + seconds(k.usage.Stime),
		OOMKills: runner.CountOOM(os.Getpid()).Since(started.OOMKills),
	}
	if status.Signaled() {
		exit.Signal = status.Signal().String()
	}
	// A full disk may have room again later; until then the exit code lives in
	// this process and the run counts as running.
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		if err = runner.WriteJSON(k.path(runner.ExitFile), exit); err == nil || errors.Is(err, fs.ErrNotExist) {
			break
		}
		time.Sleep(pause)
	}
	k.sweep(time.Second)
	return err
}

// reap waits for the program, and on the way for whatever else became a child
// of keep.
func (k *keeper) reap() (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, &k.usage)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("cannot wait for the program: %w", err)
		case pid == k.pid:
			return status, nil
		}
	}
}

func seconds(t unix.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
