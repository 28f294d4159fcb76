// Package servertest is the one suite that every kind of server passes. It
// checks what the comments of client.Server and of the abilities promise, over
// the real protocol, against a server that the caller fills.
package servertest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Fixture is a server with known content. Each test gets a fresh one.
type Fixture struct {
	// Lacks are the abilities that this kind of server does not have. The server
	// must give a reason for each, and have all others.
	Lacks []client.Ability
	// Hidden is what a stranger is told of what they may not see, client.ErrForbidden
	// when nil. Some servers say client.ErrNotFound.
	Hidden error
	// Changes are the raw fields of a job that an update may change.
	Changes []string
	// JobImage gives an image of a project on which Algorithm has no job yet, where
	// jobs are over images. Nil where they are over projects.
	JobImage func(t *testing.T, project client.ID) client.ID
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
	// Project has images and Algorithm, and an ontology where the server has some. OtherProject is another
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
	// Annotate writes annotations as a job does: count ones with the named term of
	// Project and, where the server takes such, as many without any term.
	Annotate func(t *testing.T, job client.Job, count int) (term string)
	// AddFile stores a result file as a job does. Nil where the server keeps none.
	AddFile func(t *testing.T, job client.Job, name string, data []byte)
}

// can tells whether the server has an ability.
func (f Fixture) can(a client.Ability) bool { return !slices.Contains(f.Lacks, a) }

// hidden is the error for what a stranger may not see.
func (f Fixture) hidden() error {
	if f.Hidden == nil {
		return client.ErrForbidden
	}
	return f.Hidden
}

// Run runs the suite.
func Run(t *testing.T, fixture func(*testing.T) Fixture) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"what it cannot do", inabilities},
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

// ability gives the server as T. A server without that must have declared so, and
// then the test ends here.
func ability[T any](t *testing.T, f Fixture, server client.Server, a client.Ability) T {
	t.Helper()
	able, ok := server.(T)
	switch {
	case !ok && f.can(a):
		t.Fatalf("the server is no %T and does not declare it", (*T)(nil))
	case ok && !f.can(a):
		t.Fatalf("the server declares to lack %q and has it", a)
	case !ok:
		t.Skip(client.Cannot(f.Server, a))
	}
	return able
}

// has gives the server as T, which every kind of server is.
func has[T any](t *testing.T, server client.Server) T {
	t.Helper()
	able, ok := server.(T)
	if !ok {
		t.Fatalf("the server is no %T", (*T)(nil))
	}
	return able
}

// inabilities: what a server lacks it says in words that a screen can show.
func inabilities(t *testing.T, f Fixture) {
	for _, a := range client.Abilities {
		reason := client.Cannot(f.Server, a)
		if (reason == "") != f.can(a) {
			t.Errorf("%s: declared as lacking: %t, reason %q", a, !f.can(a), reason)
		}
		if strings.HasSuffix(reason, ".") || strings.Contains(reason, "\n") {
			t.Errorf("%s: %q is not one sentence without its full stop", a, reason)
		}
	}
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
	j := f.describe(t, f.Project)
	if len(values) > 0 && f.can(client.KeepsParameters) {
		algorithm := must[client.Algorithm](t)(f.Server.Algorithm(t.Context(), f.Algorithm))
		for i, value := range values {
			j.Parameters = append(j.Parameters, client.NewJobParameter{Parameter: algorithm.Parameters[i+1].ServerID, Value: value})
		}
	}
	return must[client.Job](t)(f.Server.CreateJob(t.Context(), j))
}

// describe is a job to create.
func (f Fixture) describe(t *testing.T, project client.ID) client.NewJob {
	j := client.NewJob{Project: project, Algorithm: f.Algorithm, Comment: "cytorun test", Status: client.InQueue}
	if f.JobImage != nil {
		j.Image = f.JobImage(t, project)
	}
	return j
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
	is(t, err, f.hidden())
	_, err = f.Stranger.CreateJob(ctx, f.describe(t, f.Project))
	is(t, err, f.hidden())
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
