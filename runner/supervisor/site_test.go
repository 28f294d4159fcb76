package supervisor

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

var tctx = context.Background()

// site is a person's place: a server, a profile for it, a folder of runs and a
// queue of its own.
type site struct {
	t         testing.TB
	url       string
	db        string // the server's database, read without our code
	store     *runner.Store
	exe       string
	project   client.ID
	algorithm client.Algorithm
	keys      client.Keys
	server    client.Server
	addImage  func(name string) client.ID

	// fault decides what happens to a request; nil or false passes it on.
	fault atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler) bool]
}

const testDescriptor = `{
 "name": "tester", "schema-version": "cytomine-0.1",
 "container-image": {"image": "lab/tester", "type": "singularity"},
 "command-line": "WORDS [CYTOMINE_HOST] [CYTOMINE_PUBLIC_KEY] [CYTOMINE_PRIVATE_KEY]",
 "inputs": [
  {"id": "cytomine_host", "name": "h", "type": "String", "set-by-server": true, "optional": false},
  {"id": "cytomine_public_key", "name": "p", "type": "String", "set-by-server": true, "optional": false},
  {"id": "cytomine_private_key", "name": "k", "type": "String", "set-by-server": true, "optional": false},
  {"id": "images", "name": "Images", "type": "ListDomain", "optional": true, "uri": "/api/project/$currentProject$/imageinstance.json"},
  {"id": "threshold", "name": "Threshold", "type": "Number", "optional": true, "default-value": 7}
 ]}`

func newSite(t testing.TB) *site {
	t.Helper()
	return newSiteOn(t, httptest.NewServer)
}

// newSiteOn serves with or without TLS.
func newSiteOn(t testing.TB, serve func(http.Handler) *httptest.Server) *site {
	t.Helper()
	base := t.TempDir()
	for name, dir := range map[string]string{
		"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache",
		"CYTORUN_LEASES": "leases", "HOME": "home",
	} {
		t.Setenv(name, filepath.Join(base, dir))
		must(t, os.MkdirAll(filepath.Join(base, dir), 0o700))
	}
	t.Setenv("CYTORUN_KILL_AFTER", "300ms")
	s := &site{t: t, exe: "/proc/self/exe"}
	var err error
	s.exe, err = os.Executable()
	must(t, err)
	certificate := s.serve(filepath.Join(base, "server"), serve)

	paths, err := profile.DefaultPaths()
	must(t, err)
	must(t, paths.Make())
	p := profile.Profile{Name: "lab", Kind: client.Cytomine, URL: s.url}
	if certificate != nil {
		p.CA, err = profile.SaveCertificate(paths, "lab", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
		must(t, err)
	}
	must(t, profile.Save(paths, p, s.keys))
	s.store, err = runner.OpenStore(paths.Runs)
	must(t, err)
	c, err := cytomine.New(p, s.keys, cytomine.Options{})
	must(t, err)
	s.server = c
	d, findings := descriptor.Parse("tester.json", []byte(testDescriptor))
	if d == nil {
		t.Fatal(findings)
	}
	s.algorithm, err = c.Register(tctx, client.NewAlgorithm{Descriptor: d, Version: "1.0", Container: "lab/tester:1.0", Project: s.project})
	must(t, err)
	t.Cleanup(s.sweep)
	return s
}

func (s *site) serve(dir string, start func(http.Handler) *httptest.Server) *x509.Certificate {
	t := s.t
	server, err := embedded.Open(dir, embedded.Options{})
	must(t, err)
	web := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.fault.Load(); f != nil && (*f)(w, r, server.Handler()) {
			return
		}
		server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		_ = server.Close()
	})
	s.url, s.db = web.URL, filepath.Join(dir, "cytomine.db")
	admin, err := server.Admin(tctx)
	must(t, err)
	s.keys = client.Keys{Public: admin.PublicKey, Private: admin.PrivateKey}
	project, err := server.AddProject(tctx, embedded.NewProject{Name: "demo"})
	must(t, err)
	s.project = client.ID(project)
	s.addImage = func(name string) client.ID {
		var b bytes.Buffer
		must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 20))))
		id, err := server.AddImage(tctx, embedded.NewImage{Project: project, Name: name}, &b)
		must(t, err)
		return client.ID(id)
	}
	return web.Certificate()
}

// break makes the server misbehave; nil mends it.
func (s *site) breaks(f func(http.ResponseWriter, *http.Request, http.Handler) bool) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

// spec is a run of the test program without a container.
func (s *site) spec(words string) runner.Spec {
	spec := runner.Spec{
		Server:  runner.ServerRef{Kind: client.Cytomine, URL: s.url, Profile: "lab"},
		Project: runner.ProjectRef{ID: s.project, Name: "demo"},
		Algorithm: runner.AlgorithmSpec{
			ID: s.algorithm.ID, Name: s.algorithm.Name, Version: s.algorithm.Version,
			Container: s.algorithm.Container, CommandLine: words,
		},
		Values:  []client.Value{{Parameter: "threshold", Text: "12", Origin: client.FromUser}},
		Runtime: runner.Process, Person: "admin", User: "tester", Cytorun: "test",
	}
	for _, p := range s.algorithm.Parameters {
		spec.Algorithm.Parameters = append(spec.Algorithm.Parameters, runner.ParameterSpec{ServerID: p.ServerID, Parameter: p.Parameter})
	}
	return spec
}

// create makes a run folder and starts nobody.
func (s *site) create(spec runner.Spec) runner.Run {
	s.t.Helper()
	run, err := s.store.Create(spec)
	must(s.t, err)
	return run
}

// launch starts a run of the test program.
func (s *site) launch(words string) runner.Run {
	s.t.Helper()
	run := s.create(s.spec(words))
	s.start(run)
	return run
}

func (s *site) start(run runner.Run) {
	s.t.Helper()
	must(s.t, Start(run.Folder, s.exe, client.Keys{}))
}

// patience is how long tests wait for what has to come. A box that is busy with
// other things may take long; only a test that fails waits for all of it.
const patience = time.Minute

// soon bounds what may not wait for a timeout of ours, of which the shortest is
// the twenty seconds of one exchange with the server.
const soon = 15 * time.Second

// within polls until f says yes.
func within(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

// state waits until a run has one of some states.
func (s *site) state(run runner.Run, states ...runner.State) runner.Run {
	s.t.Helper()
	var now runner.Run
	deadline := time.Now().Add(patience)
	for {
		var err error
		if now, err = runner.ReadFolder(run.Folder); err != nil {
			s.t.Fatal(err)
		}
		for _, st := range states {
			if now.State == st {
				return now
			}
		}
		if now.State.Ended() || time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(run.Folder, runner.SupervisorLog))
			out, _ := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
			s.t.Fatalf("run is %s (%s), wanted %v\nsupervisor: %s\noutput: %.2000s", now.State, now.Reason, states, log, out)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// ended waits for the end of a run and of its supervisor.
func (s *site) ended(run runner.Run, state runner.State) runner.Run {
	s.t.Helper()
	s.state(run, state)
	within(s.t, "the supervisor lets go", func() bool { return !runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
	now, err := runner.ReadFolder(run.Folder)
	must(s.t, err)
	return now
}

// running waits until the program of a run has printed something.
func (s *site) running(run runner.Run) (runner.Run, runner.Started) {
	s.t.Helper()
	run = s.state(run, runner.Running)
	within(s.t, "output", func() bool {
		st, err := os.Stat(filepath.Join(run.Folder, runner.LogFile))
		return err == nil && st.Size() > 0
	})
	started, ok := runner.ReadStarted(run.Folder)
	if !ok {
		s.t.Fatal("running without started.json")
	}
	return run, started
}

// supervisor is the pid of the process that looks after a run.
func (s *site) supervisor(run runner.Run) int {
	s.t.Helper()
	pid, start, ok := runner.Holder(run.Folder)
	if !ok || !runner.Lives(pid, start) {
		s.t.Fatalf("run %s has no supervisor", run.ID)
	}
	return pid
}

// sweep ends what a failed test left behind.
func (s *site) sweep() {
	sessions := map[int]bool{}
	folders, _ := filepath.Glob(filepath.Join(s.store.Dir(), "2*"))
	for _, folder := range folders {
		if started, ok := runner.ReadStarted(folder); ok && started.Lives() {
			sessions[started.PID] = true
		}
	}
	for _, p := range processes(s.t) {
		if strings.Contains(p.args, s.store.Dir()) || sessions[p.sid] {
			if q, err := os.FindProcess(p.pid); err == nil {
				_ = q.Kill()
			}
		}
	}
}

// row is a job as the server's database has it.
type row struct {
	id, status, progress int
	comment              string
}

// jobs reads the job table of the server without our code.
func (s *site) jobs() []row {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.db+"?mode=ro")
	must(s.t, err)
	defer db.Close()
	rows, err := db.Query("SELECT id, status, progress, coalesce(comment,'') FROM job ORDER BY id")
	must(s.t, err)
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		must(s.t, rows.Scan(&r.id, &r.status, &r.progress, &r.comment))
		all = append(all, r)
	}
	return all
}

// job is the only job of the server.
func (s *site) job() row {
	s.t.Helper()
	all := s.jobs()
	if len(all) != 1 {
		s.t.Fatalf("%d jobs on the server, want 1: %v", len(all), all)
	}
	return all[0]
}

// process is one line of ps.
type process struct {
	pid, sid int
	args     string
}

// processes asks ps, which knows nothing of us.
func processes(t testing.TB) []process {
	t.Helper()
	out, err := exec.Command("ps", "-eo", "pid=,sid=,stat=,args=", "-ww").Output()
	must(t, err)
	var all []process
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(f[2], "Z") {
			continue
		}
		pid, _ := strconv.Atoi(f[0])
		sid, _ := strconv.Atoi(f[1])
		all = append(all, process{pid, sid, strings.Join(f[3:], " ")})
	}
	return all
}

// noProcess asserts that nothing of a run lives any more.
func (s *site) noProcess(run runner.Run, started runner.Started) {
	s.t.Helper()
	within(s.t, "no process of the run is left", func() bool {
		for _, p := range processes(s.t) {
			if p.sid == started.PID || strings.Contains(p.args, run.Folder) {
				return false
			}
		}
		return true
	})
}

func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	// A zombie that still has threads holds its locks.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	return f[0] != "Z" || f[17] != "0" && f[17] != "1"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
