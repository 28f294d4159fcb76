package app

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
)

func TestLaunchRefusesBeforeItWritesAnything(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	bare := a
	bare.Container = ""
	good := given("sigma", "1")
	readOnly, none := *s.Session, *s.Session
	readOnly.Project.ReadOnly = true
	none.Project = client.Project{}
	before := s.wrote()
	for name, tt := range map[string]struct {
		s    *Session
		r    LaunchRequest
		want string
	}{
		"a missing value":               {s.Session, LaunchRequest{Algorithm: a}, "sigma: is required"},
		"a value of the wrong type":     {s.Session, LaunchRequest{Algorithm: a, Values: given("sigma", "much")}, `sigma: "much" is not a number`},
		"a parameter that is not there": {s.Session, LaunchRequest{Algorithm: a, Values: given("sigma", "1", "foo", "1")}, "foo: no such parameter"},
		"no container":                  {s.Session, LaunchRequest{Algorithm: bare, Values: good}, "has no container on the server; name one with --container"},
		"no container for its program":  {s.Session, LaunchRequest{Algorithm: a, Values: good, Runtime: runner.Process}, "runs your own source: name its folder with --workdir"},
		"a read-only project":           {&readOnly, LaunchRequest{Algorithm: a, Values: good}, "is read-only"},
		"no project":                    {&none, LaunchRequest{Algorithm: a, Values: good}, "no project is open"},
	} {
		t.Run(name, func(t *testing.T) {
			run, err := tt.s.Launch(tctx, tt.r)
			if err == nil || !strings.Contains(err.Error(), tt.want) || run.ID != "" {
				t.Errorf("%q, %v, want %q", run.ID, err, tt.want)
			}
			if check := tt.s.Check(tctx, tt.r); check == nil || check.Error() != err.Error() {
				t.Errorf("Check says %v", check)
			}
		})
	}
	var problems forms.Problems
	if _, err := s.Launch(tctx, LaunchRequest{Algorithm: a, Values: given("sigma", "x", "method", "otsu", "foo", "1")}); !errors.As(err, &problems) || problems.Errors() != 2 {
		t.Errorf("not everything at once: %v", err)
	}
	folders, err := os.ReadDir(s.env.Paths.Runs)
	must(t, err)
	if len(folders) != 0 {
		t.Errorf("%d run folders", len(folders))
	}
	if after := s.wrote(); len(after) != len(before) {
		t.Errorf("requests before %v, after %v", before, after)
	}
}

func TestSpecHoldsEverythingButSecrets(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	spec := s.spec(LaunchRequest{Algorithm: a, Values: given("sigma", "1"), Note: "try", Resources: runner.Resources{GPUs: 2}})
	if spec.Algorithm.Container != "lab/nuclei:1.0" || spec.Project.ID != s.project || spec.Person != "admin" || spec.Server.Profile != "lab" {
		t.Errorf("%+v", spec)
	}
	run, err := s.env.Store.Create(spec)
	must(t, err)
	files, err := os.ReadDir(run.Folder)
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(run.Folder + "/" + f.Name())
		must(t, err)
		if strings.Contains(string(b), s.keys.Private) || strings.Contains(string(b), s.keys.Public) {
			t.Errorf("%s holds a key", f.Name())
		}
	}
	spec = s.spec(LaunchRequest{Algorithm: a, Container: "/tmp/mine.sif"})
	if spec.Algorithm.Container != "/tmp/mine.sif" {
		t.Errorf("container %q", spec.Algorithm.Container)
	}
}

func TestPreviewShowsTheCommandWithoutSecrets(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	p := s.Preview(LaunchRequest{Algorithm: a, Values: given("sigma", "1", "method", "it's $HOME")})
	want := `run --cytomine_host ` + s.Profile.URL + ` --cytomine_private_key •••• --sigma 1`
	if got := p.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, `'--method=it'"'"'s $HOME'`) && !strings.Contains(got, `'it'"'"'s $HOME'`) {
		t.Errorf("%s", got)
	}
	for _, word := range p.Argv {
		if strings.Contains(word, s.keys.Private) {
			t.Error("a key in the preview")
		}
	}
}

func TestEarlierValuesComeWithoutWhatTheServerFills(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	job := s.job(a, "", "sigma", "2", "cytomine_host", "http://x", "cytomine_private_key", "secret")
	light, err := s.Server.Jobs(tctx, client.JobFilter{Project: s.project})
	must(t, err)
	for name, j := range map[string]client.Job{"a whole job": job, "one of a list": light.Jobs[0]} {
		vs, err := s.Values(tctx, Analysis{Job: &j})
		if err != nil || len(vs) != 1 || vs[0].Parameter != "sigma" || vs[0].Text != "2" || vs[0].Origin != client.FromAnalysis {
			t.Errorf("%s: %+v, %v", name, vs, err)
		}
	}
	run := s.run(a, runner.Succeeded, nil, given("sigma", "3")...)
	listed, err := s.env.Store.List()
	must(t, err)
	for name, r := range map[string]runner.Run{"a whole run": run, "one of a list": listed[0]} {
		vs, err := s.Values(tctx, Analysis{Run: &r})
		if err != nil || len(vs) != 1 || vs[0].Text != "3" || vs[0].Origin != client.FromAnalysis {
			t.Errorf("%s: %+v, %v", name, vs, err)
		}
	}
	again, vs, err := s.Again(tctx, Analysis{Run: &listed[0]})
	if err != nil || again.ID != a.ID || len(again.Parameters) != len(a.Parameters) || value(vs, "sigma").Text != "3" {
		t.Errorf("again: %+v, %v, %v", again, vs, err)
	}
}
