package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

func TestWhatAPlaceOffersCountsTheQuota(t *testing.T) {
	const gb = 1 << 30
	for name, tt := range map[string]struct {
		space      runner.Space
		left, says string
		warns      bool
	}{
		"no quota":         {runner.Space{Free: 100 * gb}, "107 GB are free", "107 GB free", false},
		"a quota":          {runner.Space{Free: 100 * gb, Quota: &runner.Quota{Used: 19 * gb, Hard: 20 * gb}}, "1.1 GB are left of your quota of 21 GB", "20 GB used of your quota of 21 GB", true},
		"a quota as large": {runner.Space{Free: 1 * gb, Quota: &runner.Quota{Used: 0, Hard: 20 * gb}}, "1.1 GB are free", "1.1 GB free, 0 B used of your quota of 21 GB", true},
		"a full disk":      {runner.Space{Free: 1 << 20, Type: "ext4", Mount: "/home"}, "1.0 MB are free", "1.0 MB free on /home (ext4)", true},
		"in memory":        {runner.Space{Free: 100 * gb, Type: "tmpfs", Mount: "/tmp"}, "107 GB are free", "107 GB free on /tmp (tmpfs)", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := Place{Name: "containers", Path: t.TempDir(), Space: tt.space}
			if got := p.Room(); got != tt.left {
				t.Errorf("room %q", got)
			}
			c := p.check()
			if !c.OK || c.Warn != tt.warns || !strings.Contains(c.Text, tt.says) || c.Warn != strings.Contains(c.Next, "cytorun path --set containers=") {
				t.Errorf("%+v", c)
			}
		})
	}
	if c := (Place{Name: "work", Path: "/nowhere", Err: errors.New("no")}).check(); c.OK {
		t.Errorf("%+v", c)
	}
}

func TestPlacesAreTriedBeforeTheyAreKept(t *testing.T) {
	s := newSite(t)
	env := s.Env
	if env.FirstUse() {
		// The site of the tests has folders of its own.
		if err := env.PlacesChosen(); err != nil || env.FirstUse() {
			t.Error("asked twice", err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := profile.Load(env.Paths)
	if err != nil {
		t.Fatal(err)
	}
	for name, folders := range map[string]map[string]string{
		"relative":          {"containers": "here"},
		"unknown":           {"images": dir},
		"a colon":           {"containers": dir + "/a:b"},
		"a file":            {"tmp": file},
		"in a file":         {"work": file + "/x"},
		"one good, one bad": {"containers": filepath.Join(dir, "good"), "tmp": file},
	} {
		if err := env.SetPlaces(folders); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := profile.Load(env.Paths); err != nil || after.Paths != before.Paths {
		t.Errorf("changed all the same: %+v %v", after.Paths, err)
	}
	containers := filepath.Join(dir, "large", "containers")
	if err := env.SetPlaces(map[string]string{"containers": containers}); err != nil {
		t.Fatal(err)
	}
	if env.Paths.Containers != containers || env.Paths.Weights != filepath.Join(containers, "weights") {
		t.Errorf("%+v", env.Paths)
	}
	for _, p := range env.Places(t.Context()) {
		if p.Err != nil || p.Path == "" || p.Space.Free <= 0 || (p.Name == "tmp") != (p.Beside == "containers") {
			t.Errorf("%+v", p)
		}
	}
	if err := env.SetPlaces(map[string]string{"containers": ""}); err != nil || env.Paths.Containers == containers {
		t.Errorf("%s %v", env.Paths.Containers, err)
	}
}
