package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client"
)

// summary is summary.json: what a list shows of a run in one small file. It is
// derived from the other files and may be missing, stale or empty.
type summary struct {
	Schema int `json:"schema"`
	// Events is the length of events.jsonl that it was made from: another
	// length there means that it is stale.
	Events int64 `json:"events"`
	// Final is set when nothing will change any more: the run has ended, and the
	// server and the person know.
	Final bool `json:"final,omitempty"`

	ID        string     `json:"id"`
	Group     string     `json:"group,omitempty"`
	Part      *Part      `json:"part,omitempty"`
	From      string     `json:"from,omitempty"`
	StopAfter int        `json:"stop_after,omitempty"`
	Created   time.Time  `json:"created"`
	Server    ServerRef  `json:"server"`
	Project   ProjectRef `json:"project"`
	Image     ImageRef   `json:"image,omitzero"`
	Algorithm struct {
		ID        client.ID `json:"id"`
		Name      string    `json:"name"`
		Version   string    `json:"version,omitempty"`
		Container string    `json:"container,omitempty"`
	} `json:"algorithm"`
	Runtime   Runtime   `json:"runtime"`
	Resources Resources `json:"resources"`
	Note      string    `json:"note,omitempty"`
	Develop   *Develop  `json:"develop,omitempty"`
	Person    string    `json:"person"`
	User      string    `json:"user"`
	Host      string    `json:"host"`
	BootID    string    `json:"boot_id"`

	State     State        `json:"state"`
	Reason    string       `json:"reason,omitempty"`
	Job       client.ID    `json:"job,omitempty"`
	JobNumber int          `json:"job_number,omitempty"`
	UserJob   client.ID    `json:"user_job,omitempty"`
	Progress  int          `json:"progress"`
	Ticket    int64        `json:"ticket,omitempty"`
	Started   time.Time    `json:"started,omitzero"`
	Ended     time.Time    `json:"ended,omitzero"`
	Boot      string       `json:"boot"`
	Heartbeat time.Time    `json:"heartbeat"`
	Result    *lightResult `json:"result,omitempty"`
}

// lightResult is what a list needs of a result.
type lightResult struct {
	Reason      string   `json:"reason,omitempty"`
	Advice      string   `json:"advice,omitempty"`
	Warnings    []string `json:"warnings,omitempty"`
	Confirmed   bool     `json:"confirmed"`
	Unreported  string   `json:"unreported,omitempty"`
	Untold      bool     `json:"untold,omitempty"`
	FirstError  string   `json:"first_error,omitempty"`
	Annotations int      `json:"annotations"`
	MaxRSS      int64    `json:"max_rss,omitempty"`
	CPU         float64  `json:"cpu,omitempty"`
	GPU         *GPUUse  `json:"gpu,omitempty"`
}

func writeSummary(r Run, events int64) error {
	s := summary{
		Schema: Schema, Events: events,
		ID: r.ID, Group: r.Group, Part: r.Part, From: r.From, StopAfter: r.StopAfter, Created: r.Created, Server: r.Server, Project: r.Project, Image: r.Image,
		Runtime: r.Runtime, Resources: r.Resources, Note: r.Note, Develop: r.Develop,
		Person: r.Person, User: r.User, Host: r.Host, BootID: r.BootID,
		State: r.State, Reason: r.Reason, Job: r.Job, JobNumber: r.JobNumber, UserJob: r.UserJob,
		Progress: r.Progress, Ticket: r.Ticket, Started: r.Started, Ended: r.Ended, Boot: r.Boot, Heartbeat: r.Heartbeat,
	}
	s.Algorithm.ID, s.Algorithm.Name = r.Algorithm.ID, r.Algorithm.Name
	s.Algorithm.Version, s.Algorithm.Container = r.Algorithm.Version, r.Algorithm.Container
	if res := r.Result; res != nil && r.State.Ended() {
		s.Result = &lightResult{
			Reason: res.Reason, Advice: res.Advice, Warnings: res.Warnings, Confirmed: res.Confirmed,
			Unreported: res.Unreported, Untold: res.Untold, FirstError: res.FirstError, Annotations: res.Annotations,
			GPU: res.GPU,
		}
		if res.Exit != nil {
			s.Result.MaxRSS, s.Result.CPU = res.Exit.MaxRSS, res.Exit.CPU
		}
		s.Final = res.Confirmed && !res.Untold
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(r.Folder, SummaryFile), data, false)
}

func (s summary) run(folder string) Run {
	r := Run{
		Folder: folder, State: s.State, Reason: s.Reason, Job: s.Job, JobNumber: s.JobNumber, UserJob: s.UserJob,
		Progress: s.Progress, Ticket: s.Ticket, Started: s.Started, Ended: s.Ended, Boot: s.Boot, Heartbeat: s.Heartbeat,
		ForeignHost: foreign(folder, s.Host),
	}
	r.Spec = Spec{
		Schema: s.Schema, ID: s.ID, Group: s.Group, Part: s.Part, From: s.From, StopAfter: s.StopAfter, Created: s.Created, Server: s.Server, Project: s.Project, Image: s.Image,
		Runtime: s.Runtime, Resources: s.Resources, Note: s.Note, Develop: s.Develop,
		Person: s.Person, User: s.User, Host: s.Host, BootID: s.BootID,
	}
	r.Algorithm.ID, r.Algorithm.Name = s.Algorithm.ID, s.Algorithm.Name
	r.Algorithm.Version, r.Algorithm.Container = s.Algorithm.Version, s.Algorithm.Container
	if s.Schema > Schema {
		r.Problem = fmt.Errorf("summary of schema %d: %w", s.Schema, ErrNewerSchema)
	}
	if l := s.Result; l != nil {
		r.Result = &Result{
			Schema: Schema, State: s.State, Reason: l.Reason, Advice: l.Advice, Warnings: l.Warnings, Ended: s.Ended,
			Confirmed: l.Confirmed, Unreported: l.Unreported, Untold: l.Untold, FirstError: l.FirstError, Annotations: l.Annotations,
			GPU: l.GPU,
		}
		if l.MaxRSS > 0 {
			r.Result.Exit = &Exit{Schema: Schema, MaxRSS: l.MaxRSS, CPU: l.CPU}
		}
	}
	return r
}

// readLight reads what a list shows of a run: the summary where it is true,
// else the whole folder. final tells that reading it again is no use. buffer is
// for the summary.
func readLight(folder string, buffer []byte) (run Run, final bool, err error) {
	var s summary
	data, err := readSmall(folder+"/"+SummaryFile, buffer)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.Schema <= Schema {
		if s.Final {
			return s.run(folder), true, nil
		}
		if st, err := os.Stat(filepath.Join(folder, EventsFile)); err == nil && st.Size() == s.Events {
			run = s.run(folder)
			run.readSigns()
			return run, false, nil
		}
	}
	run, err = ReadFolder(folder)
	run.Algorithm.Parameters, run.Algorithm.CommandLine, run.Values = nil, "", nil
	return run, false, err
}

// readSmall reads a file into buffer with the three system calls that it takes:
// a list reads thousands, and os.ReadFile makes nine.
func readSmall(path string, buffer []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buffer)
	if err == nil && n < len(buffer) {
		return buffer[:n], nil
	}
	return os.ReadFile(path)
}
