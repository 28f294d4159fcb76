package main

import (
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cytorun/cytorun/client/exact/exacttest"
)

// serveExact starts an EXACT server with the demo of exacttest and a plugin with a
// job on the first image, and puts its address into EXACT_SITE. With the word cells
// it has more, see addCells.
func serveExact(ts *testscript.TestScript, _ bool, args []string) {
	site := exacttest.New(exacttest.Options{})
	ts.Defer(site.Close)
	d := site.AddDemo()
	plugin := site.AddPlugin(exacttest.Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{d.Product}})
	site.AddJob(d.Images[0], plugin, d.Worker)
	if len(args) > 0 {
		addCells(site, d)
	}
	ts.Setenv("EXACT_SITE", site.URL)
	ts.Setenv("EXACT_WORKER_TOKEN", site.Token("worker"))
}

// addCells adds a plugin, two of one package, and an image set with cells on its
// images.
func addCells(site *exacttest.Server, d exacttest.Demo) {
	for _, p := range []exacttest.Plugin{{Name: "Cells", Package: "org.example.cells"}, {Name: "Twin", Package: "org.example.twin"}, {Name: "Twin", Package: "org.example.twin"}} {
		p.Products = []int{d.Product}
		site.AddPlugin(p)
	}
	set := site.AddImageSet("cells", d.Team, d.Product)
	for _, name := range []string{"a.png", "b, with a comma.png", "folder/c.png"} {
		site.AddImage(set, exacttest.Image{Name: name, Width: 240, Height: 180, Content: cells(240, 180)})
	}
}
