package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// StopAfter is after how many failures in a row a group stops where nobody said
// otherwise.
const StopAfter = 3

// Split makes one launch into several, each with size of the options that were
// chosen for a ListDomain parameter, such as one for each image. What cannot be
// split is a forms.Problems error.
func Split(r LaunchRequest, parameter string, size int) ([]LaunchRequest, error) {
	wrong := func(format string, args ...any) ([]LaunchRequest, error) {
		return nil, forms.Problems{{Parameter: parameter, Message: fmt.Sprintf(format, args...)}}
	}
	if size < 1 {
		return wrong("cannot be split into parts of %d; write --split %s:N with N of 1 or more", size, parameter)
	}
	var p descriptor.Parameter
	var names []string
	for _, q := range UserParameters(r.Algorithm) {
		if strings.EqualFold(q.ID, parameter) {
			p = q
		}
		if q.Type == descriptor.ListDomain {
			names = append(names, q.ID)
		}
	}
	if p.Type != descriptor.ListDomain {
		if len(names) == 0 {
			return wrong("cannot be split: %s has no parameter with a list of options", r.Algorithm.FullName())
		}
		return wrong("cannot be split: it is no list of options; these are: %s", strings.Join(names, ", "))
	}
	at, ids, labels := chosen(r.Values, p.ID)
	if len(ids) == 0 {
		return wrong("has no value to split; choose some, or all with -p %s=all", p.ID)
	}
	parts := (len(ids) + size - 1) / size
	requests := make([]LaunchRequest, 0, parts)
	for from := 0; from < len(ids); from += size {
		to := min(from+size, len(ids))
		part := r
		part.Values = append([]client.Value(nil), r.Values...)
		part.Values[at].Text = strings.Join(ids[from:to], ",")
		part.Values[at].Labels = nil
		if labels != nil {
			part.Values[at].Labels = labels[from:to]
		}
		part.Part = &runner.Part{Parameter: p.ID, Index: len(requests) + 1, Of: parts}
		requests = append(requests, part)
	}
	return requests, nil
}

// chosen finds the value of a parameter, and takes its ids and names apart.
// labels is nil where they do not belong to the ids one by one.
func chosen(values []client.Value, parameter string) (at int, ids, labels []string) {
	for i, v := range values {
		if v.Parameter != parameter {
			continue
		}
		for id := range strings.SplitSeq(v.Text, ",") {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, id)
			}
		}
		if len(v.Labels) == len(ids) {
			labels = v.Labels
		}
		return i, ids, labels
	}
	return -1, nil, nil
}

// startAtOnce is how many supervisors are started at the same time.
const startAtOnce = 4

// LaunchAll launches several runs as one. Either all of them are launched or
// none: they are all checked first and on disk before the first one starts.
func (s *Session) LaunchAll(ctx context.Context, requests []LaunchRequest) ([]runner.Run, error) {
	for i := range requests {
		requests[i].Runtime = s.runtime(requests[i])
	}
	if err := s.Check(ctx, requests...); err != nil {
		return nil, err
	}
	requests = s.develop(ctx, requests)
	runs := make([]runner.Run, 0, len(requests))
	var usual time.Duration
	if len(requests) > 0 {
		usual = s.typical(requests[0].Algorithm) // all are of one
	}
	for _, r := range requests {
		err := ctx.Err()
		var run runner.Run
		if err == nil {
			spec := s.spec(r)
			spec.Resources.Expected = usual
			run, err = s.Env.Store.Create(spec)
		}
		if err != nil {
			for _, made := range runs {
				_ = s.Env.Store.Discard(made.ID)
			}
			return nil, fmt.Errorf("none of %d analyses was launched: %w", len(requests), err)
		}
		runs = append(runs, run)
	}
	if err := s.startAll(runs); err != nil {
		return runs, err
	}
	for i := range runs {
		if run, err := s.Env.Store.Get(runs[i].ID); err == nil {
			runs[i] = run
		}
	}
	return runs, nil
}

// startAll gives every run its supervisor, in order as far as that goes: the
// queue is first come first served.
func (s *Session) startAll(runs []runner.Run) error {
	var failed error
	var mu sync.Mutex
	var all sync.WaitGroup
	free := make(chan struct{}, startAtOnce)
	for _, run := range runs {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			if err := supervisor.Start(run.Folder, s.Env.Executable, s.extraKeys()); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = fmt.Errorf("run %s is on disk but nobody watches it: %w; 'cytorun recover' tries again", run.ID, err)
			}
		})
	}
	all.Wait()
	return failed
}
