package runner

// State is where a run is in its life.
type State string

// The states of a run. Cancelling is a request while the run is alive, and
// unreported a flag of an ended run: neither is a state.
const (
	Created   State = "created"
	Queued    State = "queued"
	Preparing State = "preparing"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Lost      State = "lost"
)

// next is the one table of what may follow what. A run that succeeded while the
// server could not be reached fails late, when the server turns out to hold the
// program's own word that it failed.
var next = map[State][]State{
	Created:   {Queued},
	Queued:    {Preparing, Failed, Cancelled, Lost},
	Preparing: {Running, Failed, Cancelled, Lost},
	Running:   {Succeeded, Failed, Cancelled, Lost},
	Succeeded: {Failed},
}

// CanBecome tells whether a run in state s may go to t.
func (s State) CanBecome(t State) bool {
	for _, n := range next[s] {
		if n == t {
			return true
		}
	}
	return false
}

// Ended tells whether the run is over.
func (s State) Ended() bool {
	return s == Succeeded || s == Failed || s == Cancelled || s == Lost
}

// ExitCode is what `wait` and `run --wait` exit with for this state.
func (s State) ExitCode() int {
	switch s {
	case Succeeded:
		return 0
	case Failed:
		return 10
	case Cancelled:
		return 11
	case Lost:
		return 12
	}
	return 13
}
