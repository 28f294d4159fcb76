package demo

import (
	"embed"
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

//go:embed descriptors/*.json
var descriptorFiles embed.FS

// Version is the version of the demo's algorithms. It changes with their
// descriptors.
const Version = "1.0"

// Descriptors describe the algorithms of the demo.
func Descriptors() []*descriptor.Descriptor {
	var out []*descriptor.Descriptor
	for _, name := range []string{"nuclei", "stain", "train"} {
		file := "descriptors/" + name + ".json"
		data, err := descriptorFiles.ReadFile(file)
		if err != nil {
			panic(err) // embedded: a test would have found it
		}
		d, findings := descriptor.Parse(file, data)
		if d == nil {
			panic(fmt.Sprint(findings))
		}
		out = append(out, d)
	}
	return out
}

// Owns tells whether an algorithm is one of the demo, rather than one of
// somebody else's with the same name.
func Owns(a client.Algorithm) bool {
	return a.Version == Version && strings.Contains(a.Container, "/"+repository)
}

// Complete adds to an algorithm of the demo what a server does not store: the
// choices and limits of its parameters, and in lists the description. Other
// algorithms stay as they are.
func Complete(a *client.Algorithm) {
	if !Owns(*a) {
		return
	}
	for _, d := range Descriptors() {
		if d.Name != a.Name {
			continue
		}
		if a.Description == "" {
			a.Description = d.Description
		}
		known := map[string]descriptor.Parameter{}
		for _, p := range d.Parameters {
			known[p.ID] = p
		}
		for i := range a.Parameters {
			p := &a.Parameters[i]
			p.TakeLimits(known[p.ID], "the demo's descriptor")
		}
	}
}
