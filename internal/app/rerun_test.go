package app

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

const aDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// started notes which container a run started, as its keeper does.
func started(t *testing.T, run runner.Run, digest string) {
	t.Helper()
	must(t, runner.WriteJSON(filepath.Join(run.Folder, runner.StartedFile), runner.Started{Schema: 1, Digest: digest}))
}

func TestRerunTakesTheVeryContainerThatRan(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	sif := filepath.Join(t.TempDir(), "n.sif")
	must(t, os.WriteFile(sif, []byte("a container"), 0o600))
	for name, c := range map[string]struct {
		reference, digest, arch string
		want, says              string
	}{
		"an image of a registry":            {"lab/nuclei:1.0", aDigest, runtime.GOARCH, "lab/nuclei@" + aDigest, ""},
		"of a box that told nothing":        {"lab/nuclei:1.0", aDigest, "", "lab/nuclei@" + aDigest, ""},
		"for another processor":             {"lab/nuclei:1.0", aDigest, "vax", "lab/nuclei:1.0", "it ran on vax"},
		"it never started":                  {"lab/nuclei:1.0", "", runtime.GOARCH, "lab/nuclei:1.0", "it never started"},
		"a file that is another one now":    {sif, aDigest, runtime.GOARCH, sif, "is another file than the one that ran"},
		"a file that is not here":           {"/nowhere/n.sif", aDigest, runtime.GOARCH, "/nowhere/n.sif", "is not here: there is no such file; name another with --container"},
		"an image with a digest of its own": {"lab/nuclei@" + aDigest, aDigest, runtime.GOARCH, "lab/nuclei@" + aDigest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			other := a
			other.Container = c.reference
			run := s.run(other, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "1"})
			if c.digest != "" {
				started(t, run, c.digest)
			}
			must(t, runner.WriteMachine(run.Folder, runner.Machine{Arch: c.arch}))
			r, err := s.Rerun(tctx, Analysis{Run: &run}, "", "")
			must(t, err)
			if other, err := s.Rerun(tctx, Analysis{Run: &run}, "", "lab/mine:2"); err != nil || other.Request.Container != "lab/mine:2" || len(other.Notes) != 0 {
				t.Errorf("another container: %+v, %v", other, err)
			}
			if r.Request.Container != c.want || r.Request.From != run.ID {
				t.Errorf("container %q, from %q", r.Request.Container, r.Request.From)
			}
			if (len(r.Notes) == 0) != (c.says == "") || !strings.Contains(strings.Join(r.Notes, "\n"), c.says) {
				t.Errorf("%q", r.Notes)
			}
		})
	}
}

// elsewhere makes a run folder as another server's would be.
func elsewhere(t *testing.T, s *site, a client.Algorithm, values ...client.Value) runner.Run {
	t.Helper()
	run := s.run(a, runner.Succeeded, nil, values...)
	run, err := runner.ReadFolder(run.Folder)
	must(t, err)
	run.Server.URL = "https://other.example"
	started(t, run, aDigest)
	return run
}

func TestRerunOnAnotherServer(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	terms := map[string]string{}
	for _, p := range UserParameters(a) {
		if p.ID == "terms" {
			must(t, s.Options(tctx, p, func(os []client.Option) error {
				for _, o := range os {
					terms[o.Fields.Get("name")] = idText(o.ID)
				}
				return nil
			}))
		}
	}
	run := elsewhere(t, s, a,
		client.Value{Parameter: "sigma", Text: "2.5"},
		client.Value{Parameter: "terms", Text: "900001,900002,900003", Labels: []string{"cell 2", "vessel", "nucleus"}},
		client.Value{Parameter: "term", Text: "900001"},
		client.Value{Parameter: "shade", Text: "dark"},
	)
	run.Algorithm.ID = 999999 // ids of another server mean nothing here
	r, err := s.Rerun(tctx, Analysis{Run: &run}, "", "")
	must(t, err)
	if r.Request.Algorithm.ID != a.ID || r.Request.Container != "lab/nuclei@"+aDigest {
		t.Errorf("algorithm %d, container %s", r.Request.Algorithm.ID, r.Request.Container)
	}
	want := []client.Value{
		{Parameter: "sigma", Text: "2.5", Origin: client.FromAnalysis},
		{Parameter: "terms", Text: terms["cell 2"] + "," + terms["nucleus"], Labels: []string{"cell 2", "nucleus"}, Origin: client.FromAnalysis},
	}
	if !slices.EqualFunc(r.Request.Values, want, func(a, b client.Value) bool {
		return a.Parameter == b.Parameter && a.Text == b.Text && a.Origin == b.Origin && slices.Equal(a.Labels, b.Labels)
	}) {
		t.Errorf("%+v", r.Request.Values)
	}
	notes := strings.Join(r.Notes, "\n")
	for _, says := range []string{
		"terms: not on " + s.Profile.URL + ": vessel",
		"term = 900001 is left out: these are ids of https://other.example, and no names were recorded",
		"shade = dark is left out: Nuclei (1.0) has no such parameter",
	} {
		if !strings.Contains(notes, says) {
			t.Errorf("not said: %s\n%s", says, notes)
		}
	}
}

func TestRerunOnAnotherServerFindsTheSameVersion(t *testing.T) {
	s := newSite(t)
	v1 := s.register(nuclei, "v1.0")
	s.register(nuclei, "1.1")
	run := elsewhere(t, s, v1, client.Value{Parameter: "sigma", Text: "1"})
	for version, ok := range map[string]bool{"1.0": true, "v1.0": true, "1.1": true, "2.0": false} {
		run.Algorithm.Version = version
		r, err := s.Rerun(tctx, Analysis{Run: &run}, "", "")
		switch {
		case ok && (err != nil || strings.TrimPrefix(r.Request.Algorithm.Version, "v") != strings.TrimPrefix(version, "v")):
			t.Errorf("%s: %s, %v", version, r.Request.Algorithm.Version, err)
		case !ok && (!errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), "it has Nuclei@1.1, Nuclei@v1.0")):
			t.Errorf("%s: %v", version, err)
		}
	}
	run.Algorithm.Name = "Nucle" // a part of the name is another algorithm
	if _, err := s.Rerun(tctx, Analysis{Run: &run}, "", ""); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestRunFoldersAreToldFromNames(t *testing.T) {
	s := newSite(t)
	run := s.run(s.register(nuclei, "1.0"), runner.Succeeded, nil)
	for name, want := range map[string]bool{
		run.Folder: true, run.Folder + "/": true, run.ID: false, filepath.Dir(run.Folder): false, "": false, "Nuclei#1": false,
	} {
		if IsFolder(name) != want {
			t.Errorf("IsFolder(%q) = %t", name, !want)
		}
	}
	t.Chdir(run.Folder)
	if !IsFolder(".") || !IsFolder("../"+run.ID) {
		t.Error("relative paths are not found")
	}
}
