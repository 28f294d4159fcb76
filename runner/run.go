package runner

import (
	"time"

	"github.com/cytorun/cytorun/client"
)

// Event is one line of events.jsonl: a change of state, or a fact worth
// keeping, with its time.
type Event struct {
	Schema int               `json:"schema"`
	Time   time.Time         `json:"time"`
	State  State             `json:"state,omitempty"` // empty: a fact, no change of state
	Reason string            `json:"reason,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
}

// Facts that events carry.
const (
	FactJob       = "job"        // id of the server's record
	FactJobNumber = "job_number" // its number within algorithm and project
	FactUserJob   = "user_job"   // id of the job's own user
	FactPID       = "pid"        // the container's process
	FactStart     = "start_time" // of that process, field 22 of /proc/PID/stat
	FactBoot      = "boot_id"
	FactProgress  = "progress"
	FactTicket    = "ticket" // its place in the box's queue
	FactGPUs      = "gpus"   // UUIDs of the GPUs it has, with commas
	// FactUnlimited says why limits of memory and processors that were asked for
	// do not hold.
	FactUnlimited = "unlimited"
	// FactCreating is written before the server is asked to make the job: from
	// then on a job may be there, even if no answer ever came.
	FactCreating = "creating_job"
)

// Started is started.json: the process that keep started for the container.
// Host, boot, pid and start time together name it for ever.
type Started struct {
	Schema int       `json:"schema"`
	Host   string    `json:"host"`
	BootID string    `json:"boot_id"`
	PID    int       `json:"pid"` // also its session
	Start  string    `json:"start_time"`
	Keep   int       `json:"keep"`
	Time   time.Time `json:"time"`
	Digest string    `json:"container_digest,omitempty"`
	// OOMKills counts what the kernel had killed for memory before it started;
	// see OOMCount.
	OOMKills OOMCount `json:"oom_kills"`
}

// Lives tells whether the container's process still runs on this box.
func (s Started) Lives() bool {
	// The boot tells boxes apart too, and stays when the name changes.
	here := s.BootID == BootID() && (s.BootID != "" || s.Host == Host())
	return here && Lives(s.PID, s.Start)
}

// Exit is exit.json: how the container's process ended.
type Exit struct {
	Schema  int       `json:"schema"`
	Code    int       `json:"code"`             // -1 when it died of a signal
	Signal  string    `json:"signal,omitempty"` // such as "killed"
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	MaxRSS  int64     `json:"max_rss,omitempty"` // bytes, largest process
	CPU     float64   `json:"cpu,omitempty"`     // seconds, user and system
	// OOMKills counts the processes that the kernel killed for memory while it
	// ran: in its own memory group, and on the whole box.
	OOMKills OOMCount `json:"oom_kills"`
	// Adopted is set when keep was gone and a supervisor asked the kernel for
	// the exit code in its place.
	Adopted bool `json:"adopted,omitempty"`
}

// Result is result.json: the verdict, written once.
type Result struct {
	Schema   int      `json:"schema"`
	State    State    `json:"state"`
	Reason   string   `json:"reason,omitempty"`
	Advice   string   `json:"advice,omitempty"` // what to try next, where a rule knows it
	Warnings []string `json:"warnings,omitempty"`
	// Provisional is set while the server could not be asked whether the
	// program had reported a failure of its own.
	Provisional bool      `json:"provisional,omitempty"`
	Ended       time.Time `json:"ended"`
	Exit        *Exit     `json:"exit,omitempty"`
	Digest      string    `json:"container_digest,omitempty"`
	Confirmed   bool      `json:"confirmed"` // the server has everything
	Unreported  string    `json:"unreported,omitempty"`
	// Untold is set until the person and the group have heard of the end.
	Untold      bool    `json:"untold,omitempty"`
	FirstError  string  `json:"first_error,omitempty"`
	Annotations int     `json:"annotations"` // on the server; -1 unknown
	GPU         *GPUUse `json:"gpu,omitempty"`
}

// Run is a run folder as it reads now.
type Run struct {
	Spec
	Folder string
	State  State
	// Reason says why a run waits, failed or was lost.
	Reason     string
	Cancelling bool // asked for, not yet dead
	Job        client.ID
	JobNumber  int
	UserJob    client.ID
	Progress   int       // 0..100, -1 unknown
	Started    time.Time // of the container; zero before
	Ended      time.Time // zero while it lives
	Result     *Result   // nil while it lives
	// ForeignHost is set when the run belongs to another host of a shared
	// home: it is shown, never judged or changed.
	ForeignHost bool
	Heartbeat   time.Time // last sign of life
	// Ticket is its place in the box's queue: lower is earlier; 0 before it has
	// one.
	Ticket int64
	GPUs   []string // UUIDs of the GPUs it has or had
	// Boot is the boot of its host in which it was launched or last resumed.
	Boot string
	// Problem says why the folder cannot be read completely or may not be
	// changed; errors.Is(Problem, ErrNewerSchema) tells one of its reasons.
	Problem error
}

// Duration is how long the container ran, up to now while it lives.
func (r Run) Duration(now time.Time) time.Duration {
	if r.Started.IsZero() {
		return 0
	}
	if r.Ended.IsZero() {
		return now.Sub(r.Started)
	}
	return r.Ended.Sub(r.Started)
}
