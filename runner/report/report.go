// Package report tells the server about a run: it makes the job, says that it
// runs, attaches the log, and says how it ended.
//
// Rules:
//   - nothing is made twice: the id of the run is in the comment of its job,
//     and after a lost answer the server is asked before anything is repeated;
//   - the server keeps no versions and an update replaces the whole job, so
//     between start and end of the program nothing is written that could undo
//     what the program itself wrote;
//   - what the program said of its own success or failure is kept wherever it
//     does not contradict how it ended;
//   - what has to arrive goes through the Outbox and survives our death.
package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
)

// Timeout bounds one exchange with the server, except uploads of logs.
const Timeout = 20 * time.Second

// maxComment is the server's limit for a job's comment, in characters.
const maxComment = 255

// MaxValue is the server's limit for the value of a job parameter, in
// characters as Java counts them (contract §7.13).
const MaxValue = 5000

func tooLong(value string) bool { return len(utf16.Encode([]rune(value))) > MaxValue }

// Mark is what makes the job of a run findable by the run's id.
func Mark(run string) string { return "cytorun " + run }

// Comment is a text for people that ends with the mark of its run.
func Comment(run, text string) string {
	mark := Mark(run)
	text = strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
	if text == "" {
		return mark
	}
	room := maxComment - utf8.RuneCountInString(mark) - len(" ()")
	if utf8.RuneCountInString(text) > room {
		text = string([]rune(text)[:room-1]) + "…"
	}
	return text + " (" + mark + ")"
}

// CreateJob makes the job of a run on the server. look is true when an earlier
// try may have made it although its answer never came.
func CreateJob(ctx context.Context, server client.Server, spec runner.Spec, look bool) (client.Job, error) {
	if x, ok := server.(*exact.Client); ok {
		ctx, stop := context.WithTimeout(ctx, Timeout)
		defer stop()
		return createExact(ctx, x, spec, look)
	}
	if look {
		job, err := FindJob(ctx, server, spec)
		if err == nil || !errors.Is(err, client.ErrNotFound) {
			return job, err
		}
	}
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	job, err := server.CreateJob(ctx, NewJob(spec))
	if err != nil {
		return job, fmt.Errorf("cannot create the job on the server: %w", err)
	}
	return job, nil
}

// NewJob is the job of a run as it is made.
func NewJob(spec runner.Spec) client.NewJob {
	return client.NewJob{
		Project: spec.Project.ID, Algorithm: spec.Algorithm.ID, Image: spec.Image.ID,
		Comment: Mark(spec.ID), Status: client.InQueue, Parameters: Parameters(spec),
	}
}

// FindJob looks for the job that was made for a run. ErrNotFound tells that the
// server has none.
func FindJob(ctx context.Context, server client.Server, spec runner.Spec) (client.Job, error) {
	if x, ok := server.(*exact.Client); ok {
		return findExact(ctx, x, spec)
	}
	const page = 100
	// Clocks of servers differ from ours, by minutes and by time zones.
	oldest := spec.Created.Add(-48 * time.Hour)
	for offset := 0; ; offset += page {
		found, err := jobs(ctx, server, client.JobFilter{
			Project: spec.Project.ID, Algorithms: []client.ID{spec.Algorithm.ID}, Max: page, Offset: offset,
		})
		if err != nil {
			return client.Job{}, fmt.Errorf("cannot look for the job of run %s on the server: %w", spec.ID, err)
		}
		old := len(found.Jobs) < page
		for _, j := range found.Jobs {
			if strings.Contains(j.Comment, Mark(spec.ID)) {
				return j, nil
			}
			old = old || !j.Created.IsZero() && j.Created.Before(oldest)
		}
		if old {
			return client.Job{}, client.NotFound("no job of run %s", spec.ID)
		}
	}
}

func jobs(ctx context.Context, server client.Server, f client.JobFilter) (client.JobPage, error) {
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	return server.Jobs(ctx, f)
}

// Parameters are the values that the server keeps with the job: all that were
// chosen, also a cleared default, but none that the server sets and no secret.
// A value that is too long for the server is left out; see TooLong.
func Parameters(spec runner.Spec) []client.NewJobParameter {
	var ps []client.NewJobParameter
	forEachValue(spec, func(p runner.ParameterSpec, text string) {
		if !tooLong(text) {
			ps = append(ps, client.NewJobParameter{Parameter: p.ServerID, Value: text})
		}
	})
	return ps
}

// TooLong names the parameters whose values the server cannot keep. They reach
// the program all the same.
func TooLong(spec runner.Spec) []string {
	var names []string
	forEachValue(spec, func(p runner.ParameterSpec, text string) {
		if tooLong(text) {
			names = append(names, p.ID)
		}
	})
	return names
}

func forEachValue(spec runner.Spec, f func(runner.ParameterSpec, string)) {
	known := make(map[string]runner.ParameterSpec, len(spec.Algorithm.Parameters))
	for _, p := range spec.Algorithm.Parameters {
		known[p.ID] = p
	}
	for _, v := range spec.Values {
		p, ok := known[v.Parameter]
		if ok && p.ServerID != 0 && !p.IsServerInput() && !p.IsSecret() {
			f(p, v.Text)
		}
	}
}

// Status says that the run is in a state before the program starts. It must
// have returned before the program does.
func Status(ctx context.Context, server client.Server, run runner.Run, status client.Status, text string) error {
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	if x, ok := server.(*exact.Client); ok {
		if status != client.Running {
			return nil // a claimed job has no further states
		}
		return beginExact(ctx, x, run)
	}
	_, err := server.UpdateJob(ctx, run.Job, func(c *client.JobChange) error {
		comment := Comment(run.ID, text)
		if c.Status == status && c.Comment == comment {
			return client.ErrNoChange
		}
		c.Status, c.Comment = status, comment
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot update job %d: %w", run.Job, err)
	}
	return nil
}

// Progress writes the progress read from the log, for a program that never
// writes any itself. The job as the server has it now is asked first; done
// tells that the program writes its own, or has reported its end, so that
// nothing may be written any more.
func Progress(ctx context.Context, server client.Server, run runner.Run, percent, last int) (done bool, err error) {
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	_, err = server.UpdateJob(ctx, run.Job, func(c *client.JobChange) error {
		if c.Status != client.Running || c.Progress != last || !strings.Contains(c.Comment, Mark(run.ID)) {
			done = true
			return client.ErrNoChange
		}
		if percent <= c.Progress {
			return client.ErrNoChange
		}
		c.Progress = percent
		return nil
	})
	return done, err
}
