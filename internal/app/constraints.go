package app

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/demo"
)

// DescriptorFolder is where a person may keep descriptor files of algorithms:
// servers store no usable choices and limits (contract §2.4), the files have
// them.
func (e *Env) DescriptorFolder() string { return filepath.Join(e.Paths.Data, "descriptors") }

// complete adds what the server does not keep: the choices and limits of
// parameters, and descriptions where it has none.
func (e *Env) complete(algorithms ...*client.Algorithm) {
	local := e.localDescriptors()
	for _, a := range algorithms {
		demo.Complete(a)
		if d := local[strings.ToLower(a.Name)]; d != nil {
			merge(a, d)
		}
	}
}

// localDescriptors reads the descriptors of DescriptorFolder, by the names in
// them in lower case. A file that is no descriptor is left out.
func (e *Env) localDescriptors() map[string]*descriptor.Descriptor {
	found := map[string]*descriptor.Descriptor{}
	files, _ := filepath.Glob(filepath.Join(e.DescriptorFolder(), "*.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if d, _ := descriptor.Parse(file, data); d != nil && d.Name != "" {
			found[strings.ToLower(d.Name)] = d
		}
	}
	return found
}

func merge(a *client.Algorithm, d *descriptor.Descriptor) {
	if a.Description == "" {
		a.Description = d.Description
	}
	known := map[string]descriptor.Parameter{}
	for _, p := range d.Parameters {
		known[p.ID] = p
	}
	for i := range a.Parameters {
		p := &a.Parameters[i]
		k, ok := known[p.ID]
		if !ok {
			continue
		}
		p.Choices, p.Minimum, p.Maximum, p.Integer = k.Choices, k.Minimum, k.Maximum, k.Integer
		if p.Description == "" {
			p.Description = k.Description
		}
	}
}
