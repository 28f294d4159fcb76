package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A group is several runs that were launched as one: the parts of a split, the
// steps of a sweep. It is no file: the runs whose specs name it are the group.

// NewGroupID makes the name of a group, such as g-20261120-143205-k7qd.
func NewGroupID(now time.Time) string { return groupPrefix + NewID(now) }

const groupPrefix = "g-"

// Group is the runs that carry one group id.
type Group struct {
	ID string
	// Runs are the ones that count, oldest first: of a run and the ones that
	// repeat it, the last.
	Runs []Run
	// Replaced are the ones that another run of the group repeats.
	Replaced []Run
}

// GroupOf picks a group out of a list of runs.
func GroupOf(runs []Run, id string) Group {
	g := Group{ID: id}
	repeated := map[string]bool{}
	for _, r := range runs {
		if r.Group == id && id != "" && r.From != "" {
			repeated[r.From] = true
		}
	}
	for _, r := range runs {
		switch {
		case r.Group != id || id == "":
		case repeated[r.ID]:
			g.Replaced = append(g.Replaced, r)
		default:
			g.Runs = append(g.Runs, r)
		}
	}
	oldest := func(a, b Run) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	}
	slices.SortFunc(g.Runs, oldest)
	slices.SortFunc(g.Replaced, oldest)
	return g
}

// Live counts the runs that are not over.
func (g Group) Live() int {
	n := 0
	for _, r := range g.Runs {
		if !r.State.Ended() {
			n++
		}
	}
	return n
}

// Count counts the runs by state.
func (g Group) Count() map[State]int {
	n := map[State]int{}
	for _, r := range g.Runs {
		n[r.State]++
	}
	return n
}

// String says the counts in words: "11 succeeded, 1 failed".
func (g Group) String() string {
	count := g.Count()
	var parts []string
	for _, s := range []State{Succeeded, Failed, Lost, Cancelled, Running, Preparing, Queued, Created} {
		if n := count[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// State is the group's in one word: running while one of its runs is not over,
// then failed, lost or cancelled if one of them is, in this order.
func (g Group) State() State {
	count := g.Count()
	for _, s := range []State{Running, Preparing, Queued, Created, Failed, Lost, Cancelled} {
		if count[s] > 0 {
			return s
		}
	}
	return Succeeded
}

// FailuresInARow counts the runs that failed or were lost since the last that
// succeeded, in the order of their ends. Cancelled ones say nothing.
func (g Group) FailuresInARow() int {
	var ended []Run
	for _, r := range g.Runs {
		if r.State == Succeeded || r.State == Failed || r.State == Lost {
			ended = append(ended, r)
		}
	}
	slices.SortFunc(ended, func(a, b Run) int { return b.Ended.Compare(a.Ended) })
	n := slices.IndexFunc(ended, func(r Run) bool { return r.State == Succeeded })
	if n < 0 {
		return len(ended)
	}
	return n
}

// Stop asks the runs of the group that wait in the queue to end. Runs that are
// at work go on. It returns how many were asked.
func (g Group) Stop(reason string) int {
	n := 0
	for _, r := range g.Runs {
		if r.State != Queued || r.Cancelling || r.ForeignHost || r.Problem != nil {
			continue
		}
		if request(r.Folder, cancelFile, CancelRequest{Schema: Schema, By: "its group", Reason: reason, Time: time.Now().UTC()}) == nil {
			n++
		}
	}
	return n
}

// ClaimEnd tells, to one run alone, that the group has come to its end: to that
// one again when it asks again. A group to which runs were added comes to an end
// again. It costs nothing to ask while a run lives.
func (g Group) ClaimEnd(run string) bool {
	if len(g.Runs) == 0 || g.Live() > 0 {
		return false
	}
	// In the folder of the oldest run, for each size of the group: whoever makes
	// the file is the one.
	first := g.Runs[0]
	if len(g.Replaced) > 0 && g.Replaced[0].Created.Before(first.Created) {
		first = g.Replaced[0]
	}
	dir := filepath.Join(first.Folder, ControlDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false
	}
	path := filepath.Join(dir, fmt.Sprintf("group-ended-%d", len(g.Runs)+len(g.Replaced)))
	// A link is made with its content in one step.
	if err := os.Symlink(run, path); err == nil {
		return true
	}
	who, err := os.Readlink(path)
	return err == nil && who == run
}
