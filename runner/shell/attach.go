package shell

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Attached is the way to the `hold` of a run.
type Attached struct {
	Plan Plan
	conn *net.UnixConn
	in   *bufio.Reader
}

// ErrNotYet tells that nobody holds a shell for the run, or not yet.
var ErrNotYet = errors.New("the shell is not ready")

// Attach takes the shell of a run over.
func Attach(folder string) (*Attached, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: address(folder), Net: "unix"})
	if err != nil {
		return nil, ErrNotYet
	}
	if !own(conn) {
		_ = conn.Close()
		return nil, fmt.Errorf("somebody else on this box answers in place of the shell of %s", folder)
	}
	a := &Attached{conn: conn, in: bufio.NewReader(conn)}
	m, err := read(a.in)
	if err != nil || m.Plan == nil {
		_ = conn.Close()
		// It was ended in this moment; the run will say why.
		return nil, fmt.Errorf("%w: it ended before it was opened", ErrNotYet)
	}
	a.Plan = *m.Plan
	return a, nil
}

// Run starts the shell, or words in place of it, in this process's terminal and
// gives its exit code. ended is set where the run was ended from outside.
func (a *Attached) Run(words []string) (code int, ended bool, err error) {
	defer a.conn.Close()
	if len(words) == 0 {
		words = a.Plan.Program
	}
	argv := append(slices.Clone(a.Plan.Front), words...)
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, false, fmt.Errorf("cannot start the shell: %w", err)
	}
	cmd := &exec.Cmd{Path: path, Args: argv, Dir: a.Plan.Dir, Env: terminal(a.Plan.Env), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	// The kernel's promise for when this process is killed belongs to the thread
	// that started the child.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Keys typed in the terminal are for the shell. Caught and not ignored,
	// because a program inherits what its parent ignores.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTTOU)
	defer signal.Stop(caught)
	defer restoreTerminal()()
	if err := cmd.Start(); err != nil {
		return 0, false, fmt.Errorf("cannot start the shell: %w", err)
	}
	_ = write(a.conn, message{PID: cmd.Process.Pid})
	gone := make(chan bool, 1)
	go func() {
		_, err := read(a.in) // nothing more is said but the end
		gone <- err != nil
		_ = cmd.Process.Kill()
	}()
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(ends)
	waited := make(chan struct{})
	go func() {
		select {
		case <-ends: // as when the terminal is closed
			_ = cmd.Process.Signal(syscall.SIGHUP)
			select {
			case <-waited:
			case <-time.After(2 * time.Second):
				_ = cmd.Process.Kill()
			}
		case <-waited:
		}
	}()
	err = cmd.Wait()
	close(waited)
	code = cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	patience := time.Duration(0)
	if code == 128+int(syscall.SIGKILL) { // most likely by the other end, which then goes too
		patience = 2 * time.Second
	}
	select {
	case ended = <-gone:
	case <-time.After(patience):
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	if !ended {
		_ = write(a.conn, message{Exit: &code})
	}
	return code, ended, err
}

// terminal adds what a program needs to know of the terminal it is in.
func terminal(env []string) []string {
	env = slices.Clone(env)
	for _, name := range []string{"TERM", "COLORTERM"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		env = slices.DeleteFunc(env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
		env = append(env, name+"="+value, "APPTAINERENV_"+name+"="+value)
	}
	return env
}

// restoreTerminal gives what puts the terminal back as it is now: a shell that is
// killed leaves it as it was for editing a line.
func restoreTerminal() func() {
	fd := int(os.Stdin.Fd())
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {} // no terminal
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETSW, was) }
}
