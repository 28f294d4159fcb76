package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Names of the files in a run folder.
const (
	SpecFile    = "spec.json"
	EventsFile  = "events.jsonl"
	LogFile     = "output.log"
	TimesFile   = "output.times"
	AliveFile   = "alive"        // flock: keep, while the container lives
	LockFile    = "lock"         // flock: the supervisor, while it works
	StartedFile = "started.json" // keep: which process it started
	ExitFile    = "exit.json"
	ResultFile  = "result.json"
	SummaryFile = "summary.json"
	ControlDir  = "control"
	OutboxDir   = "outbox"
	WorkDir     = "work"
	// SupervisorLog is where the supervisor's own stderr goes; empty unless
	// something went wrong with it.
	SupervisorLog = "supervisor.log"
)

// ErrNewerSchema tells that a file was written by a newer cytorun: it may be
// shown, and must not be changed.
var ErrNewerSchema = errors.New("written by a newer cytorun; update this one to change it")

// WriteJSON replaces a file of a run folder: written beside it, synced,
// renamed, and the folder synced. Mode 0600.
func WriteJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return replaceFile(path, append(data, '\n'), true)
}

// WriteFile is WriteJSON for a file that is no JSON.
func WriteFile(path string, data []byte) error { return replaceFile(path, data, true) }

// replaceFile writes a file by rename. Without durable it is atomic for readers
// and may be lost or empty after a crash of the machine.
func replaceFile(path string, data []byte, durable bool) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return writeError(path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = writeError(path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if durable {
		if err = f.Sync(); err != nil {
			return err
		}
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if durable {
		return SyncDir(dir)
	}
	return nil
}

// SyncDir makes renames and new files in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some network file systems cannot sync a folder and say so with EINVAL;
	// there the rename itself is already sent to the server.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// writeError adds the next step to an error of writing in the state folder.
func writeError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("cannot write %s: %w; free space, or move the state folder with [paths] state", path, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("cannot write %s: %w; check who owns the state folder, or move it with [paths] state", path, err)
	}
	return fmt.Errorf("cannot write %s: %w", path, err)
}

// readJSON reads a file of a run folder. A newer schema is decoded as far as it
// is known and told by ErrNewerSchema.
func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	var head struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err == nil && head.Schema > Schema {
		return fmt.Errorf("%s has schema %d: %w", path, head.Schema, ErrNewerSchema)
	}
	return nil
}
