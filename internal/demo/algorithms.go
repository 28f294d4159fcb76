package demo

import (
	"embed"
	"fmt"

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

// Complete adds to an algorithm of the demo what a server does not store: the
// choices and limits of its parameters. Other algorithms stay as they are.
func Complete(a *client.Algorithm) {
	for _, d := range Descriptors() {
		if d.Name != a.Name || a.Version != Version {
			continue
		}
		known := map[string]descriptor.Parameter{}
		for _, p := range d.Parameters {
			known[p.ID] = p
		}
		for i := range a.Parameters {
			p, k := &a.Parameters[i], known[a.Parameters[i].ID]
			p.Choices, p.Minimum, p.Maximum, p.Integer = k.Choices, k.Minimum, k.Maximum, k.Integer
		}
	}
}
