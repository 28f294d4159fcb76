package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/servers"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Cleanup is the deleting of what analyses wrote to the server, such as all but the
// best of a sweep. The analyses themselves stay, with their parameters and logs.
type Cleanup struct {
	Gone []Analysis
	// Kept have a star or the tag keep, Live have not ended, Nowhere have no job
	// on this server, or one that a later run has redone: they are left alone.
	Kept, Live, Nowhere int
	Annotations, Files  int // of Gone, as far as they were counted
}

// PlanCleanup finds out what a clean-up of analyses would delete.
func (s *Session) PlanCleanup(ctx context.Context, analyses []Analysis) (Cleanup, error) {
	var c Cleanup
	marks, err := s.Marks()
	if err != nil {
		return c, err // without the marks nobody knows what is to be kept
	}
	asked := slices.Clone(analyses)
	err = s.inParallel(ctx, len(asked), func(ctx context.Context, i int) error {
		if asked[i].Job == nil {
			asked[i] = s.withJob(ctx, asked[i]) // it may have a star there
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	for _, a := range asked {
		switch {
		case marks.Of(a).Kept():
			c.Kept++
		case a.State().Live:
			c.Live++
		case a.JobID() == 0 || a.Run != nil && a.Run.Server.URL != s.Profile.URL, s.redone(a):
			c.Nowhere++
		default:
			c.Gone = append(c.Gone, a)
		}
	}
	var mu sync.Mutex
	err = s.inParallel(ctx, len(c.Gone), func(ctx context.Context, i int) error {
		r, err := s.Results(ctx, c.Gone[i])
		if errors.Is(err, client.ErrNotFound) {
			return nil // the job is gone with all it wrote
		}
		if err != nil {
			return err
		}
		mu.Lock()
		c.Annotations += r.Annotations()
		c.Files += len(r.Files)
		mu.Unlock()
		return nil
	})
	return c, err
}

// inParallel does something for 0..n-1, a few at once, and stops at the first error.
func (s *Session) inParallel(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(compareWorkers, n) {
		wg.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// Cleaned is how far a clean-up is, or what came of it.
type Cleaned struct {
	Analyses, Of int
	Annotations  int // deleted
	Files        int
	Reviewed     int           // annotations that people have confirmed: they stay
	Left         time.Duration // about how long it still takes; 0 unknown
}

// String says it in a line.
func (c Cleaned) String() string {
	s := fmt.Sprintf("%d of %d analyses, %s and %s deleted", c.Analyses, c.Of, text.Plural(c.Annotations, "annotation"), text.Plural(c.Files, "file"))
	if c.Reviewed > 0 {
		s += fmt.Sprintf(", %s kept", text.Plural(c.Reviewed, "reviewed annotation"))
	}
	if c.Left > 0 {
		s += ", about " + text.Duration(c.Left) + " left"
	}
	return s
}

// Clean deletes what analyses wrote: all at once where the person may, else one by
// one with the keys of each job. Annotations that people have reviewed stay. What is
// still to be done is on disk, so that a clean-up that was cut off goes on with
// UnfinishedCleanup. seen is told of progress and may be nil.
func (s *Session) Clean(ctx context.Context, plan Cleanup, seen func(Cleaned)) (Cleaned, error) {
	c := &cleaner{s: s, began: time.Now(), expected: plan.Annotations, seen: seen, done: Cleaned{Of: len(plan.Gone)}}
	others, err := s.otherCleanups(plan.Gone)
	if err == nil {
		err = s.keepCleanup(plan.Gone, others)
	}
	if err != nil {
		return c.done, err
	}
	for i, a := range plan.Gone {
		if err := c.analysis(ctx, a); err != nil {
			return c.done, fmt.Errorf("cannot clean up after %s: %w; what is left goes on with 'cytorun results delete --resume'", a.Title(), err)
		}
		c.step(func(d *Cleaned) { d.Analyses++ })
		if err := s.keepCleanup(plan.Gone[i+1:], others); err != nil {
			return c.done, err
		}
	}
	c.done.Left = 0
	return c.done, nil
}

// cleaner does one clean-up.
type cleaner struct {
	s        *Session
	began    time.Time
	expected int // annotations in all
	seen     func(Cleaned)

	mu   sync.Mutex
	done Cleaned
}

func (c *cleaner) step(change func(*Cleaned)) {
	c.mu.Lock()
	defer c.mu.Unlock() // seen too is told one thing at a time
	change(&c.done)
	if n := c.done.Annotations; n > 0 && c.expected > n {
		c.done.Left = time.Duration(float64(time.Since(c.began)) / float64(n) * float64(c.expected-n))
	}
	if c.seen != nil {
		c.seen(c.done)
	}
}

// analysis deletes what one wrote.
func (c *cleaner) analysis(ctx context.Context, a Analysis) error {
	before, err := c.s.Results(ctx, a)
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.s.Env.answers().Delete(c.s.resultsKey(a)) // as they were before
	n := before.Annotations()
	if n == 0 && len(before.Files) == 0 {
		return nil
	}
	if deleter, ok := c.s.Server.(client.ResultDeleter); ok {
		err := deleter.DeleteResults(ctx, a.JobID())
		switch {
		case err == nil, errors.Is(err, client.ErrNotFound):
			c.step(func(d *Cleaned) { d.Annotations += n; d.Files += len(before.Files) })
			return nil
		case errors.Is(err, client.ErrForbidden), errors.Is(err, client.ErrInvalid), errors.Is(err, client.ErrUnsupported):
			// Not a manager, or some are reviewed: one by one.
		default:
			return err
		}
	}
	return c.oneByOne(ctx, a, before.Files)
}

// oneByOne deletes what a job wrote with the job's own keys.
func (c *cleaner) oneByOne(ctx context.Context, a Analysis, files []client.JobFile) error {
	eraser, err := c.s.asJob(ctx, a)
	if err != nil {
		return err
	}
	s, lister, err := c.s.lister(a)
	if err != nil {
		return err
	}
	var ids []client.ID
	err = lister.Annotations(ctx, s.jobOf(a), false, func(x client.Annotation) error {
		if x.Reviewed {
			c.step(func(d *Cleaned) { d.Reviewed++ })
		} else {
			ids = append(ids, x.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.s.inParallel(ctx, len(ids), func(ctx context.Context, i int) error {
		if err := eraser.DeleteAnnotation(ctx, ids[i]); err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
		c.step(func(d *Cleaned) { d.Annotations++ })
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := eraser.DeleteJobFile(ctx, f.ID); err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
		c.step(func(d *Cleaned) { d.Files++ })
	}
	return nil
}

// asJob opens the server with the keys of an analysis' job.
func (s *Session) asJob(ctx context.Context, a Analysis) (client.ResultEraser, error) {
	holder, ok := s.Server.(client.JobKeys)
	if !ok {
		return nil, fmt.Errorf("cannot delete the results of %s one by one: %w", a.Title(), client.Unsupported(s.Server, client.ErasesOneByOne))
	}
	keys, err := holder.JobKeys(ctx, s.jobOf(a))
	if err != nil {
		return nil, err
	}
	server, err := servers.Open(s.Profile, keys, servers.Options{Version: s.Env.Version, Debug: s.Env.Debug})
	if err != nil {
		return nil, err
	}
	eraser, ok := server.(client.ResultEraser)
	if !ok {
		return nil, fmt.Errorf("cannot delete the results of %s one by one: %w", a.Title(), client.Unsupported(s.Server, client.ErasesOneByOne))
	}
	return eraser, nil
}

// cleanupFile is what is left of a clean-up.
type cleanupFile struct {
	Schema  int                  `json:"schema"`
	Server  string               `json:"server"`
	Project client.ID            `json:"project"`
	Jobs    map[client.ID]string `json:"jobs"` // the run of each, or nothing
}

func (s *Session) cleanupPath() string {
	return filepath.Join(s.Env.Paths.State, "cleanup-"+hashed(s.Profile.URL)+".json")
}

// keepCleanup writes down what is still to be done, also of other clean-ups; nothing
// takes the file away.
func (s *Session) keepCleanup(left []Analysis, others map[client.ID]string) error {
	if len(left)+len(others) == 0 {
		if err := os.Remove(s.cleanupPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	f := cleanupFile{Schema: runner.Schema, Server: s.Profile.URL, Project: s.Project.ID, Jobs: map[client.ID]string{}}
	maps.Copy(f.Jobs, others)
	for _, a := range left {
		run := ""
		if a.Run != nil {
			run = a.Run.ID
		}
		f.Jobs[a.JobID()] = run
	}
	if err := os.MkdirAll(s.Env.Paths.State, 0o700); err != nil {
		return err
	}
	return runner.WriteJSON(s.cleanupPath(), f)
}

// readCleanup is what was written down, empty where nothing was.
func (s *Session) readCleanup() (f cleanupFile, err error) {
	data, err := os.ReadFile(s.cleanupPath())
	if errors.Is(err, os.ErrNotExist) {
		return cleanupFile{}, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		err = fmt.Errorf("cannot read what is left of a clean-up: %w", err)
	}
	return f, err
}

// otherCleanups is what earlier clean-ups left to be done besides these.
func (s *Session) otherCleanups(these []Analysis) (map[client.ID]string, error) {
	f, err := s.readCleanup()
	for _, a := range these {
		delete(f.Jobs, a.JobID())
	}
	return f.Jobs, err
}

// HasUnfinishedCleanup tells whether a clean-up was cut off.
func (s *Session) HasUnfinishedCleanup() bool {
	_, err := os.Stat(s.cleanupPath())
	return err == nil
}

// UnfinishedCleanup is what is left of a clean-up that was cut off; nothing where
// there was none. Analyses that got a star since are left alone.
func (s *Session) UnfinishedCleanup(ctx context.Context) (Cleanup, error) {
	f, err := s.readCleanup()
	if err != nil || len(f.Jobs) == 0 {
		return Cleanup{}, err
	}
	var left []Analysis
	for job, id := range f.Jobs {
		a := Analysis{Job: &client.Job{ID: job, Project: f.Project, Status: client.Success}}
		if run, err := s.Env.Store.Get(id); id != "" && err == nil {
			a = Analysis{Run: &run}
		} else if full, err := s.Server.Job(ctx, job); err == nil {
			a.Job = &full
		} else if errors.Is(err, client.ErrNotFound) {
			continue
		} else {
			return Cleanup{}, err
		}
		left = append(left, a)
	}
	plan, err := s.PlanCleanup(ctx, left)
	if err != nil {
		return plan, err
	}
	if plan.Annotations+plan.Files == 0 {
		plan.Gone = nil // it was cut off between the last deletion and noting it
	}
	return plan, s.keepCleanup(plan.Gone, nil) // what got a star since is settled
}
