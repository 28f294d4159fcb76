package tui

import (
	"os"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

// suspend stops the program, if somebody is there who can continue it.
func suspend() tea.Msg {
	if !hasShell(os.Getpid()) {
		return nav.Toast{Text: "no shell started this terminal's program, so nothing could bring it back; q leaves, analyses go on"}
	}
	return tea.SuspendMsg{}
}

// hasShell tells whether a process of the same session, outside the process
// group, waits for this one: a shell with job control. Without one (ssh -t host
// cytorun, a tmux window of its own) the kernel drops the stop signal, and the
// program would wait for ever to be continued.
func hasShell(pid int) bool {
	group, err1 := unix.Getpgid(pid)
	session, err2 := unix.Getsid(pid)
	if err1 != nil || err2 != nil {
		return false
	}
	for p := pid; ; {
		proc, err := runner.ReadProc(p)
		if err != nil || proc.Parent <= 1 {
			return false
		}
		p = proc.Parent
		if g, err := unix.Getpgid(p); err != nil || g == group {
			continue
		}
		s, err := unix.Getsid(p)
		return err == nil && s == session
	}
}
