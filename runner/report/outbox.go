package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// Message is one thing that the server has to be told: a file of outbox/.
// Exactly one of its parts is set.
type Message struct {
	Schema int  `json:"schema"`
	End    *End `json:"end,omitempty"`
	// Log attaches output.log as it is at the time of delivery.
	Log bool `json:"log,omitempty"`
}

// Outbox is the folder of what a run still has to tell the server, in order.
// Only the holder of the run's lock uses it.
type Outbox struct {
	Folder string // of the run
}

func (o Outbox) dir() string { return filepath.Join(o.Folder, runner.OutboxDir) }

// Add puts messages at the end. They are on disk when it returns.
func (o Outbox) Add(messages ...Message) error {
	if err := os.MkdirAll(o.dir(), 0o700); err != nil {
		return fmt.Errorf("cannot keep a report for the server: %w", err)
	}
	next := 1
	if names := o.names(); len(names) > 0 {
		next = number(names[len(names)-1]) + 1
	}
	for _, m := range messages {
		m.Schema = runner.Schema
		if err := runner.WriteJSON(filepath.Join(o.dir(), fmt.Sprintf("%06d.json", next)), m); err != nil {
			return fmt.Errorf("cannot keep a report for the server: %w", err)
		}
		next++
	}
	return nil
}

// ReplaceEnd puts another end in the place of the one that waits to be told, in
// one step.
func (o Outbox) ReplaceEnd(end End) error {
	for _, name := range o.names() {
		path := filepath.Join(o.dir(), name)
		m, err := readMessage(path)
		if err != nil || m.End == nil {
			continue
		}
		m.End = &end
		if err := runner.WriteJSON(path, m); err != nil {
			return fmt.Errorf("cannot keep a report for the server: %w", err)
		}
		return nil
	}
	return o.Add(Message{End: &end})
}

// Empty tells whether the server has been told everything.
func (o Outbox) Empty() bool { return len(o.names()) == 0 }

func (o Outbox) names() []string {
	entries, err := os.ReadDir(o.dir())
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if number(e.Name()) > 0 {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	return names
}

// number is the place of a message, 0 for other files.
func number(name string) int {
	digits, ok := strings.CutSuffix(name, ".json")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return 0
	}
	return n
}

// Delivery is what Deliver needs to know.
type Delivery struct {
	Server client.Server
	Run    runner.Run
	// Log writes the log as the server may have it: capped and without secrets.
	// Its caller closes and removes the file.
	Log func() (*os.File, error)
	// Refused is told of what the server will never take; it is dropped.
	Refused func(error)
}

// Deliver sends the messages in order until all are accepted or one cannot be
// sent now; that one and what follows it stay for another time.
func (o Outbox) Deliver(ctx context.Context, d Delivery) error {
	job := d.Run.Job
	if job == 0 && !o.Empty() {
		found, err := FindJob(ctx, d.Server, d.Run.Spec)
		if errors.Is(err, client.ErrNotFound) {
			return o.Clear() // the server never heard of this run: nothing to tell
		}
		if err != nil {
			return err
		}
		job = found.ID
	}
	for _, name := range o.names() {
		path := filepath.Join(o.dir(), name)
		m, err := readMessage(path)
		if err == nil {
			err = d.send(ctx, m, job)
		}
		switch {
		case err == nil:
		case permanent(err):
			d.Refused(err)
		default:
			return err
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("cannot remove a delivered report: %w", err)
		}
	}
	return runner.SyncDir(o.Folder)
}

// Clear drops everything.
func (o Outbox) Clear() error {
	for _, name := range o.names() {
		if err := os.Remove(filepath.Join(o.dir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// errDamaged tells that a message cannot be read; it is dropped.
var errDamaged = errors.New("damaged report")

func readMessage(path string) (Message, error) {
	var m Message
	data, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%w %s: %w", errDamaged, path, err)
	}
	if m.Schema > runner.Schema {
		return m, fmt.Errorf("%s: %w", path, runner.ErrNewerSchema)
	}
	return m, nil
}

func (d Delivery) send(ctx context.Context, m Message, job client.ID) error {
	switch {
	case m.End != nil:
		if err := m.End.send(ctx, d.Server, d.Run, job); err != nil {
			return describe(job, err)
		}
	case m.Log:
		return AttachLog(ctx, d.Server, job, d.Log)
	}
	return nil
}

// AttachLog replaces the log of a job on the server. A server without logs
// keeps none.
func AttachLog(ctx context.Context, server client.Server, job client.ID, open func() (*os.File, error)) error {
	store, ok := server.(client.LogStore)
	if !ok {
		return nil
	}
	f, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the program never started
	}
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, stop := context.WithTimeout(ctx, logTimeout)
	defer stop()
	if err := store.AttachLog(ctx, job, f); err != nil {
		return fmt.Errorf("cannot attach the log to job %d: %w", job, err)
	}
	return nil
}

// permanent tells that trying again is no use: the server answered, and what
// it said will not change by itself. Wrong keys may be mended.
func permanent(err error) bool {
	switch {
	case client.Transient(err), errors.Is(err, client.ErrUnauthorised), errors.Is(err, runner.ErrNewerSchema),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return false
	case errors.Is(err, client.ErrForbidden), errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrInvalid),
		errors.Is(err, client.ErrConflict), errors.Is(err, ErrTaken), errors.Is(err, client.ErrUnsupported), errors.Is(err, errDamaged):
		return true
	}
	var h *client.HTTPError
	return errors.As(err, &h) && h.Status >= 400
}
