package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// CancelRequest is control/cancel.json.
type CancelRequest struct {
	Schema int       `json:"schema"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"` // where no person asked
	Time   time.Time `json:"time"`
}

// ResumeRequest is control/resume.json: a person agreed that a run that was
// waiting when the box went down may go on in this boot.
type ResumeRequest struct {
	Schema int       `json:"schema"`
	By     string    `json:"by"`
	BootID string    `json:"boot_id"`
	Time   time.Time `json:"time"`
}

const (
	cancelFile = "cancel.json"
	resumeFile = "resume.json"
)

// RequestCancel asks the supervisor of a run to end it. It returns when the
// request is on disk; the run is cancelled when its state says so. by names
// who asks. Asking twice is the same as asking once.
func RequestCancel(folder, by string) error { return RequestCancelBecause(folder, by, "") }

// RequestCancelBecause is RequestCancel where no person asked: reason says what
// happened.
func RequestCancelBecause(folder, by, reason string) error {
	run, err := ReadFolder(folder)
	if err != nil {
		return err
	}
	if run.State.Ended() {
		return fmt.Errorf("run %s has already ended: %s", run.ID, run.State)
	}
	if run.Problem != nil {
		return fmt.Errorf("cannot cancel run %s: %w", run.ID, run.Problem)
	}
	return request(folder, cancelFile, CancelRequest{Schema: Schema, By: by, Reason: reason, Time: time.Now().UTC()})
}

// RequestResume agrees that a queued run of an earlier boot may start.
func RequestResume(folder, by string) error {
	return request(folder, resumeFile, ResumeRequest{Schema: Schema, By: by, BootID: BootID(), Time: time.Now().UTC()})
}

func request(folder, name string, v any) error {
	dir := filepath.Join(folder, ControlDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return writeError(dir, err)
	}
	if err := WriteJSON(filepath.Join(dir, name), v); err != nil {
		return err
	}
	Wake(folder)
	return nil
}

// CancelRequested reads the request to cancel a run, if there is one.
func CancelRequested(folder string) (CancelRequest, bool) {
	var c CancelRequest
	err := readJSON(filepath.Join(folder, ControlDir, cancelFile), &c)
	return c, err == nil
}

// ResumeRequested tells whether a person agreed that the run may start in this
// boot.
func ResumeRequested(folder string) bool {
	var r ResumeRequest
	err := readJSON(filepath.Join(folder, ControlDir, resumeFile), &r)
	return err == nil && r.BootID == BootID()
}

// WakeSignal makes a supervisor look into control/ at once.
const WakeSignal = unix.SIGUSR1

// Wake tells the supervisor of a run on this box to look into control/. Without
// one, or on another box, the request is found at the next heartbeat or start.
func Wake(folder string) {
	pid, start, ok := Holder(folder)
	if !ok {
		return
	}
	// The handle is taken first, so that the process which is checked is the
	// one that gets the signal.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if Lives(pid, start) {
		_ = unix.PidfdSendSignal(fd, WakeSignal, nil, 0)
	}
}
