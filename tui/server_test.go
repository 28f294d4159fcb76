package tui

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

const outlines = `{"name":"outlines","tool-version":"1.0","container-image":{"image":"lab/outlines","type":"singularity"},
 "command-line":"outline [EXACT_IMAGE] [EXACT_OUTPUT] [SIGMA]","schema-version":"cytomine-0.1","exact-package":"org.example.outlines",
 "inputs":[{"id":"exact_image","name":"I","type":"String","set-by-server":true},{"id":"exact_output","name":"O","type":"String","set-by-server":true},
  {"id":"sigma","name":"Smoothing","type":"Number","optional":true,"default-value":1}]}`

func TestAnotherServerIsOpenedInTheSameSession(t *testing.T) {
	site, r, d := startSite(t, 120, 40)
	fake := exacttest.Start(t, exacttest.Options{})
	demo := fake.AddDemo()
	for _, p := range []exacttest.Plugin{{Name: "Outlines", Package: "org.example.outlines"}, {Name: "Unbound", Package: "org.example.unbound"}} {
		p.Products = []int{demo.Product}
		fake.AddPlugin(p)
	}
	paths := site.Session.Env.Paths
	if err := profile.Save(paths, profile.Profile{Name: "slides", Kind: client.Exact, URL: fake.URL, User: "worker"}, client.Keys{Public: "pat", Private: fake.Token("worker")}); err != nil {
		t.Fatal(err)
	}
	folder := site.Session.Env.DescriptorFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "outlines.json"), []byte(outlines), 0o600); err != nil {
		t.Fatal(err)
	}
	site.Run("stain-density", runner.Succeeded, nil, nil)

	d.Press("enter")
	d.Until("a form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	d.Press("esc", "W")
	d.UntilShows("choose a server")
	d.Shows("lab", "open now", "slides", "exact")
	d.Type("slides")
	d.Press("enter")
	d.UntilShows("Outlines")
	d.Shows("set-1", "worker", "Unbound", "unbound")

	// What cannot run says why, what can has a form with the images of the set.
	d.Press("down", "enter")
	d.UntilShows("it cannot run on this box: no descriptor on this box is for its package org.example.unbound")
	d.Press("up", "enter")
	d.UntilShows("none of 3")
	d.Shows("Images", "Smoothing", "Existing jobs")
	d.Hides("Split")

	// The analyses of the other server are there on demand.
	d.Press("esc", "2")
	d.Hides("stain-density")
	d.Press("B")
	d.UntilShows("stain-density")
	d.Shows("lab:")

	d.Press("1", "W")
	d.UntilShows("choose a server")
	d.Type("lab")
	d.Press("enter")
	d.UntilShows("nuclei-segmentation")
	if r.session.Profile.Name != "lab" {
		t.Errorf("on %s", r.session.Profile.Name)
	}
}
