// Package shell lets a person work by hand in the place of a run's program, in
// their own terminal.
//
// The run is an ordinary one, with a job, a turn and GPUs, but its program is
// `cytorun hold FOLDER`, which starts nothing: it hands what to start to the
// process in the person's terminal, and lives until that one has ended.
//
// Rules:
//   - the two meet on a socket that only the same user may use; each takes the end
//     of the other for the end of the shell, so that a kill of either leaves no
//     process behind and the lease of GPUs ends with the shell;
//   - what is handed over holds the job's keys and is never on disk.
package shell

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
)

// Variable names the environment variable in which the plan reaches `hold`.
const Variable = "CYTORUN_SHELL"

// Mark is the variable by which the processes of a shell are known.
const Mark = "CYTORUN_RUN"

// Plan is what to start in the terminal.
type Plan struct {
	// Front are the words before the program: the container's command and all
	// its options. It is empty without a container.
	Front []string `json:"front,omitempty"`
	// Program is the shell where no other program is wanted.
	Program []string `json:"program"`
	Env     []string `json:"env"`
	Dir     string   `json:"dir"`
	// Script is the file with the command of the run, to start by hand, and Inside
	// is how the shell sees it where that differs.
	Script string `json:"script,omitempty"`
	Inside string `json:"inside,omitempty"`
}

// message is one line on the socket.
type message struct {
	Plan *Plan `json:"plan,omitempty"` // from hold, the first line
	PID  int   `json:"pid,omitempty"`  // to hold: what was started
	Exit *int  `json:"exit,omitempty"` // to hold: how it ended, the last line
}

// address is an abstract socket: a run folder may be on a file system without
// sockets, or too deep for the name of one.
func address(folder string) string {
	return fmt.Sprintf("@cytorun-shell-%d-%s", os.Getuid(), filepath.Base(folder))
}

// own tells whether the other end belongs to this user: anybody on the box may
// connect to an abstract socket, or have taken its name.
func own(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(cred.Uid) == os.Getuid()
	})
	return err == nil && same
}

// processes are those that carry the mark of a run, and those below pid, which is
// 0 where nobody knows it.
func processes(run string, pid int) []int {
	var found []int
	if pid > 0 {
		found = append(keep.Descendants(pid), pid)
	}
	for _, p := range runner.Processes() {
		if p.PID == os.Getpid() || p.PID == pid {
			continue
		}
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID))
		for entry := range strings.SplitSeq(string(env), "\x00") {
			name, value, _ := strings.Cut(entry, "=")
			if strings.HasSuffix(name, Mark) && value == run {
				found = append(found, p.PID)
				break
			}
		}
	}
	return found
}

// end kills what is left of a shell until nothing is, for at most ten seconds.
func end(run string, pid int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		left := processes(run, pid)
		left = alive(left)
		if len(left) == 0 {
			return
		}
		keep.Kill(left)
	}
}

func alive(pids []int) []int {
	var found []int
	for _, pid := range pids {
		if p, err := runner.ReadProc(pid); err == nil && !p.Dead() {
			found = append(found, pid)
		}
	}
	return found
}

// errGone tells that the other end is not there any more.
var errGone = errors.New("the other end has gone")

func read(r *bufio.Reader) (message, error) {
	var m message
	line, err := r.ReadBytes('\n')
	if err != nil {
		return m, errGone
	}
	return m, json.Unmarshal(line, &m)
}

func write(c net.Conn, m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = c.Write(append(line, '\n'))
	return err
}
