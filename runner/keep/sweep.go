package keep

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
)

// sweep ends everything that the program left behind: helpers of the container
// get a moment to end by themselves, then all descendants are killed. It
// returns when none is left, or when the kernel cannot end one for five
// seconds.
func (k *keeper) sweep(patience time.Duration) {
	kill := time.Now().Add(patience)
	giveUp := kill.Add(5 * time.Second)
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if errors.Is(err, unix.ECHILD) {
			return // all descendants end up as children of keep: none is left
		}
		if pid > 0 {
			continue
		}
		now := time.Now()
		if now.After(giveUp) {
			return
		}
		if !now.Before(kill) {
			Kill(Descendants(os.Getpid()))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Descendants lists the processes below a process.
func Descendants(pid int) []int {
	below := map[int]bool{pid: true}
	all := runner.Processes()
	var found []int
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if below[p.Parent] && !below[p.PID] {
				below[p.PID], grown = true, true
				found = append(found, p.PID)
			}
		}
	}
	return found
}

// Session lists the processes of a session.
func Session(id int) []int {
	var found []int
	for _, p := range runner.Processes() {
		if p.Session == id {
			found = append(found, p.PID)
		}
	}
	return found
}

// Kill kills processes. Ones that are gone already are no error.
func Kill(pids []int) {
	for _, pid := range pids {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}
