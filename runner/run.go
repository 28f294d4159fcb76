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
	FactDigest    = "container_digest"
	FactProgress  = "progress"
)

// Exit is exit.json: how the container's process ended.
type Exit struct {
	Schema  int       `json:"schema"`
	Code    int       `json:"code"`             // -1 when it died of a signal
	Signal  string    `json:"signal,omitempty"` // such as "killed"
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	MaxRSS  int64     `json:"max_rss,omitempty"` // bytes, largest process
	CPU     float64   `json:"cpu,omitempty"`     // seconds, user and system
}

// Result is result.json: the verdict, written once.
type Result struct {
	Schema      int       `json:"schema"`
	State       State     `json:"state"`
	Reason      string    `json:"reason,omitempty"`
	Warnings    []string  `json:"warnings,omitempty"`
	Ended       time.Time `json:"ended"`
	Exit        *Exit     `json:"exit,omitempty"`
	Digest      string    `json:"container_digest,omitempty"`
	Confirmed   bool      `json:"confirmed"` // the server has everything
	Unreported  string    `json:"unreported,omitempty"`
	FirstError  string    `json:"first_error,omitempty"`
	Annotations int       `json:"annotations"` // on the server; -1 unknown
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
