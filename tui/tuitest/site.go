// Package tuitest helps the tests of the screens: a real session on a real
// embedded server, runs in any state, and a driver that plays the root for one
// screen. Only tests import it.
package tuitest

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/demo"
	"github.com/cytorun/cytorun/runner"
)

// Site is a server with two projects and, in the first, the demo's algorithms.
type Site struct {
	// Session is connected to the first project.
	Session *app.Session
	// Unconnected is as the program starts: no request was made yet.
	Unconnected *app.Session
	// Other is the second project.
	Other client.Project
	// Down makes every further request fail, as if the server had gone.
	Down func()
	t    testing.TB
	dir  string // of the server
}

// New starts a site. Its folders are the test's own.
func New(t testing.TB) *Site {
	t.Helper()
	base := t.TempDir()
	for name, dir := range map[string]string{
		"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache",
		"CYTORUN_LEASES": "leases", "HOME": "home",
	} {
		dir = filepath.Join(base, dir)
		must(t, os.MkdirAll(dir, 0o700))
		t.Setenv(name, dir)
	}
	for _, name := range []string{"CYTOMINE_HOST", "CYTOMINE_PUBLIC_KEY", "CYTOMINE_PRIVATE_KEY"} {
		t.Setenv(name, "")
	}
	ctx := context.Background()
	server, err := embedded.Open(filepath.Join(base, "server"), embedded.Options{})
	must(t, err)
	web := httptest.NewServer(server.Handler())
	stop := func() {
		web.CloseClientConnections()
		web.Close()
	}
	t.Cleanup(func() {
		stop()
		_ = server.Close()
	})
	admin, err := server.Admin(ctx)
	must(t, err)
	first, err := server.AddProject(ctx, embedded.NewProject{Name: "Lung cohort"})
	must(t, err)
	second, err := server.AddProject(ctx, embedded.NewProject{Name: "Ki67 pilot"})
	must(t, err)

	env, err := app.NewEnv("test")
	must(t, err)
	p := profile.Profile{Name: "lab", Kind: client.Cytomine, URL: web.URL, Project: client.ID(first)}
	must(t, profile.Save(env.Paths, p, client.Keys{Public: admin.PublicKey, Private: admin.PrivateKey}))
	s, err := env.Open(profile.Selection{Server: "lab"})
	must(t, err)
	for _, d := range demo.Descriptors() {
		Register(t, s, client.ID(first), d)
	}
	connected, err := s.Connect(ctx, "")
	must(t, err)
	return &Site{
		Session: connected, Unconnected: s, Down: stop, t: t, dir: filepath.Join(base, "server"),
		Other: client.Project{ID: client.ID(second), Name: "Ki67 pilot"},
	}
}

// Register adds an algorithm to a project.
func Register(t testing.TB, s *app.Session, project client.ID, d *descriptor.Descriptor) client.Algorithm {
	t.Helper()
	a, err := s.Server.(client.Registrar).Register(context.Background(), client.NewAlgorithm{
		Descriptor: d, Version: "1.0", Container: "lab/" + d.Container.Image + ":1.0", Project: project,
	})
	must(t, err)
	return a
}

// Algorithm reads one of the site's algorithms by name.
func (s *Site) Algorithm(name string) client.Algorithm {
	s.t.Helper()
	a, err := s.Session.Algorithm(context.Background(), name)
	must(s.t, err)
	return a
}

// Run makes the folder of a run and brings it into a state; nothing runs.
// change may be nil; it edits the spec before the folder is made. result may be
// nil.
func (s *Site) Run(algorithm string, state runner.State, change func(*runner.Spec), result *runner.Result) runner.Run {
	s.t.Helper()
	a := s.Algorithm(algorithm)
	spec := runner.Spec{
		Created: time.Now().Add(-time.Hour),
		Server:  runner.ServerRef{Kind: client.Cytomine, URL: s.Session.Profile.URL, Profile: "lab"},
		Project: runner.ProjectRef{ID: s.Session.Project.ID, Name: s.Session.Project.Name},
		Algorithm: runner.AlgorithmSpec{
			ID: a.ID, Name: a.Name, Version: a.Version, Container: a.Container, CommandLine: a.CommandLine,
		},
		Runtime: runner.Apptainer, Person: s.Session.User.Username, User: "tester",
	}
	for _, p := range a.Parameters {
		spec.Algorithm.Parameters = append(spec.Algorithm.Parameters, runner.ParameterSpec{ServerID: p.ServerID, Parameter: p.Parameter})
	}
	if change != nil {
		change(&spec)
	}
	run, err := s.Session.Env.Store.Create(spec)
	must(s.t, err)
	return s.Move(run, state, result)
}

// Move brings a run from where it is into a later state.
func (s *Site) Move(run runner.Run, state runner.State, result *runner.Result) runner.Run {
	s.t.Helper()
	j, err := runner.OpenJournal(run.Folder)
	must(s.t, err)
	defer j.Close()
	at := j.Run().Heartbeat // its last event
	for now := j.Run().State; now != state; now = j.Run().State {
		next, ok := map[runner.State]runner.State{
			runner.Created: runner.Queued, runner.Queued: runner.Preparing, runner.Preparing: runner.Running,
		}[now]
		if !ok {
			next = state
		}
		at = at.Add(10 * time.Second)
		e := runner.Event{State: next, Time: at}
		if next == runner.Preparing {
			e.Facts = map[string]string{runner.FactJobNumber: strconv.Itoa(number(s.t, s.Session, run))}
		}
		if next.Ended() && result != nil {
			result.State, result.Ended, e.Reason = next, at, result.Reason
			must(s.t, j.Finish(*result))
		}
		must(s.t, j.Append(e))
	}
	return j.Run()
}

// number counts the runs of the same algorithm.
func number(t testing.TB, s *app.Session, run runner.Run) int {
	all, err := s.Env.Store.List()
	must(t, err)
	n := 0
	for _, r := range all {
		if r.Algorithm.ID == run.Algorithm.ID {
			n++
		}
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
