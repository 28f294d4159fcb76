package apptainer

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/cytorun/cytorun/internal/text"
)

// refusals are what apptainer says when it cannot start a program, in its own
// words, and what that means to the person who wanted it to run.
var refusals = []struct{ sign, reason string }{
	{"no space left on device", "the disk is full"},
	{"disk quota exceeded", "the disk quota is used up"},
	{"mount source", "a folder to bind into the container does not exist"},
	{"could not use fuse", "/dev/fuse cannot be used here; see 'cytorun doctor'"},
	{"failed to open /dev/fuse", "/dev/fuse cannot be used here; see 'cytorun doctor'"},
	{"squashfuse_ll exited", "the container file cannot be mounted: it is damaged, or /dev/fuse cannot be used"},
	{"bad superblock", "the container file is damaged"},
	{"image format not recognized", "the file is no container"},
	{"could not open image", "the container file cannot be opened"},
	{"exec format error", "the program in the container is for another processor or no program"},
	{"user namespace", "user namespaces are not allowed on this box; see 'cytorun doctor'"},
	{"couldn't determine user account", "the user running this has no entry in the user database"},
	{"requesting capability set", "root lacks capabilities here; see 'cytorun doctor'"},
	{"executable file not found", "the program named by the command line is not in the container"},
	{"fork/exec", "the program in the container cannot be started"},
	{"permission denied", "a permission is missing"},
}

// Explain says what the end of a container means. code is the exit code, or
// -1 for one that died of a signal that is not known; tail is the end of its
// output. own is true when apptainer itself refused, so that the program never
// ran: its exit codes for that, 255 and 1, are any program's too, and only its
// FATAL and ERROR lines tell.
func Explain(code int, tail string) (reason string, own bool) {
	switch {
	case code == 0:
		return "", false
	case code == 255 || code == 1:
		if line, ok := fatal(tail); ok {
			low := strings.ToLower(line)
			for _, r := range refusals {
				if strings.Contains(low, r.sign) {
					return "the container did not start: " + r.reason + " (" + line + ")", true
				}
			}
			return "the container did not start: " + line, true
		}
	case code == 137:
		return "killed (signal 9): often the memory was not enough", false
	case code == 126:
		return "the program cannot be executed (exit code 126)", false
	case code == 127:
		return "a command was not found (exit code 127)", false
	case code > 128 && code < 128+65:
		// Under --containall apptainer exits with 128+N for signal N.
		s := syscall.Signal(code - 128)
		return fmt.Sprintf("died of signal %d (%s)", code-128, s), false
	case code < 0:
		return "died of a signal", false
	}
	return fmt.Sprintf("exit code %d", code), false
}

// levels are how apptainer begins its messages: the command pads the level to
// eight columns, its starter to seven. Programs that write "ERROR: ..." do not.
var levels = []string{"FATAL:   ", "ERROR:   ", "FATAL  : ", "ERROR  : ", "ABRT   : "}

// fatal is apptainer's last word in tail. The program's own output may come
// before it, never after.
func fatal(tail string) (string, bool) {
	lines := strings.Split(strings.TrimRight(tail, "\n"), "\n")
	for i := len(lines) - 1; i >= 0 && i >= len(lines)-5; i-- {
		l := strings.TrimSpace(text.Strip(lines[i]))
		for _, level := range levels {
			if rest, ok := strings.CutPrefix(l, level); ok {
				return text.Truncate(text.Line(strings.TrimSpace(rest)), 300), true
			}
		}
	}
	return "", false
}

// refusal is what a command said that did not do what it should, and what that
// means where it is known.
func refusal(said string) string {
	said = oneLine(said)
	low := strings.ToLower(said)
	for _, r := range refusals {
		if strings.Contains(low, r.sign) {
			return r.reason + " (" + said + ")"
		}
	}
	return said
}

// oneLine is command output for an error message, without its colours.
func oneLine(s string) string {
	return text.Truncate(text.Line(strings.TrimSpace(text.Strip(s))), 300)
}
