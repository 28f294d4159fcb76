package app

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// TestMain lets this test program be the processes that a launch starts; they
// end at once: what runs do is tested by the runner.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "supervise" || os.Args[1] == "keep") {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// site is a real server with one project, and this box beside it.
type site struct {
	t       testing.TB
	server  *embedded.Server
	web     *httptest.Server
	env     *Env
	keys    client.Keys
	project client.ID
	*Session

	mu       sync.Mutex
	requests map[string]int // by method and path
	hold     chan struct{}  // requests wait for it while it is not nil
}

var tctx = context.Background()

// newSite starts a server with the project "Lung cohort", in which the terms
// nucleus, cell 2 and cell 10 are the options to choose from, and opens it.
func newSite(t testing.TB) *site {
	t.Helper()
	base := t.TempDir()
	for name, dir := range map[string]string{
		"HOME": "home", "CYTORUN_LEASES": "leases",
		"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache",
	} {
		t.Setenv(name, filepath.Join(base, dir))
	}
	for _, name := range []string{"CYTOMINE_HOST", "CYTOMINE_PUBLIC_KEY", "CYTOMINE_PRIVATE_KEY"} {
		t.Setenv(name, "")
	}
	s := &site{t: t, requests: map[string]int{}}
	var err error
	s.server, err = embedded.Open(filepath.Join(base, "server"), embedded.Options{})
	must(t, err)
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.web.Close()
		_ = s.server.Close()
	})
	admin, err := s.server.Admin(tctx)
	must(t, err)
	s.keys = client.Keys{Public: admin.PublicKey, Private: admin.PrivateKey}
	ontology, err := s.server.AddOntology(tctx, "tissue")
	must(t, err)
	for _, term := range []string{"nucleus", "cell 10", "cell 2"} {
		_, err := s.server.AddTerm(tctx, ontology, term, "#3f6fd8")
		must(t, err)
	}
	s.project = s.addProject("Lung cohort", ontology)
	s.env, err = NewEnv("test")
	must(t, err)
	must(t, profile.Save(s.env.Paths, profile.Profile{Name: "lab", Kind: client.Cytomine, URL: s.web.URL}, s.keys))
	s.Session = s.connect("")
	return s
}

// serve counts the requests, and holds them back where a test wants that.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.Method+" "+r.URL.Path]++
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.server.Handler().ServeHTTP(w, r)
}

// asked is how often requests came whose method and path begin so.
func (s *site) asked(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for what, times := range s.requests {
		if strings.HasPrefix(what, prefix) {
			n += times
		}
	}
	return n
}

// wrote is every request so far that was none for reading.
func (s *site) wrote() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.requests)
	maps.DeleteFunc(all, func(what string, _ int) bool { return strings.HasPrefix(what, "GET ") })
	return all
}

// holdBack makes requests wait until the returned function is called.
func (s *site) holdBack() (release func()) {
	hold := make(chan struct{})
	s.mu.Lock()
	s.hold = hold
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.hold = nil
		s.mu.Unlock()
		close(hold)
	})
}

func (s *site) addProject(name string, ontology int64) client.ID {
	s.t.Helper()
	id, err := s.server.AddProject(tctx, embedded.NewProject{Name: name, Ontology: ontology})
	must(s.t, err)
	return client.ID(id)
}

// connect opens the server anew, as the next start of the program does.
func (s *site) connect(project string) *Session {
	s.t.Helper()
	open, err := s.env.Open(profile.Selection{Server: "lab"})
	must(s.t, err)
	connected, err := open.Connect(tctx, project)
	must(s.t, err)
	return connected
}

// nuclei describes an algorithm with a parameter of each kind that matters here.
const nuclei = `{
  "name": "Nuclei", "schema-version": "cytomine-0.1", "description": "finds <b>nuclei</b>",
  "container-image": {"image": "lab/nuclei", "type": "singularity"},
  "command-line": "run [CYTOMINE_HOST] [CYTOMINE_PRIVATE_KEY] [SIGMA] [METHOD] [TERM] [TERMS]",
  "inputs": [
    {"id": "cytomine_host", "value-key": "[CYTOMINE_HOST]", "command-line-flag": "--@id", "name": "host", "type": "String", "set-by-server": true, "optional": false},
    {"id": "cytomine_private_key", "value-key": "[CYTOMINE_PRIVATE_KEY]", "command-line-flag": "--@id", "name": "key", "type": "String", "set-by-server": true, "optional": false},
    {"id": "sigma", "value-key": "[SIGMA]", "command-line-flag": "--@id", "name": "Smoothing", "type": "Number", "optional": false},
    {"id": "method", "value-key": "[METHOD]", "command-line-flag": "--@id=", "name": "Method", "type": "String", "default-value": "otsu", "optional": true},
    {"id": "term", "value-key": "[TERM]", "command-line-flag": "--@id", "name": "Term", "type": "Domain", "uri": "/api/ontology/$currentOntology$/term.json", "uri-print-attribute": "name", "uri-sort-attribute": "name", "optional": true},
    {"id": "terms", "value-key": "[TERMS]", "command-line-flag": "--@id", "name": "Terms", "type": "ListDomain", "uri": "/api/ontology/$currentOntology$/term.json", "uri-print-attribute": "name", "uri-sort-attribute": "name", "optional": true}
  ]
}`

// register adds a version of an algorithm to the project.
func (s *site) register(text, version string) client.Algorithm {
	s.t.Helper()
	d, findings := descriptor.Parse("nuclei.json", []byte(text))
	if d == nil {
		s.t.Fatal(findings)
	}
	a, err := s.Server.(client.Registrar).Register(tctx, client.NewAlgorithm{
		Descriptor: d, Version: version, Container: "lab/" + strings.ToLower(d.Name) + ":" + version, Project: s.project,
	})
	must(s.t, err)
	a, err = s.algorithm(tctx, a.ID)
	must(s.t, err)
	return a
}

// job makes a job on the server, with values by the names of parameters.
func (s *site) job(a client.Algorithm, comment string, values ...string) client.Job {
	s.t.Helper()
	n := client.NewJob{Project: s.project, Algorithm: a.ID, Comment: comment}
	for i := 0; i < len(values); i += 2 {
		for _, p := range a.Parameters {
			if p.ID == values[i] {
				n.Parameters = append(n.Parameters, client.NewJobParameter{Parameter: p.ServerID, Value: values[i+1]})
			}
		}
	}
	j, err := s.Server.CreateJob(tctx, n)
	must(s.t, err)
	return j
}

// run makes the folder of a run in a state; nothing runs. facts may name its
// job.
func (s *site) run(a client.Algorithm, state runner.State, facts map[string]string, values ...client.Value) runner.Run {
	s.t.Helper()
	spec := s.spec(LaunchRequest{Algorithm: a, Values: values, Runtime: runner.Apptainer})
	run, err := s.env.Store.Create(spec)
	must(s.t, err)
	j, err := runner.OpenJournal(run.Folder)
	must(s.t, err)
	defer j.Close()
	at := run.Created
	if facts != nil {
		must(s.t, j.Append(runner.Event{Time: at, Facts: facts}))
	}
	for _, next := range []runner.State{runner.Preparing, runner.Running, state} {
		if now := j.Run().State; now == state {
			break
		}
		at = at.Add(10 * time.Second)
		if next.Ended() {
			must(s.t, j.Finish(runner.Result{State: next, Ended: at, Confirmed: true, Annotations: -1}))
		}
		must(s.t, j.Append(runner.Event{State: next, Time: at}))
	}
	read, err := s.env.Store.Get(run.ID)
	must(s.t, err)
	return read
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
