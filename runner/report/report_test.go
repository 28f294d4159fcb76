package report

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a real server over HTTP that can be made to answer wrongly.
type site struct {
	t      *testing.T
	server *cytomine.Client
	spec   runner.Spec
	fault  atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	calls  atomic.Int32
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t}
	inner, err := embedded.Open(t.TempDir(), embedded.Options{})
	must(t, err)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		if f := s.fault.Load(); f != nil && (*f)(w, r) {
			return
		}
		inner.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() { web.Close(); _ = inner.Close() })
	admin, err := inner.Admin(t.Context())
	must(t, err)
	project, err := inner.AddProject(t.Context(), embedded.NewProject{Name: "demo"})
	must(t, err)
	s.server, err = cytomine.New(profile.Profile{Kind: client.Cytomine, URL: web.URL},
		client.Keys{Public: admin.PublicKey, Private: admin.PrivateKey}, cytomine.Options{RetryWait: time.Millisecond})
	must(t, err)
	d, _ := descriptor.Parse("x.json", []byte(`{"name":"tester","container-image":{"image":"lab/tester","type":"singularity"},"command-line":"x [A] [B]",
	 "inputs":[{"id":"a","name":"A","type":"String","optional":true},{"id":"b","name":"B","type":"String","optional":true,"default-value":"d"},
	  {"id":"cytomine_host","name":"H","type":"String","set-by-server":true},{"id":"cytomine_private_key","name":"K","type":"String","set-by-server":true}]}`))
	a, err := s.server.Register(t.Context(), client.NewAlgorithm{Descriptor: d, Version: "1", Container: "lab/tester:1", Project: client.ID(project)})
	must(t, err)
	s.spec = runner.Spec{ID: "20261120-143205-k7qd", Created: time.Now(), Project: runner.ProjectRef{ID: client.ID(project)},
		Algorithm: runner.AlgorithmSpec{ID: a.ID, Name: a.Name}}
	for _, p := range a.Parameters {
		s.spec.Algorithm.Parameters = append(s.spec.Algorithm.Parameters, runner.ParameterSpec{ServerID: p.ServerID, Parameter: p.Parameter})
	}
	return s
}

func (s *site) breaks(f func(http.ResponseWriter, *http.Request) bool) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

func (s *site) job(id client.ID) client.Job {
	s.t.Helper()
	j, err := s.server.Job(s.t.Context(), id)
	must(s.t, err)
	return j
}

func (s *site) create() client.Job {
	s.t.Helper()
	j, err := CreateJob(s.t.Context(), s.server, s.spec, false)
	must(s.t, err)
	return j
}

func TestTheJobKeepsWhatWasChosenAndNoSecret(t *testing.T) {
	s := newSite(t)
	s.spec.Values = []client.Value{
		{Parameter: "a", Text: "x y"}, {Parameter: "b", Text: ""}, // b's default was cleared
		{Parameter: "cytomine_private_key", Text: "secret"}, {Parameter: "cytomine_host", Text: "h"}, {Parameter: "unknown", Text: "1"},
	}
	job := s.job(s.create().ID)
	if job.Status != client.InQueue || job.Comment != "cytorun 20261120-143205-k7qd" || job.UserJob == 0 {
		t.Errorf("job %+v", job)
	}
	got := map[string]string{}
	for _, p := range job.Parameters {
		if p.Value != nil {
			got[p.Name] = *p.Value
		} else {
			got[p.Name] = "(null)"
		}
	}
	if len(got) != 2 || got["a"] != "x y" || got["b"] != "" && got["b"] != "(null)" {
		t.Errorf("parameters %v", got)
	}
}

func TestAValueThatTheServerCannotKeepIsNamed(t *testing.T) {
	s := newSite(t)
	s.spec.Values = []client.Value{{Parameter: "a", Text: strings.Repeat("7,", 2501)}, {Parameter: "b", Text: strings.Repeat("ä", 5000)}}
	if names := TooLong(s.spec); len(names) != 1 || names[0] != "a" {
		t.Errorf("too long: %v", names)
	}
	if job := s.job(s.create().ID); len(job.Parameters) != 1 {
		t.Errorf("parameters %v", job.Parameters)
	}
}

func TestAJobIsFoundByItsRunAmongMany(t *testing.T) {
	s := newSite(t)
	mine := s.create()
	mark := s.spec.ID
	for i := range 130 {
		s.spec.ID = mark[:len(mark)-4] + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "zz"
		s.create()
	}
	s.spec.ID = mark
	found, err := FindJob(t.Context(), s.server, s.spec)
	must(t, err)
	if found.ID != mine.ID {
		t.Errorf("found %d, want %d", found.ID, mine.ID)
	}
	again, err := CreateJob(t.Context(), s.server, s.spec, true)
	must(t, err)
	if again.ID != mine.ID {
		t.Error("made twice")
	}
	s.spec.ID = "20000101-000000-aaaa"
	if _, err := FindJob(t.Context(), s.server, s.spec); err == nil {
		t.Error("found a job of no run")
	}
}

func TestCommentsFitAndStayFindable(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("ä", 400), "bad \xff byte", "  spaces \n"} {
		c := Comment("20261120-143205-k7qd", text)
		if utf8.RuneCountInString(c) > 255 || !strings.Contains(c, Mark("20261120-143205-k7qd")) || !utf8.ValidString(c) {
			t.Errorf("%q becomes %q", text, c)
		}
	}
}

func TestWhatTheProgramWroteIsKeptWhereItDoesNotContradict(t *testing.T) {
	const run = "20261120-143205-k7qd"
	ours := Comment(run, "")
	tests := map[string]struct {
		end     End
		before  client.JobChange
		want    client.JobChange
		nothing bool
	}{
		"success over our running": {End{State: runner.Succeeded, Reason: ""}, client.JobChange{Status: client.Running, Comment: ours},
			client.JobChange{Status: client.Success, Progress: 100, Comment: ours}, false},
		"success keeps its words": {End{State: runner.Succeeded, Reason: ""}, client.JobChange{Status: client.Success, Progress: 100, Comment: "12 cells"},
			client.JobChange{Status: client.Success, Progress: 100, Comment: "12 cells"}, true},
		"failure over its success": {End{State: runner.Failed, Reason: "exit 7"}, client.JobChange{Status: client.Success, Progress: 100, Comment: "12 cells"},
			client.JobChange{Status: client.Failed, Progress: 100, Comment: Comment(run, "exit 7; the program itself had reported success: 12 cells")}, false},
		"told already, answer lost": {End{State: runner.Failed, Reason: "exit 7"}, client.JobChange{Status: client.Failed, Progress: 100, Comment: Comment(run, "exit 7; the program itself had reported success: 12 cells")},
			client.JobChange{Status: client.Failed, Progress: 100, Comment: Comment(run, "exit 7; the program itself had reported success: 12 cells")}, true},
		"its own failure stays": {End{State: runner.Failed, Reason: "exit 1: x"}, client.JobChange{Status: client.Failed, Progress: 3, Comment: "no cells"},
			client.JobChange{Status: client.Failed, Progress: 3, Comment: "no cells"}, true},
		"failure over running": {End{State: runner.Failed, Reason: "exit 1: x"}, client.JobChange{Status: client.Running, Progress: 3, Comment: "tile 3"},
			client.JobChange{Status: client.Failed, Progress: 3, Comment: Comment(run, "exit 1: x")}, false},
		"lost": {End{State: runner.Lost, Reason: "gone"}, client.JobChange{Status: client.Running, Comment: ours},
			client.JobChange{Status: client.Failed, Comment: Comment(run, "gone")}, false},
		"cancelled": {End{State: runner.Cancelled, Reason: "by ann"}, client.JobChange{Status: client.Running, Comment: ours},
			client.JobChange{Status: client.Killed, Comment: Comment(run, "by ann")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.before
			err := tt.end.change(run, &got, client.Killed)
			if (err == client.ErrNoChange) != tt.nothing || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestProgressIsOnlyWrittenForProgramsThatWriteNone(t *testing.T) {
	s := newSite(t)
	job := s.create()
	run := runner.Run{Spec: s.spec, Job: job.ID}
	must(t, Status(t.Context(), s.server, run, client.Running, ""))
	done, err := Progress(t.Context(), s.server, run, 30, 0)
	if got := s.job(job.ID); err != nil || done || got.Progress != 30 || got.Status != client.Running {
		t.Errorf("first: %v %v %+v", done, err, got)
	}
	_, err = s.server.UpdateJob(t.Context(), job.ID, func(c *client.JobChange) error { c.Progress = 60; return nil })
	must(t, err)
	done, err = Progress(t.Context(), s.server, run, 90, 30)
	if got := s.job(job.ID); err != nil || !done || got.Progress != 60 {
		t.Errorf("after the program wrote: %v %v %+v", done, err, got)
	}
}

// box is an outbox with a log in its run folder.
func box(t *testing.T, messages ...Message) Outbox {
	t.Helper()
	o := Outbox{Folder: t.TempDir()}
	must(t, os.WriteFile(filepath.Join(o.Folder, runner.LogFile), []byte("line\nsecret-key\n"), 0o600))
	must(t, o.Add(messages...))
	return o
}

func TestAnEndIsReplacedInItsPlace(t *testing.T) {
	o := box(t, Message{Log: true}, Message{End: &End{State: runner.Succeeded}})
	before := o.names()
	must(t, o.ReplaceEnd(End{State: runner.Failed, Reason: "no cells"}))
	if after := o.names(); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("files %v, were %v", after, before)
	}
	m, err := readMessage(filepath.Join(o.dir(), before[1]))
	must(t, err)
	if m.End == nil || m.End.State != runner.Failed || m.End.Reason != "no cells" {
		t.Errorf("message %+v", m)
	}
	empty := box(t)
	must(t, empty.ReplaceEnd(End{State: runner.Failed}))
	if len(empty.names()) != 1 {
		t.Error("an end without a place is not told")
	}
}

func (s *site) deliver(o Outbox, job client.ID) ([]error, error) {
	var refused []error
	err := o.Deliver(context.Background(), Delivery{
		Server: s.server, Run: runner.Run{Spec: s.spec, Job: job, Folder: o.Folder},
		Log:     func() (*os.File, error) { return PrepareLog(o.Folder, []string{"secret-key"}) },
		Refused: func(err error) { refused = append(refused, err) },
	})
	return refused, err
}

func TestTheOutboxKeepsOrderAndWhatIsNotAccepted(t *testing.T) {
	s := newSite(t)
	job := s.create()
	o := box(t, Message{Log: true}, Message{End: &End{State: runner.Failed, Reason: "exit 7"}})
	s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "attachedfile") {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	})
	if _, err := s.deliver(o, job.ID); err == nil || o.Empty() {
		t.Error("nothing was wrong")
	}
	if got := s.job(job.ID); got.Status != client.InQueue {
		t.Errorf("the second message overtook the first: %v", got.Status)
	}
	s.breaks(nil)
	refused, err := s.deliver(o, job.ID)
	must(t, err)
	if len(refused) != 0 || !o.Empty() {
		t.Errorf("refused %v", refused)
	}
	if got := s.job(job.ID); got.Status != client.Failed {
		t.Errorf("status %v", got.Status)
	}
	log, err := s.server.JobLog(t.Context(), job.ID)
	must(t, err)
	defer log.Close()
	text, err := io.ReadAll(log)
	must(t, err)
	if string(text) != "line\n••••\n" {
		t.Errorf("log %q", text)
	}
	// Delivered is delivered.
	before := s.calls.Load()
	if _, err := s.deliver(o, job.ID); err != nil || s.calls.Load() != before {
		t.Error("told again")
	}
}

func TestWhatTheServerWillNeverTakeDoesNotBlockTheRest(t *testing.T) {
	s := newSite(t)
	job := s.create()
	s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "attachedfile") {
			http.Error(w, `{"errors":{"message":"You are not allowed to do this!"}}`, http.StatusForbidden)
			return true
		}
		return false
	})
	o := box(t, Message{Log: true}, Message{End: &End{State: runner.Succeeded, Reason: ""}})
	must(t, os.WriteFile(filepath.Join(o.dir(), "000000.json"), []byte("{"), 0o600)) // number 0 is none of ours
	must(t, os.WriteFile(filepath.Join(o.dir(), "rubbish"), []byte("{"), 0o600))
	refused, err := s.deliver(o, job.ID)
	must(t, err)
	if len(refused) != 1 || s.job(job.ID).Status != client.Success || !o.Empty() {
		t.Errorf("refused %v", refused)
	}
}

func TestAMessageOfANewerSchemaWaits(t *testing.T) {
	s := newSite(t)
	job := s.create()
	o := box(t, Message{End: &End{State: runner.Succeeded, Reason: ""}})
	path := filepath.Join(o.dir(), "000001.json")
	must(t, os.WriteFile(path, []byte(`{"schema":2,"end":{"state":"failed"}}`), 0o600))
	if _, err := s.deliver(o, job.ID); err == nil || o.Empty() {
		t.Error("it was delivered")
	}
}

func TestARunThatTheServerNeverHeardOfHasNothingToTell(t *testing.T) {
	s := newSite(t)
	o := box(t, Message{End: &End{State: runner.Cancelled, Reason: "x"}})
	if _, err := s.deliver(o, 0); err != nil || !o.Empty() {
		t.Errorf("%v", err)
	}
	// But one whose answer was lost has.
	job := s.create()
	o = box(t, Message{End: &End{State: runner.Cancelled, Reason: "by ann"}})
	if _, err := s.deliver(o, 0); err != nil || s.job(job.ID).Status != client.Killed {
		t.Errorf("%v %+v", err, s.job(job.ID))
	}
}

func TestALongLogIsSentWithItsBeginningAndItsEnd(t *testing.T) {
	folder := t.TempDir()
	f, err := os.Create(filepath.Join(folder, runner.LogFile))
	must(t, err)
	_, err = f.WriteString("first line\n")
	must(t, err)
	line := strings.Repeat("x", 1023) + "\n"
	for range 12 << 10 {
		_, err = f.WriteString(line)
		must(t, err)
	}
	_, err = f.WriteString("last line\n")
	must(t, err)
	must(t, f.Close())
	log, err := PrepareLog(folder, nil)
	must(t, err)
	defer log.Close()
	text, err := io.ReadAll(log)
	must(t, err)
	if len(text) > 10<<20+200 || !strings.HasPrefix(string(text), "first line\n") || !strings.HasSuffix(string(text), "last line\n") || !strings.Contains(string(text), "left out") {
		t.Errorf("%d bytes", len(text))
	}
	left, err := os.ReadDir(folder)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("left in the folder: %v", left)
	}
}

func FuzzOutbox(f *testing.F) {
	f.Add([]byte(`{"schema":1,"end":{"state":"failed","reason":"x"}}`))
	f.Add([]byte(`{"schema":1,"log":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "000001.json")
		must(t, os.WriteFile(path, data, 0o600))
		_, _ = readMessage(path)
	})
}
