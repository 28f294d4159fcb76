package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// Folder is where the worker of one server keeps what is its own, below the
// state folder of the person.
type Folder string

// FolderOf names the folder of a server, by its profile or its address.
func FolderOf(state, server string) Folder {
	name := regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(server, "_")
	return Folder(filepath.Join(state, "worker", strings.TrimLeft(name, ".")))
}

func (f Folder) lock() string           { return filepath.Join(string(f), "lock") }
func (f Folder) pausedFile() string     { return filepath.Join(string(f), "paused") }
func (f Folder) statusFile() string     { return filepath.Join(string(f), "status.json") }
func (f Folder) claim(id string) string { return filepath.Join(string(f), "claims", id) }

// make makes the folder where it is missing.
func (f Folder) make() error { return os.MkdirAll(filepath.Dir(f.claim("x")), 0o700) }

// Pause lets a worker claim nothing until Resume, also one that starts later.
func (f Folder) Pause(by string) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("cannot pause the worker: %w", err)
	}
	return runner.WriteJSON(f.pausedFile(), map[string]any{"schema": runner.Schema, "by": by, "time": time.Now().UTC()})
}

// Resume ends a pause; that there is none is no error.
func (f Folder) Resume() error {
	if err := os.Remove(f.pausedFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot resume the worker: %w", err)
	}
	return nil
}

// Paused tells whether somebody paused the worker.
func (f Folder) Paused() bool {
	_, err := os.Lstat(f.pausedFile())
	return err == nil
}

// Running tells whether a worker has the folder now.
func (f Folder) Running() bool { return runner.Held(f.lock()) }

// Status is what a worker says of itself, for people.
type Status struct {
	Schema  int       `json:"schema"`
	PID     int       `json:"pid"`
	Server  string    `json:"server"`
	Started time.Time `json:"started"`
	Time    time.Time `json:"time"` // of this
	// Phase is what it does: one of the words below.
	Phase string `json:"phase"`
	// Why is the reason of a phase that is not the usual one.
	Why     string `json:"why,omitempty"`
	Hours   string `json:"hours,omitempty"`
	Slots   int    `json:"slots"`
	Jobs    []Work `json:"jobs"`
	Done    int    `json:"done"`    // runs that ended since it started
	Waiting int    `json:"waiting"` // jobs that wait on the server and may run here
	// LeftAlone are jobs that wait and do not run here, by the reason.
	LeftAlone map[string]int `json:"left_alone,omitempty"`
}

// The phases.
const (
	PhaseIdle     = "idle"     // nothing to do
	PhaseWorking  = "working"  // jobs run
	PhaseClosed   = "closed"   // outside of its hours
	PhasePaused   = "paused"   // somebody paused it
	PhaseDraining = "draining" // it ends when its jobs have
	PhaseOffline  = "offline"  // the server does not answer, or refuses
	PhaseRefusing = "refusing" // its allow-list cannot be used
)

// Work is a job that runs here.
type Work struct {
	Run       string    `json:"run"`
	Job       client.ID `json:"job"`
	Algorithm string    `json:"algorithm,omitempty"`
	Image     string    `json:"image,omitempty"`
	plugin    client.ID // 0 where an earlier worker began it
}

// Status reads what the worker of the folder said last; ok is false where none
// ever ran. Whether one runs now is Running.
func (f Folder) Status() (s Status, ok bool) {
	data, err := os.ReadFile(f.statusFile())
	return s, err == nil && json.Unmarshal(data, &s) == nil
}

// Workers are the folders of all workers that this person ever had.
func Workers(state string) []Folder {
	entries, _ := os.ReadDir(filepath.Join(state, "worker"))
	var all []Folder
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, Folder(filepath.Join(state, "worker", e.Name())))
		}
	}
	return all
}

// intend writes down that a job will be claimed for a run that is not there yet;
// it stays until the run is over.
func (f Folder) intend(id string, job client.ID) error {
	return runner.WriteJSON(f.claim(id), map[string]any{"schema": runner.Schema, "job": job})
}

// forget takes an intent back: the run is over, or the claim is not there.
func (f Folder) forget(id string) { _ = os.Remove(f.claim(id)) }

// intents are claims that may have been made, by the ids of their runs, which may
// be missing.
func (f Folder) intents() map[string]client.ID {
	all := map[string]client.ID{}
	entries, _ := os.ReadDir(filepath.Dir(f.claim("x")))
	for _, e := range entries {
		var w struct{ Job client.ID }
		data, err := os.ReadFile(f.claim(e.Name()))
		if err == nil && runner.IsID(e.Name()) && json.Unmarshal(data, &w) == nil && w.Job != 0 {
			all[e.Name()] = w.Job
		}
	}
	return all
}
