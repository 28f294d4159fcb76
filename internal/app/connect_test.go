package app

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
)

func TestProjectIsTheOneNamedTheLastOrTheOnly(t *testing.T) {
	s := newSite(t)
	if s.Project.ID != s.project || s.User.Username != "admin" {
		t.Fatalf("the only project: %+v, %+v", s.Project, s.User)
	}
	second := s.addProject("Lung pilot", 0)
	forget(t, s.env)

	open, err := s.env.Open(profile.Selection{Server: "lab"})
	must(t, err)
	var choose *ErrChooseProject
	connected, err := open.Connect(tctx, "")
	if !errors.As(err, &choose) || len(choose.Projects) != 2 || connected.User.ID == 0 {
		t.Fatalf("two projects: %v", err)
	}
	for name, want := range map[string]client.ID{
		"Lung pilot": second, "pilot": second, idText(second): second, "COHORT": s.project,
	} {
		if got := s.connect(name); got.Project.ID != want {
			t.Errorf("%q opens %d", name, got.Project.ID)
		}
	}
	if _, err := open.Connect(tctx, "lung"); !errors.As(err, &choose) || len(choose.Projects) != 2 {
		t.Errorf("a part of two names: %v", err)
	}
	if _, err := open.Connect(tctx, "nosuch"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no such project: %v", err)
	}
	if _, err := open.Connect(tctx, ""); !errors.As(err, &choose) {
		t.Errorf("a project named for once was remembered: %v", err)
	}
	open.WithProject(client.Project{ID: second, Name: "Lung pilot"})
	if got := s.connect(""); got.Project.ID != second {
		t.Errorf("the project opened last is %d", got.Project.ID)
	}
}

// forget lets no project be the one opened last.
func forget(t *testing.T, e *Env) {
	t.Helper()
	must(t, profile.Update(e.Paths, func(c *profile.Config) error {
		p := c.Profiles["lab"]
		p.Project = 0
		c.Profiles["lab"] = p
		return nil
	}))
}

func TestProjectThatOneMayNoLongerSeeIsNotOpened(t *testing.T) {
	s := newSite(t)
	guest, err := s.server.AddUser(tctx, embedded.Person{Username: "guest"})
	must(t, err)
	must(t, profile.Save(s.env.Paths, profile.Profile{Name: "lab", Kind: client.Cytomine, URL: s.web.URL, Project: s.project},
		client.Keys{Public: guest.PublicKey, Private: guest.PrivateKey}))
	open, err := s.env.Open(profile.Selection{Server: "lab"})
	must(t, err)
	var choose *ErrChooseProject
	if _, err := open.Connect(tctx, ""); !errors.As(err, &choose) || len(choose.Projects) != 0 || !strings.Contains(err.Error(), "ask its administrator") {
		t.Errorf("%v", err)
	}
	must(t, s.server.AddMember(tctx, int64(s.project), guest.ID, false))
	if got := s.connect(""); got.Project.ID != s.project {
		t.Errorf("opened %d", got.Project.ID)
	}
}

func TestAlgorithmsAreFoundByNameVersionAndID(t *testing.T) {
	s := newSite(t)
	v1, v2 := s.register(nuclei, "v1.0"), s.register(nuclei, "2.0")
	other := s.register(strings.Replace(nuclei, `"Nuclei"`, `"Nuclear Sizes"`, 1), "1.0")
	numbered := s.register(strings.Replace(nuclei, `"Nuclei"`, `"99999999"`, 1), "1.0")
	for name, want := range map[string]client.ID{
		"Nuclei": v2.ID, "nuclei": v2.ID, "Nuclei@v1.0": v1.ID, "Nuclei@1.0": v1.ID, "nuclei@v2.0": v2.ID,
		"sizes": other.ID, idText(v1.ID): v1.ID, "99999999": numbered.ID,
	} {
		if a, err := s.Algorithm(tctx, name); err != nil || a.ID != want || len(a.Parameters) == 0 {
			t.Errorf("%q is %d (%v), want %d", name, a.ID, err, want)
		}
	}
	var ambiguous *ErrAmbiguous
	if _, err := s.Algorithm(tctx, "nucle"); !errors.As(err, &ambiguous) || !slices.Contains(ambiguous.Candidates, "Nuclear Sizes@1.0") {
		t.Errorf("a part of two names: %v", err)
	}
	for _, name := range []string{"nosuch", "Nuclei@9", "Nuclei@", "12345678"} {
		if _, err := s.Algorithm(tctx, name); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestListsCarryDescriptionsOfLocalDescriptors(t *testing.T) {
	s := newSite(t)
	s.register(nuclei, "1.0")
	rows, err := s.Algorithms(tctx)
	must(t, err)
	if len(rows) != 1 || rows[0].Description != "" {
		t.Fatalf("rows %+v", rows)
	}
	must(t, os.MkdirAll(s.env.DescriptorFolder(), 0o700))
	local := strings.Replace(nuclei, `"name": "Smoothing", "type": "Number"`, `"name": "Smoothing", "type": "Number", "minimum": 0, "maximum": 9`, 1)
	must(t, os.WriteFile(filepath.Join(s.env.DescriptorFolder(), "n.json"), []byte(local), 0o600))
	must(t, os.WriteFile(filepath.Join(s.env.DescriptorFolder(), "broken.json"), []byte("{"), 0o600))
	rows, err = s.Algorithms(tctx)
	must(t, err)
	if rows[0].Description != "finds <b>nuclei</b>" {
		t.Errorf("description %q", rows[0].Description)
	}
	a, err := s.Algorithm(tctx, "Nuclei")
	must(t, err)
	if p := parameter(a, "sigma"); p.Maximum == nil || *p.Maximum != "9" {
		t.Errorf("the limits of the file are missing: %+v", p)
	}
}
