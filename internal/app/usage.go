package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cytorun/cytorun/runner/gpu"
)

// Usage is who used this box.
type Usage struct {
	Rows []gpu.UsageRow
	gpus map[string]string // how people call them, by UUID
}

// GPU is how people call a GPU of a row: its index and product where the driver
// still knows it, else its UUID.
func (u Usage) GPU(uuid string) string { return cmp.Or(u.gpus[uuid], uuid) }

// Usage adds up what the runs of all users used of this box since a time, by
// some of gpu.UsageWords in any order. An error stands beside what could be read.
func (e *Env) Usage(ctx context.Context, since time.Time, by []string) (Usage, error) {
	// Others wait for it; that it cannot be put back is no reason to say nothing.
	_ = gpu.RestoreUse(e.Paths.State)
	records, err := gpu.ReadUsage(e.Paths.State, since)
	u := Usage{Rows: gpu.SumUsage(records, by, since), gpus: map[string]string{}}
	if slices.Contains(by, "gpu") && len(records) > 0 {
		devices, _ := gpu.Discover(ctx) // without an answer UUIDs do
		for _, d := range devices {
			u.gpus[d.UUID] = d.Label() + " " + d.Name
		}
	}
	return u, err
}
