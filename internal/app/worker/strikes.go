package worker

import (
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
)

// A box on which an algorithm cannot work, for want of memory or of its container,
// would fail every job of it that waits, and faster than boxes on which it works.
// So an algorithm is left to others for a while when it failed here several times
// in a row.

// strike counts the failures of an algorithm in a row.
type strike struct {
	n     int
	until time.Time // nothing of it is claimed before
}

// strikesOut is how many failures in a row are too many; each more doubles the
// time, up to longestStrike.
const (
	strikesOut    = 3
	longestStrike = 6 * time.Hour
)

// ended learns from the end of a run of an algorithm.
func (w *Worker) ended(plugin client.ID, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !failed {
		delete(w.strikes, plugin)
		return
	}
	s := w.strikes[plugin]
	if s.n++; s.n >= strikesOut {
		s.until = time.Now().Add(min(w.pace.again<<min(s.n-strikesOut, 10), longestStrike))
	}
	w.strikes[plugin] = s
}

// struckOut tells until when an algorithm is left to others, and why; why is empty
// where it is not.
func (w *Worker) struckOut(plugin client.ID, name string) (until time.Time, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.strikes[plugin]
	if !time.Now().Before(s.until) {
		return time.Time{}, ""
	}
	return s.until, fmt.Sprintf("%s failed here %d times in a row; it is tried again at %s, or when the worker starts again ('cytorun analyses' tells why)",
		name, s.n, s.until.Format("15:04"))
}
