package app

import (
	"archive/zip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// fixedSite is a server over real HTTP that answers fixed JSON, and a session on it
// with folders of its own.
type fixedSite struct {
	*Session
	Close   func() // the server goes away
	mu      sync.Mutex
	answers map[string]string // path without query: body
	came    []string
}

func newFixedSite(t *testing.T, answers map[string]string) *fixedSite {
	t.Helper()
	s := &fixedSite{answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.came = append(s.came, r.Method+" "+r.URL.Path)
		body, ok := s.answers[r.URL.Path]
		s.mu.Unlock()
		switch {
		case !ok:
			http.Error(w, `{"errors":"not found"}`, http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, "/download"):
			z := zip.NewWriter(w)
			f, _ := z.Create("app/descriptor.json")
			f.Write([]byte(body))
			z.Close()
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(body))
		}
	}))
	t.Cleanup(server.Close)
	s.Close = server.Close
	dir := t.TempDir()
	for _, x := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		t.Setenv("XDG_"+x+"_HOME", filepath.Join(dir, strings.ToLower(x)))
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		t.Fatal(err)
	}
	store, err := runner.OpenStore(paths.Runs)
	if err != nil {
		t.Fatal(err)
	}
	env := &Env{Paths: paths, Store: store, Version: "test", Host: "box", User: "me", Now: time.Now}
	session, err := env.open(profile.Profile{URL: server.URL, Kind: client.Cytomine}, client.Keys{Public: "p", Private: "s"})
	if err != nil {
		t.Fatal(err)
	}
	session.User, session.Project = client.User{ID: 5, Username: "bob"}, client.Project{ID: 42, Name: "P"}
	s.Session = session
	return s
}

func (s *fixedSite) count(part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.came {
		if strings.Contains(r, part) {
			n++
		}
	}
	return n
}

// software is an algorithm with three numbers and a text.
func software() map[string]string {
	return map[string]string{
		"/api/software/7.json": `{"id":7,"name":"Tool","softwareVersion":"1","executeCommand":"x run i.simg python [A] [B] [C] [M]"}`,
		"/api/software/7/parameter.json": `{"collection":[
			{"id":71,"name":"a","type":"Number","index":1},{"id":72,"name":"b","type":"Number","index":2},
			{"id":73,"name":"c","type":"Number","index":3},{"id":74,"name":"m","type":"String","index":4}],"size":4}`,
	}
}

func limitsOf(t *testing.T, s *Session) map[string]string {
	t.Helper()
	a, err := s.Algorithm(t.Context(), "7")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range a.Parameters {
		text := ""
		if p.Minimum != nil {
			text = "min " + *p.Minimum
		}
		if p.Maximum != nil {
			text += "max " + *p.Maximum
		}
		text += strings.Join(p.Choices, "|")
		if p.LimitsFrom != "" {
			text += " from " + p.LimitsFrom
		}
		got[p.ID] = text
	}
	return got
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLimitsComeInLayersAndSayFromWhere(t *testing.T) {
	answers := software()
	answers["/api/software/7/download"] = `{"name":"Tool","inputs":[{"id":"b","type":"Number","maximum":3},{"id":"c","type":"Number","minimum":3}]}`
	answers["/api/parameter_constraint.json"] = `{"collection":[{"id":1,"name":"minimum"},{"id":2,"name":"in"}],"size":2}`
	answers["/api/software_parameter/73/software_parameter_constraint.json"] = `{"collection":[{"id":1,"parameterConstraint":1,"value":"4"}],"size":1}`
	answers["/api/software_parameter/74/software_parameter_constraint.json"] = `{"collection":[{"id":2,"parameterConstraint":2,"value":"[x, y]"}],"size":1}`
	s := newFixedSite(t, answers)
	folder := s.Env.DescriptorFolder()
	writeText(t, filepath.Join(folder, "tool.json"), `{"name":"tool","inputs":[{"id":"a","type":"Number","minimum":1},{"id":"b","type":"Number"}]}`)

	want := map[string]string{
		"a": "min 1 from descriptor tool.json", "b": "max 3 from the algorithm's own descriptor",
		"c": "min 3 from the algorithm's own descriptor", "m": "x|y from the server's constraints",
	}
	got := limitsOf(t, s.Session)
	for id, w := range want {
		if got[id] != w {
			t.Errorf("%s: %q, want %q", id, got[id], w)
		}
	}

	named := filepath.Join(t.TempDir(), "mine.json")
	writeText(t, named, `{"name":"other name","inputs":[{"id":"a","type":"Number","minimum":2}]}`)
	session, err := s.WithDescriptor(named)
	if err != nil {
		t.Fatal(err)
	}
	if got := limitsOf(t, session); got["a"] != "min 2 from descriptor mine.json" || got["b"] != want["b"] {
		t.Errorf("with a named descriptor: %v", got)
	}
	if n := s.count("download"); n != 1 {
		t.Errorf("the source was asked for %d times", n)
	}

	// A file that knows every parameter leaves nothing to ask for.
	writeText(t, filepath.Join(folder, "tool.json"), `{"name":"Tool","inputs":[{"id":"a","type":"Number","minimum":9},{"id":"b","type":"Number"},{"id":"c","type":"Number"},{"id":"m","type":"String"}]}`)
	if err := os.RemoveAll(s.Env.Paths.Cache); err != nil {
		t.Fatal(err)
	}
	if got := limitsOf(t, s.Session); got["a"] != "min 9 from descriptor tool.json" || got["c"] != "" {
		t.Errorf("with a complete file: %v", got)
	}
	if n := s.count("download"); n != 1 {
		t.Errorf("the source was asked for %d times", n)
	}
}

func TestAServerWithoutLimitsIsAskedOnceADay(t *testing.T) {
	s := newFixedSite(t, software())
	now := time.Now()
	s.Env.Now = func() time.Time { return now }
	for range 3 {
		for id, got := range limitsOf(t, s.Session) {
			if got != "" {
				t.Errorf("%s has limits %q", id, got)
			}
		}
	}
	if s.count("download") != 1 || s.count("parameter_constraint") != 1 {
		t.Errorf("requests: %v", s.came)
	}
	now = now.Add(25 * time.Hour)
	limitsOf(t, s.Session)
	if s.count("download") != 2 {
		t.Errorf("a day later: %v", s.came)
	}
}

func TestABrokenDescriptorIsRefusedWithItsPlace(t *testing.T) {
	s := newFixedSite(t, nil)
	file := filepath.Join(t.TempDir(), "x.json")
	writeText(t, file, "{\n  \"name\": }")
	if _, err := s.WithDescriptor(file); err == nil || !strings.Contains(err.Error(), "x.json:2:") {
		t.Errorf("%v", err)
	}
	if _, err := s.WithDescriptor(file + ".gone"); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("%v", err)
	}
}
