package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// IsGroup tells whether a name is that of a group rather than of an analysis.
func IsGroup(name string) bool { return strings.HasPrefix(name, "g-") }

// FindGroup finds a group of runs of this box by its id or a unique part of it.
func (e *Env) FindGroup(name string) (runner.Group, error) {
	runs, err := e.Store.List()
	if err != nil {
		return runner.Group{}, err
	}
	var fit []string
	for _, r := range runs {
		if r.Group == name && name != "" {
			return runner.GroupOf(runs, name), nil
		}
		if r.Group != "" && name != "" && strings.Contains(r.Group, name) && !slices.Contains(fit, r.Group) {
			fit = append(fit, r.Group)
		}
	}
	switch len(fit) {
	case 0:
		return runner.Group{}, client.NotFound("no group %q on this box; 'cytorun run --split' makes one", text.Line(name))
	case 1:
		return runner.GroupOf(runs, fit[0]), nil
	}
	return runner.Group{}, &ErrAmbiguous{What: "groups", Name: name, Candidates: fit}
}

// WaitGroup returns when every run of a group has ended, or with the context's
// error. seen is called when the counts have changed.
func (e *Env) WaitGroup(ctx context.Context, id string, seen func(runner.Group)) (runner.Group, error) {
	tick := time.NewTicker(5 * waitInterval)
	defer tick.Stop()
	last := ""
	for {
		runs, err := e.Store.List()
		if err != nil {
			return runner.Group{}, err
		}
		g := runner.GroupOf(runs, id)
		if now := g.String(); now != last && seen != nil {
			last = now
			seen(g)
		}
		if g.Live() == 0 {
			return g, nil
		}
		select {
		case <-ctx.Done():
			return g, ctx.Err()
		case <-tick.C:
		}
	}
}

// CancelGroup asks every run of a group that is not over to end, the waiting
// ones first so that none starts meanwhile. It tells how many were asked.
func (s *Session) CancelGroup(ctx context.Context, g runner.Group) (int, error) {
	live := slices.DeleteFunc(slices.Clone(g.Runs), func(r runner.Run) bool { return r.State.Ended() })
	if len(live) == 0 {
		return 0, fmt.Errorf("cannot cancel group %s: it is over already, %s", g.ID, g)
	}
	slices.SortStableFunc(live, func(a, b runner.Run) int {
		return rank(a.State) - rank(b.State)
	})
	asked := 0
	var failed []error
	for _, r := range live {
		err := s.Cancel(ctx, Analysis{Run: &r})
		if now, getErr := s.Env.Store.Get(r.ID); err != nil && getErr == nil && now.State.Ended() {
			continue // it ended in this moment
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		asked++
	}
	return asked, errors.Join(failed...)
}

// rank is 0 for what waits, 1 for what works.
func rank(s runner.State) int {
	if s == runner.Queued || s == runner.Created {
		return 0
	}
	return 1
}

// Repeat makes the requests that launch runs again in their places: the same
// values but for those that are set, in the same group, in the container of the
// same name as it is now.
func (s *Session) Repeat(ctx context.Context, runs []runner.Run, set []client.Value) ([]LaunchRequest, error) {
	requests := make([]LaunchRequest, 0, len(runs))
	for _, light := range runs {
		run, err := runner.ReadFolder(light.Folder)
		if err != nil {
			return nil, err
		}
		switch {
		case !run.State.Ended():
			return nil, fmt.Errorf("cannot launch %s again: it is %s; cancel it first", run.ID, run.State)
		case run.Server.URL != s.Profile.URL || run.Project.ID != s.Project.ID:
			return nil, fmt.Errorf("cannot launch %s again with the others: it belongs to project %s of %s", run.ID, text.Line(run.Project.Name), run.Server.URL)
		}
		r := LaunchRequest{
			Algorithm: algorithmOf(run.Algorithm), Values: run.Values, Runtime: run.Runtime, Container: run.Algorithm.Container,
			Note: run.Note, Strict: run.Strict, Cache: run.Cache,
			Group: run.Group, Part: run.Part, From: run.ID, StopAfter: run.StopAfter,
		}
		if s.isExact() && run.Job != 0 {
			// Its own job, whose failure is to be mended.
			r.Take = runner.TakeJob{ID: run.Job, Restart: true}
		}
		r.TakeResources(run, s.Env.Host)
		for _, v := range set {
			if run.Part != nil && strings.EqualFold(v.Parameter, run.Part.Parameter) {
				return nil, forms.Problems{{Parameter: v.Parameter, Message: "is what the group was split by; launch a new group with other values"}}
			}
		}
		if len(set) > 0 {
			if r.Values, err = s.Fill(ctx, r.Algorithm, r.Values, set); err != nil {
				return nil, err
			}
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// algorithmOf is an algorithm as a run keeps it.
func algorithmOf(spec runner.AlgorithmSpec) client.Algorithm {
	a := client.Algorithm{ID: spec.ID, Name: spec.Name, Version: spec.Version, Container: spec.Container, CommandLine: spec.CommandLine, Package: spec.Package, Writes: spec.Writes}
	for _, p := range spec.Parameters {
		a.Parameters = append(a.Parameters, client.Parameter{Parameter: p.Parameter, ServerID: p.ServerID})
	}
	return a
}

// Remaining is what a group still lacks.
type Remaining struct {
	// Runs have no result: they failed, were lost or cancelled. Live ones are
	// not among them.
	Runs []runner.Run
	// Half are those of Runs that left something on the server.
	Half []HalfWritten
	// Missing are parts of a split that were never launched, because the launch
	// itself was cut off.
	Missing int
}

// HalfWritten is a run that wrote results and did not come to a good end.
type HalfWritten struct {
	Run                runner.Run
	Annotations, Files int
}

// Remaining finds out what a group still lacks. The server is asked about the
// runs that may have left something there.
func (s *Session) Remaining(ctx context.Context, g runner.Group) (Remaining, error) {
	var r Remaining
	parts := map[int]bool{}
	of := 0
	for _, run := range g.Runs {
		if run.Part != nil {
			parts[run.Part.Index] = true
			of = run.Part.Of
		}
		if run.State.Ended() && run.State != runner.Succeeded {
			r.Runs = append(r.Runs, run)
		}
	}
	r.Missing = max(of-len(parts), 0)
	half, err := s.halfWritten(ctx, r.Runs)
	r.Half = half
	return r, err
}

func (s *Session) halfWritten(ctx context.Context, runs []runner.Run) ([]HalfWritten, error) {
	found := make([]HalfWritten, len(runs))
	var failed error
	var mu sync.Mutex
	var all sync.WaitGroup
	free := make(chan struct{}, startAtOnce)
	for i, run := range runs {
		if run.Started.IsZero() || run.Job == 0 || leftNothing(run) || s.redone(Analysis{Run: &run}) {
			continue
		}
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			results, err := s.Results(ctx, Analysis{Run: &run})
			if errors.Is(err, client.ErrNotFound) {
				return // the job is gone with all it wrote
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = fmt.Errorf("cannot find out what %s left on the server: %w", run.ID, err)
				return
			}
			found[i] = HalfWritten{Run: run, Annotations: results.Annotations(), Files: len(results.Files)}
		})
	}
	all.Wait()
	return slices.DeleteFunc(found, func(h HalfWritten) bool { return h.Annotations+h.Files == 0 }), failed
}

// leftNothing tells that a run is known to have left nothing on the server.
func leftNothing(run runner.Run) bool {
	o, ok := runner.ReadOutputs(run.Folder)
	return ok && len(o.Terms) == 0 && len(o.Files) == 0
}

// DeleteResults deletes what a run left on the server.
func (s *Session) DeleteResults(ctx context.Context, run runner.Run) error {
	deleter, ok := s.Server.(client.ResultDeleter)
	if !ok {
		return fmt.Errorf("cannot delete the results of %s: %w", run.ID, client.ErrUnsupported)
	}
	if s.redone(Analysis{Run: &run}) {
		return nil // what the job has now is a later run's
	}
	err := deleter.DeleteResults(ctx, run.Job)
	switch {
	case errors.Is(err, client.ErrForbidden):
		return fmt.Errorf("%w; only a manager of the project may: ask one, or keep them", err)
	case errors.Is(err, client.ErrInvalid):
		return fmt.Errorf("%w; keep them, or have the reviews of its annotations withdrawn", err)
	case errors.Is(err, client.ErrNotFound):
		return nil // gone already
	}
	return err
}
