package main

import (
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cytorun/cytorun/client/exact/exacttest"
)

// serveExact starts an EXACT server with the demo of exacttest and a plugin with a
// job on the first image, and puts its address into EXACT_SITE.
func serveExact(ts *testscript.TestScript, _ bool, _ []string) {
	site := exacttest.New(exacttest.Options{})
	ts.Defer(site.Close)
	d := site.AddDemo()
	plugin := site.AddPlugin(exacttest.Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{d.Product}})
	site.AddJob(d.Images[0], plugin, d.Worker)
	ts.Setenv("EXACT_SITE", site.URL)
	ts.Setenv("EXACT_WORKER_TOKEN", site.Token("worker"))
}
