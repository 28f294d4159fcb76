package app

import (
	"context"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cache"
	"github.com/cytorun/cytorun/runner"
)

// Results is what an analysis wrote.
type Results struct {
	Counts []client.TermCount
	Files  []client.JobFile
}

// Annotations is the number of annotations over all terms.
func (r Results) Annotations() int {
	n := 0
	for _, c := range r.Counts {
		n += c.Count
	}
	return n
}

// Results reads what an analysis wrote to the server.
func (s *Session) Results(ctx context.Context, a Analysis) (Results, error) {
	var r Results
	if a.JobID() == 0 {
		return r, nil
	}
	s, err := s.home(a)
	if err != nil {
		return r, err
	}
	if s.redone(a) {
		if r, _, ok := RecordedResults(*a.Run); ok {
			return r, nil
		}
		return r, fmt.Errorf("the results of %s are no longer on the server: a later run has redone its job", a.Title())
	}
	job := s.jobOf(a)
	if counter, ok := s.Server.(client.AnnotationCounter); ok {
		if r.Counts, err = counter.AnnotationCounts(ctx, job); err != nil {
			return r, err
		}
	}
	if files, ok := s.Server.(client.FileStore); ok {
		if r.Files, err = files.JobFiles(ctx, job.ID); err != nil {
			return r, err
		}
	}
	if !a.State().Live {
		cache.Store(s.Env.answers(), s.resultsKey(a), r)
	}
	return r, nil
}

// jobOf is what is known of the job of an analysis.
func (s *Session) jobOf(a Analysis) client.Job {
	if a.Job != nil {
		return *a.Job
	}
	job := client.Job{ID: a.JobID(), Project: s.Project.ID}
	if a.Run != nil {
		job.Project, job.UserJob = a.Run.Project.ID, a.Run.UserJob
	}
	return job
}

func (s *Session) resultsKey(a Analysis) cache.Key {
	return s.answerKey("results of job " + idText(a.JobID()))
}

// keptResults are the results as somebody looked at them last, after the analysis
// had ended, and how long ago that was.
func (s *Session) keptResults(a Analysis) (r Results, age time.Duration, ok bool) {
	if a.JobID() == 0 || a.State().Live || s.redone(a) {
		return Results{}, 0, false
	}
	return cache.Load[Results](s.Env.answers(), s.resultsKey(a))
}

// RecordedResults are what the supervisor of a run saw on the server when the run
// had ended, with the checksums of files by their ids.
func RecordedResults(run runner.Run) (r Results, sums map[client.ID]string, ok bool) {
	o, ok := runner.ReadOutputs(run.Folder)
	if !ok {
		return Results{}, nil, false
	}
	sums = map[client.ID]string{}
	for _, f := range o.Files {
		r.Files = append(r.Files, client.JobFile{ID: f.ID, Key: f.Key, Name: f.Name, Size: f.Size})
		sums[f.ID] = f.SHA256
	}
	r.Counts = termCounts(o)
	return r, sums, true
}
