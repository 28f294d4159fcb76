package app

import (
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// Analysis is what people list and compare: a job of the server together with
// its run, when the run was made here. One of the two may be missing: a run
// whose job the server has not accepted yet, a job that ran elsewhere.
type Analysis struct {
	Run *runner.Run
	Job *client.Job
}

// Tone says how a state should strike the eye.
type Tone int

// The tones of a state.
const (
	Quiet Tone = iota
	Busy
	Good
	Warn
	Bad
)

// State is the state of an analysis in one word of the screens.
type State struct {
	Word string
	Tone Tone
	Live bool // something may still happen by itself
}

// Key identifies an analysis for as long as it exists: the run id, or job:ID
// for a job without a run here.
func (a Analysis) Key() string {
	if a.Run != nil {
		return a.Run.ID
	}
	if a.Job != nil {
		return fmt.Sprintf("job:%d", a.Job.ID)
	}
	return ""
}

// JobID is the id of the server's record, 0 while there is none.
func (a Analysis) JobID() client.ID {
	if a.Job != nil {
		return a.Job.ID
	}
	if a.Run != nil {
		return a.Run.Job
	}
	return 0
}

// Name is the algorithm's name with its version, as listed.
func (a Analysis) Name() string {
	if a.Run != nil {
		al := client.Algorithm{Name: a.Run.Algorithm.Name, Version: a.Run.Algorithm.Version}
		return al.FullName()
	}
	if a.Job != nil {
		if a.Job.AlgorithmName != "" {
			return a.Job.AlgorithmName
		}
		return fmt.Sprintf("algorithm %d", a.Job.Algorithm)
	}
	return ""
}

// NameAsRun is Name, and what was not the algorithm's own: then name and version
// are no evidence of what ran.
func (a Analysis) NameAsRun() string {
	if a.Run == nil || a.Run.Develop.Label() == "" {
		return a.Name()
	}
	return a.Name() + ", " + a.Run.Develop.Label()
}

// Number counts the analyses of one algorithm in one project; 0 before the
// server has given it one.
func (a Analysis) Number() int {
	if a.Job != nil && a.Job.Number > 0 {
		return a.Job.Number
	}
	if a.Run != nil {
		return a.Run.JobNumber
	}
	return 0
}

// Title names the analysis for people: "Nuclei #12", or the end of its run id
// while it has no number.
func (a Analysis) Title() string {
	name := a.Name()
	if a.Run != nil {
		name = a.Run.Algorithm.Name
	}
	if n := a.Number(); n > 0 {
		return fmt.Sprintf("%s #%d", name, n)
	}
	key := a.Key()
	if len(key) > 4 && a.Run != nil {
		key = key[len(key)-4:]
	}
	return name + " " + key
}

// State is the run's while it lives, the server's afterwards, and both where
// they disagree.
func (a Analysis) State() State {
	if a.Run == nil {
		return jobState(a.Job)
	}
	s := runState(*a.Run)
	// Before the server has been told everything it cannot but say something else.
	if s.Live || a.Job == nil || !a.Run.State.Ended() || a.Run.Result != nil && !a.Run.Result.Confirmed {
		return s
	}
	j := jobState(a.Job)
	if j.Word != s.Word && !(a.Run.State == runner.Cancelled && a.Job.Status == client.Failed) &&
		!(a.Run.State == runner.Lost && a.Job.Status == client.Failed) {
		s.Word += ", on the server " + j.Word
		if s.Tone == Good {
			s.Tone = Warn
		}
	}
	return s
}

func runState(r runner.Run) State {
	if r.Cancelling && !r.State.Ended() {
		return State{Word: "cancelling", Tone: Busy, Live: true}
	}
	s := State{Word: string(r.State)}
	switch r.State {
	case runner.Succeeded:
		s.Tone = Good
		if r.Result != nil && len(r.Result.Warnings) > 0 {
			s.Tone = Warn
		}
	case runner.Failed, runner.Lost:
		s.Tone = Bad
	case runner.Cancelled:
		s.Tone = Quiet
	default:
		s.Tone, s.Live = Busy, true
	}
	return s
}

func jobState(j *client.Job) State {
	if j == nil {
		return State{Word: "unknown"}
	}
	s := State{Word: j.Status.String(), Live: !j.Status.Ended()}
	switch j.Status {
	case client.Success:
		s.Tone = Good
	case client.Failed:
		s.Tone = Bad
	case client.Killed:
		s.Word = string(runner.Cancelled)
	case client.Running, client.InQueue, client.Waiting:
		s.Tone = Busy
	case client.Indeterminate:
		s.Tone = Warn
	}
	return s
}

// Reason says in one line why the analysis waits or failed. It is untrusted.
func (a Analysis) Reason() string {
	if a.Run != nil {
		if a.Run.Reason != "" {
			return a.Run.Reason
		}
		if a.Run.Result != nil && a.Run.Result.Reason != "" {
			return a.Run.Result.Reason
		}
		if a.Run.Result != nil && len(a.Run.Result.Warnings) > 0 {
			return a.Run.Result.Warnings[0]
		}
		return ""
	}
	if a.Job != nil {
		return a.Job.Comment
	}
	return ""
}

// FirstError is the most telling line of the log, where a run here knows it.
func (a Analysis) FirstError() string {
	if a.Run != nil && a.Run.Result != nil {
		return a.Run.Result.FirstError
	}
	return ""
}

// Person is who launched it.
func (a Analysis) Person() string {
	if a.Run != nil && a.Run.Person != "" {
		return a.Run.Person
	}
	if a.Job != nil {
		return a.Job.Username
	}
	return ""
}

// Created is when it was launched.
func (a Analysis) Created() time.Time {
	if a.Run != nil {
		return a.Run.Created
	}
	if a.Job != nil {
		return a.Job.Created
	}
	return time.Time{}
}

// Duration is how long the program ran, up to now while it runs. Of a job that
// ran elsewhere only the times of its record are known, and only for one that
// ended they say something (contract §2.5: there is no running time).
func (a Analysis) Duration(now time.Time) time.Duration {
	if a.Run != nil {
		return a.Run.Duration(now)
	}
	if a.Job != nil && a.Job.Status.Ended() && a.Job.Updated.After(a.Job.Created) {
		return a.Job.Updated.Sub(a.Job.Created)
	}
	return 0
}

// staleJob tells that the job was read before its run began to redo it, so that it
// says how far an earlier run came.
func (a Analysis) staleJob() bool {
	return a.Run != nil && a.Run.Server.Kind == client.Exact && !a.Run.State.Ended() && a.Job.Updated.Before(a.Run.Created)
}

// Progress is 0..100, or -1 where nobody knows.
func (a Analysis) Progress() int {
	p := -1
	if a.Run != nil {
		p = a.Run.Progress
	}
	if a.Job != nil && !a.staleJob() && a.Job.Progress > p && (a.Run == nil || p >= 0 || a.Job.Progress > 0) {
		p = a.Job.Progress
	}
	if a.State().Word == string(runner.Succeeded) {
		return 100
	}
	return p
}

// Where says on what hardware it ran.
func (a Analysis) Where() string {
	if a.Run == nil {
		return "server"
	}
	where := "here"
	if a.Run.ForeignHost {
		where = a.Run.Host
	}
	if a.Run.Runtime == runner.Process {
		where += ", no container"
	}
	if label := a.Run.Develop.Label(); label != "" {
		where += ", " + label
	}
	return where
}
