package runner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
)

// readEvents reads events.jsonl and the number of bytes read. Lines that are no
// event are skipped: a crash tears at most the last one, and a later writer
// starts a new line behind it.
func readEvents(folder string) (events []Event, size int64, err error) {
	f, err := os.Open(filepath.Join(folder, EventsFile))
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		size += int64(len(line))
		var e Event
		if len(bytes.TrimSpace(line)) > 0 && json.Unmarshal(line, &e) == nil {
			events = append(events, e)
		}
		if errors.Is(err, io.EOF) {
			return events, size, nil
		}
		if err != nil {
			return events, size, fmt.Errorf("cannot read the events of %s: %w", folder, err)
		}
	}
}

// apply changes a run by one event. A change of state that the table does not
// have is ignored: the first verdict stands.
func (r *Run) apply(e Event) {
	if e.Schema > Schema {
		r.Problem = fmt.Errorf("event of schema %d: %w", e.Schema, ErrNewerSchema)
	}
	if e.State != "" {
		if r.State != "" && !r.State.CanBecome(e.State) {
			return
		}
		r.State, r.Reason = e.State, e.Reason
		switch {
		case e.State == Running:
			r.Started = e.Time
		case e.State.Ended() && r.Ended.IsZero():
			r.Ended = e.Time
		}
	} else if e.Reason != "" {
		r.Reason = e.Reason
	}
	for name, value := range e.Facts {
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case name == FactBoot:
			r.Boot = value
		case name == FactGPUs:
			r.GPUs = strings.FieldsFunc(value, func(c rune) bool { return c == ',' })
		case err != nil:
		case name == FactJob:
			r.Job = client.ID(n)
		case name == FactJobNumber:
			r.JobNumber = int(n)
		case name == FactUserJob:
			r.UserJob = client.ID(n)
		case name == FactProgress:
			r.Progress = int(max(-1, min(n, 100)))
		case name == FactTicket:
			r.Ticket = n
		}
	}
	if e.State == Succeeded {
		r.Progress = 100
	}
	if e.Time.After(r.Heartbeat) {
		r.Heartbeat = e.Time
	}
}

// Journal is the write side of a run folder. Only the holder of the folder's
// lock may have one. Goroutines may share it.
type Journal struct {
	mu   sync.Mutex
	run  Run
	f    *os.File
	size int64
}

// OpenJournal opens a run folder for its supervisor. It refuses the folder of
// another host, one of a newer schema, and one that cannot be read.
func OpenJournal(folder string) (*Journal, error) {
	run, err := ReadFolder(folder)
	if err != nil {
		return nil, err
	}
	if run.Problem != nil {
		return nil, fmt.Errorf("cannot change run %s: %w", run.ID, run.Problem)
	}
	if run.ForeignHost {
		return nil, fmt.Errorf("run %s belongs to host %s; only that host may change it", run.ID, run.Host)
	}
	path := filepath.Join(folder, EventsFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, writeError(path, err)
	}
	j := &Journal{run: run, f: f}
	if err := j.endLine(); err != nil {
		_ = f.Close()
		return nil, writeError(path, err)
	}
	return j, nil
}

// endLine makes the file end with a whole line, whatever a crash left there.
func (j *Journal) endLine() error {
	st, err := j.f.Stat()
	if err != nil {
		return err
	}
	j.size = st.Size()
	if j.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := j.f.ReadAt(last[:], j.size-1); err != nil || last[0] == '\n' {
		return err
	}
	n, err := j.f.Write([]byte("\n"))
	j.size += int64(n)
	return err
}

// Run is the run as the journal has it.
func (j *Journal) Run() Run {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.run
}

// Append writes one event and brings summary.json up to date. A change of state
// or a fact is on disk when it returns, progress and reasons for waiting may be
// lost in a crash of the machine. A change of state that the table does not have
// is an error.
func (j *Journal) Append(e Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.State != "" && !j.run.State.CanBecome(e.State) {
		return fmt.Errorf("run %s cannot go from %s to %s", j.run.ID, j.run.State, e.State)
	}
	e.Schema = Schema
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cannot write an event of run %s: %w", j.run.ID, err)
	}
	if err := j.write(append(line, '\n'), e.durable()); err != nil {
		return writeError(j.f.Name(), err)
	}
	j.run.apply(e)
	j.summarise()
	return nil
}

// durable tells whether losing the event would make a later supervisor do wrong.
func (e Event) durable() bool {
	_, progress := e.Facts[FactProgress]
	return e.State != "" || len(e.Facts) > 1 || len(e.Facts) == 1 && !progress
}

func (j *Journal) write(line []byte, durable bool) error {
	n, err := j.f.Write(line)
	if err != nil {
		// Half a line must not stay before the next one.
		if n > 0 {
			_ = j.f.Truncate(j.size)
		}
		return err
	}
	j.size += int64(n)
	if durable {
		return j.f.Sync()
	}
	return nil
}

// Finish writes result.json and keeps it with the run.
func (j *Journal) Finish(r Result) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Schema = Schema
	if err := WriteJSON(filepath.Join(j.run.Folder, ResultFile), r); err != nil {
		return err
	}
	j.run.Result = &r
	j.summarise()
	return nil
}

// summarise rewrites summary.json. It is derived: failing to write it only
// makes lists slower.
func (j *Journal) summarise() {
	_ = writeSummary(j.run, j.size)
}

// Close ends writing.
func (j *Journal) Close() error { return j.f.Close() }

// ReadEvents reads all events of a run folder, oldest first.
func ReadEvents(folder string) ([]Event, error) {
	events, _, err := readEvents(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return events, err
}
