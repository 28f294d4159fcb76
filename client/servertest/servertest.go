// Package servertest is the one suite that every kind of server passes. It
// checks what the comments of client.Server and of the abilities promise, over
// the real protocol, against a server that the caller fills.
package servertest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Fixture is a server with known content. Each test gets a fresh one.
type Fixture struct {
	// Server is used by a person who may write in Project.
	Server client.Server
	// Second is another connection of the same person.
	Second client.Server
	// Nobody has keys that the server does not accept.
	Nobody client.Server
	// Stranger has good keys and may not see Project.
	Stranger client.Server
	// Username is the person's.
	Username string
	// Project has an ontology, images and Algorithm. OtherProject is another
	// one of the person, without anything.
	Project, OtherProject client.ID
	// Algorithm has the parameters that Parameters names, in this order, the
	// first of them set by the server.
	Algorithm  client.ID
	Parameters []string
	// Options is a list with more rows than one page holds. OptionField of its
	// rows has the values OptionNames, each once.
	Options     client.OptionQuery
	OptionField string
	OptionNames []string

	// As connects with the keys of a job's user.
	As func(*testing.T, client.Keys) client.Server
	// Mark sets a field of a job that client.Job does not have, behind our
	// back, and names it.
	Mark func(*testing.T, client.ID) (field string)
	// Annotate writes annotations as the job's user: count ones with the named
	// term of Project and as many without any term.
	Annotate func(t *testing.T, keys client.Keys, count int) (term string)
	// AddFile stores a result file as the job's user.
	AddFile func(t *testing.T, keys client.Keys, job client.ID, name string, data []byte)
}

// Run runs the suite.
func Run(t *testing.T, fixture func(*testing.T) Fixture) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"probe needs no keys", probe},
		{"current user", currentUser},
		{"projects", projects},
		{"algorithms", algorithms},
		{"options", options},
		{"create a job", createJob},
		{"refused jobs", refusedJobs},
		{"list jobs", listJobs},
		{"page through jobs", pageJobs},
		{"update keeps everything else", updateKeeps},
		{"update without change", updateNothing},
		{"concurrent updates", updateConcurrently},
		{"two connections update", updateFromTwo},
		{"log", attachLog},
		{"result files", jobFiles},
		{"keys of a job", jobKeys},
		{"annotations per term", annotationCounts},
		{"annotations one by one", listAnnotations},
		{"images", listImages},
		{"delete jobs", deleteJobs},
		{"erase results", eraseResults},
		{"delete results", deleteResults},
		{"register", register},
		{"cancelled calls", cancelled},
		{"strangers", strangers},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fixture(t)) })
	}
}

// ability gives the server as T, or skips the test.
func ability[T any](t *testing.T, server client.Server) T {
	t.Helper()
	able, ok := server.(T)
	if !ok {
		t.Skipf("this server has no such ability (%T)", (*T)(nil))
	}
	return able
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// is fails unless err is of a kind.
func is(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %q", err, kind)
	}
}

// missing is an id that no object has.
const missing client.ID = 1 << 40

func (f Fixture) newJob(t *testing.T, values ...string) client.Job {
	t.Helper()
	algorithm := must[client.Algorithm](t)(f.Server.Algorithm(t.Context(), f.Algorithm))
	j := client.NewJob{Project: f.Project, Algorithm: f.Algorithm, Comment: "cytorun test", Status: client.InQueue}
	for i, value := range values {
		j.Parameters = append(j.Parameters, client.NewJobParameter{Parameter: algorithm.Parameters[i+1].ServerID, Value: value})
	}
	return must[client.Job](t)(f.Server.CreateJob(t.Context(), j))
}

func probe(t *testing.T, f Fixture) {
	info := must[client.Info](t)(f.Nobody.Probe(t.Context()))
	if info.URL == "" || info.Kind == "" {
		t.Errorf("%+v", info)
	}
}

func currentUser(t *testing.T, f Fixture) {
	user := must[client.User](t)(f.Server.CurrentUser(t.Context()))
	if user.ID == 0 || user.Username != f.Username || user.Job != 0 {
		t.Errorf("%+v", user)
	}
	_, err := f.Nobody.CurrentUser(t.Context())
	is(t, err, client.ErrUnauthorised)
}

func cancelled(t *testing.T, f Fixture) {
	job := f.newJob(t)
	for name, call := range map[string]func(context.Context) error{
		"probe":      func(ctx context.Context) error { _, err := f.Server.Probe(ctx); return err },
		"user":       func(ctx context.Context) error { _, err := f.Server.CurrentUser(ctx); return err },
		"projects":   func(ctx context.Context) error { _, err := f.Server.Projects(ctx); return err },
		"algorithms": func(ctx context.Context) error { _, err := f.Server.Algorithms(ctx, f.Project); return err },
		"algorithm":  func(ctx context.Context) error { _, err := f.Server.Algorithm(ctx, f.Algorithm); return err },
		"options": func(ctx context.Context) error {
			return f.Server.Options(ctx, f.Options, func([]client.Option) error { return nil })
		},
		"jobs": func(ctx context.Context) error { _, err := f.Server.Jobs(ctx, client.JobFilter{}); return err },
		"update": func(ctx context.Context) error {
			_, err := f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Progress = 1; return nil })
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := call(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrUnreachable) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, out of time: %v", name, err)
		}
		cancel()
	}
}

func strangers(t *testing.T, f Fixture) {
	job := f.newJob(t)
	ctx := t.Context()
	_, err := f.Stranger.Project(ctx, f.Project)
	is(t, err, client.ErrForbidden)
	_, err = f.Stranger.CreateJob(ctx, client.NewJob{Project: f.Project, Algorithm: f.Algorithm})
	is(t, err, client.ErrForbidden)
	_, err = f.Stranger.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Progress = 99; return nil })
	is(t, err, client.ErrForbidden)
	page := must[client.JobPage](t)(f.Stranger.Jobs(ctx, client.JobFilter{}))
	if len(page.Jobs) != 0 {
		t.Errorf("a stranger sees %d jobs", len(page.Jobs))
	}
	if now := must[client.Job](t)(f.Server.Job(ctx, job.ID)); now.Progress != 0 {
		t.Errorf("a stranger changed %+v", now)
	}
}

// rawFields reads the object of a job.
func rawFields(t *testing.T, job client.Job) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(job.Raw, &fields); err != nil {
		t.Fatalf("%s: %v", job.Raw, err)
	}
	return fields
}
