package gpu

import (
	"os"
	"strings"
)

// Grant is what a run was given: its turn, and GPUs.
type Grant struct {
	GPUs  []Device
	files []*os.File
}

// Files are the locks of the grant, for the keeper. The grant lasts until they
// and every copy of them in another process are closed.
func (g *Grant) Files() []*os.File { return g.files }

// UUIDs are those of the GPUs, in the order of nvidia-smi.
func (g *Grant) UUIDs() []string {
	uuids := make([]string, len(g.GPUs))
	for i, d := range g.GPUs {
		uuids[i] = d.UUID
	}
	return uuids
}

// Close lets go of this process's part of the grant.
func (g *Grant) Close() {
	for _, f := range g.files {
		_ = f.Close()
	}
}

// Environment tells a program which GPUs are its own; without any it finds none,
// also where the site shows them to every container. The others are hidden from
// it, not locked away.
func Environment(uuids []string) map[string]string {
	return map[string]string{"CUDA_VISIBLE_DEVICES": strings.Join(uuids, ",")}
}
