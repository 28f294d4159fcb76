package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// mostCandidates bounds how many successes are looked at, the latest first.
const mostCandidates = 200

// Near is the analysis that succeeded and differs least from another.
type Near struct {
	Analysis
	// Differs names the parameters in which they differ, with both values.
	Differs []string
}

// Nearest finds the analysis of the same algorithm that succeeded with the fewest
// different parameters, of any version; among equals the same version, then the
// closest in time. known are analyses that tell which versions there are. It makes
// one request for jobs with their parameters, however many there are.
func (s *Session) Nearest(ctx context.Context, a Analysis, known []Analysis) (Near, error) {
	a, err := s.full(a)
	if err != nil {
		return Near{}, err
	}
	if a.Run == nil && a.Job != nil && a.Job.Parameters == nil {
		job, err := s.Server.Job(ctx, a.Job.ID)
		if err != nil {
			return Near{}, err
		}
		a.Job = &job
	}
	candidates, err := s.successes(ctx, a, known)
	if err != nil && len(candidates) == 0 {
		return Near{}, err
	}
	if len(candidates) == 0 {
		name, _ := a.NameAndVersion()
		return Near{}, client.NotFound("no other analysis of %s succeeded that this one could be compared with", text.Line(name))
	}
	c := newComparing(s)
	c.names.off = true // names take requests, and do not tell values apart
	mine := compare.Input{Entries: c.parameters(ctx, a)}
	_, version := a.NameAndVersion()
	best, least := -1, [3]int{}
	var rows []compare.Row
	for i, other := range candidates {
		if ctx.Err() != nil {
			return Near{}, ctx.Err()
		}
		t := compare.New([]compare.Input{{Entries: c.parameters(ctx, other)}, mine})
		differs := t.DifferentParameters()
		_, v := other.NameAndVersion()
		rank := [3]int{len(differs), 0, int(a.Created().Sub(other.Created()).Abs().Seconds())}
		if v != version {
			rank[1] = 1
		}
		if best < 0 || slices.Compare(rank[:], least[:]) < 0 {
			best, least, rows = i, rank, differs
		}
	}
	n := Near{Analysis: candidates[best]}
	for _, r := range rows {
		n.Differs = append(n.Differs, fmt.Sprintf("%s (%s, here %s)", r.Label, cellWord(r.Cells[0]), cellWord(r.Cells[1])))
	}
	return n, nil
}

func cellWord(c compare.Cell) string {
	if c.Missing {
		return "not set"
	}
	return c.Text
}

// successes are the latest analyses of the same algorithm that succeeded, with
// their values. An error comes with those that this box knows.
func (s *Session) successes(ctx context.Context, a Analysis, known []Analysis) ([]Analysis, error) {
	name, _ := a.NameAndVersion()
	same := func(o Analysis) bool {
		n, _ := o.NameAndVersion()
		return strings.EqualFold(n, name)
	}
	runs, err := s.runs()
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(runs, func(r runner.Run) bool { return !same(Analysis{Run: &r}) })
	filter := client.JobFilter{Project: s.Project.ID, Statuses: []client.Status{client.Success}, WithParameters: true, Max: mostCandidates}
	for _, o := range append([]Analysis{a}, known...) {
		id := client.ID(0)
		if o.Run != nil {
			id = o.Run.Algorithm.ID
		} else if o.Job != nil {
			id = o.Job.Algorithm
		}
		if id != 0 && same(o) && !slices.Contains(filter.Algorithms, id) {
			filter.Algorithms = append(filter.Algorithms, id)
		}
	}
	var page client.JobPage
	var failed error
	if s.Project.ID != 0 && len(filter.Algorithms) > 0 {
		page, failed = s.Server.Jobs(ctx, filter)
	}
	var out []Analysis
	for _, o := range join(runs, page.Jobs) {
		if o.Key() == a.Key() || o.JobID() != 0 && o.JobID() == a.JobID() || !succeeded(o) || len(out) == mostCandidates {
			continue
		}
		if full, err := s.full(o); err == nil {
			out = append(out, full)
		}
	}
	return out, failed
}

// succeeded tells whether an analysis came to a good end, if perhaps with warnings.
func succeeded(a Analysis) bool {
	if a.Run != nil {
		return a.Run.State == runner.Succeeded && !a.Run.Develop.ByHand()
	}
	return a.Job != nil && a.Job.Status == client.Success
}

// Deleted says what Delete took away.
type Deleted struct {
	Run, Job bool
	// Stays says why the job is still on the server, if it is.
	Stays error
}

// Delete takes an analysis away that has ended: its folder on this box, and its job
// on the server with everything it wrote, where the person may. A server that does
// not answer, or that keeps the job because people have reviewed its results, is an
// error, and then the folder stays too.
func (s *Session) Delete(ctx context.Context, a Analysis) (Deleted, error) {
	var d Deleted
	if a.State().Live {
		return d, fmt.Errorf("cannot delete %s: it is %s; cancel it first", a.Title(), text.Line(a.State().Word))
	}
	if id := a.JobID(); id != 0 && (a.Run == nil || a.Run.Server.URL == s.Profile.URL) && !s.redone(a) {
		deleter, ok := s.Server.(client.JobDeleter)
		err := client.ErrUnsupported
		if ok {
			err = deleter.DeleteJob(ctx, id)
		}
		switch {
		case err == nil || errors.Is(err, client.ErrNotFound):
			d.Job = err == nil
		case a.Run != nil && (errors.Is(err, client.ErrForbidden) || errors.Is(err, client.ErrUnsupported)):
			d.Stays = err
		default:
			return d, fmt.Errorf("cannot delete %s: %w", a.Title(), err)
		}
	}
	if a.Run == nil {
		return d, nil
	}
	if err := s.Env.Store.Delete(a.Run.ID); err != nil {
		return d, err
	}
	d.Run = true
	return d, nil
}
