package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cytorun/cytorun/client"
)

// ReadFolder reads any run folder, also one that was copied here from another
// box. Only a folder without a readable spec.json is an error (ErrNotFound
// where there is nothing at all); what else is damaged or newer is told by
// Run.Problem.
func ReadFolder(dir string) (Run, error) {
	run, _, err := readFolder(dir)
	return run, err
}

// readFolder also gives the length of the events that the run was read from.
func readFolder(dir string) (Run, int64, error) {
	run := Run{Folder: dir, Progress: -1}
	err := readJSON(filepath.Join(dir, SpecFile), &run.Spec)
	switch {
	case errors.Is(err, ErrNewerSchema):
		run.Problem = err
	case errors.Is(err, fs.ErrNotExist):
		return run, 0, client.NotFound("no run in %s", dir)
	case err != nil:
		return run, 0, fmt.Errorf("cannot read the run in %s: %w", dir, err)
	}
	if run.ID == "" {
		run.ID = filepath.Base(dir)
	}
	run.ForeignHost = foreign(dir, run.Host)
	run.Boot = run.BootID
	run.Heartbeat = run.Created

	events, size, err := readEvents(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		run.Problem = err
	}
	run.State = ""
	for _, e := range events {
		run.apply(e)
	}
	if run.State == "" {
		run.State = Created
	}
	if run.State.Ended() {
		run.readResult()
	}
	run.readSigns()
	one := []Run{run}
	explainQueue(one)
	return one[0], size, nil
}

func (r *Run) readResult() {
	var result Result
	err := readJSON(filepath.Join(r.Folder, ResultFile), &result)
	switch {
	case err == nil:
		r.Result = &result
	case errors.Is(err, ErrNewerSchema):
		r.Result, r.Problem = &result, err
	case !errors.Is(err, fs.ErrNotExist):
		r.Problem = err
	}
}

// readSigns reads what changes without an event: the heartbeat, and a request
// to cancel.
func (r *Run) readSigns() {
	if st, err := os.Stat(filepath.Join(r.Folder, LockFile)); err == nil && st.ModTime().After(r.Heartbeat) {
		r.Heartbeat = st.ModTime().UTC()
	}
	if !r.State.Ended() {
		_, r.Cancelling = CancelRequested(r.Folder)
	}
}

// ReadStarted reads what keep started, if it did.
func ReadStarted(folder string) (Started, bool) {
	var s Started
	err := readJSON(filepath.Join(folder, StartedFile), &s)
	return s, err == nil
}

// ReadExit reads how the container ended, if keep saw it end.
func ReadExit(folder string) (Exit, bool) {
	var e Exit
	err := readJSON(filepath.Join(folder, ExitFile), &e)
	return e, err == nil
}

// ReadResult reads the verdict, if there is one.
func ReadResult(folder string) (Result, bool) {
	var r Result
	err := readJSON(filepath.Join(folder, ResultFile), &r)
	return r, err == nil
}
