package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// exactSite is a person's place with an EXACT server.
type exactSite struct {
	site
	fake   *exacttest.Server
	demo   exacttest.Demo
	plugin int
	token  string
}

func newExactSite(t testing.TB, options exacttest.Options) *exactSite {
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
	s := &exactSite{site: site{t: t}, fake: exacttest.Start(t, options)}
	s.demo = s.fake.AddDemo()
	s.plugin = s.fake.AddPlugin(exacttest.Plugin{Name: "Tester", Package: "org.example.tester", Products: []int{s.demo.Product}})
	s.token = s.fake.Token("worker")
	s.url = s.fake.URL
	var err error
	s.exe, err = os.Executable()
	must(t, err)
	paths, err := profile.DefaultPaths()
	must(t, err)
	must(t, paths.Make())
	p := profile.Profile{Name: "ex", Kind: client.Exact, URL: s.url, User: "worker"}
	must(t, profile.Save(paths, p, client.Keys{Public: "pat", Private: s.token}))
	s.store, err = runner.OpenStore(paths.Runs)
	must(t, err)
	t.Cleanup(s.sweep)
	return s
}

// exactSpec is a run of the test program over the first image.
func (s *exactSite) exactSpec(words string, writes descriptor.Writes) runner.Spec {
	spec := runner.Spec{
		Server:  runner.ServerRef{Kind: client.Exact, URL: s.url, Profile: "ex"},
		Project: runner.ProjectRef{ID: client.ID(s.demo.Set), Name: "set-1"},
		Image:   runner.ImageRef{ID: client.ID(s.demo.Images[0]), Name: "field_a.png"},
		Algorithm: runner.AlgorithmSpec{ID: client.ID(s.plugin), Name: "Tester", Version: "1.2", Package: "org.example.tester",
			CommandLine: words, Writes: writes},
		Values:  []client.Value{{Parameter: "threshold", Text: "12", Origin: client.FromUser}},
		Runtime: runner.Process, Person: "worker", User: "tester", Cytorun: "test",
	}
	for _, id := range descriptor.ExactInputs {
		if strings.Contains(words, "["+strings.ToUpper(id)+"]") || id == "exact_token" && strings.HasPrefix(words, "token") {
			spec.Algorithm.Parameters = append(spec.Algorithm.Parameters, runner.ParameterSpec{
				Parameter: descriptor.Parameter{ID: id, Type: descriptor.String, SetByServer: true, ValueKey: "[" + strings.ToUpper(id) + "]"}})
		}
	}
	return spec
}

// file is a run of a file program that finds n things; where a path is given it
// waits for that file.
func (s *exactSite) file(n int, until string) runner.Run {
	s.t.Helper()
	words := "file [EXACT_IMAGE] [EXACT_OUTPUT] " + itoa(n)
	if until != "" {
		words += " " + until
	}
	run := s.create(s.exactSpec(words, descriptor.WritesResult))
	s.start(run)
	return run
}

// only is the only job of the server.
func (s *exactSite) only() exacttest.Job {
	s.t.Helper()
	jobs := s.fake.Jobs()
	if len(jobs) != 1 {
		s.t.Fatalf("%d jobs on the server: %+v", len(jobs), jobs)
	}
	return jobs[0]
}

// shapes are the annotations of all plugin results, each UUID once.
func (s *exactSite) shapes(want int) []map[string]any {
	s.t.Helper()
	rows := s.fake.Rows("pluginresultannotations")
	seen := map[any]bool{}
	for _, r := range rows {
		if seen[r["unique_identifier"]] {
			s.t.Errorf("%v is there twice", r["unique_identifier"])
		}
		seen[r["unique_identifier"]] = true
	}
	if len(rows) != want {
		s.t.Errorf("%d annotations, want %d", len(rows), want)
	}
	return rows
}
