package gpu

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/internal/text"
)

// A GPU in MIG mode is cut into slices, each a device of its own for programs.
// The GPU as a whole computes nothing then. Slices are called GPU:SLICE, as
// NVIDIA's container tools do, and are leased by their UUID like GPUs. What
// nvidia-smi prints for programs knows nothing of them, so that their memory in
// use and their load stay unknown, and a process without a lease counts for all
// slices of its GPU.

// Label is how people name a device: the index of a GPU, GPU:SLICE of a slice.
func (d Device) Label() string { return cmp.Or(d.Slice, strconv.Itoa(d.Index)) }

// parent is the GPU that a device is or belongs to.
func (d Device) parent() string { return cmp.Or(d.Whole, d.UUID) }

// listLines are those of `nvidia-smi -L`:
//
//	GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d3f...)
//	  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4...)
var listLines = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(GPU|MIG)\s+(\S.*?)\s*(?:Device\s+(\d+))?:?\s*\(UUID:\s*(\S+)\)\s*$`)
})

// cut replaces GPUs in MIG mode by their slices. The tool says of such a GPU
// that its load is unknown, and is asked for slices only then.
func cut(ctx context.Context, devices []Device) ([]Device, error) {
	if !slices.ContainsFunc(devices, func(d Device) bool { return d.Load < 0 && !d.Lost }) {
		return devices, nil
	}
	out, err := run(ctx, toolTimeout, "nvidia-smi", "-L")
	if err != nil {
		return devices, toolFailed(ctx, out, err)
	}
	return addSlices(devices, out), nil
}

// addSlices reads the slices of each GPU.
func addSlices(devices []Device, out string) []Device {
	bySlice := map[string][]Device{}
	var whole Device
	for line := range strings.Lines(out) {
		f := listLines().FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if f == nil || !validUUID(f[4]) {
			continue
		}
		if f[1] == "GPU" {
			whole = Device{}
			if i := slices.IndexFunc(devices, func(d Device) bool { return d.UUID == f[4] }); i >= 0 {
				whole = devices[i]
			}
			continue
		}
		if whole.UUID == "" || f[3] == "" {
			continue
		}
		bySlice[whole.UUID] = append(bySlice[whole.UUID], Device{
			Index: whole.Index, Slice: strconv.Itoa(whole.Index) + ":" + f[3], Whole: whole.UUID, UUID: f[4],
			Name: text.Line(whole.Name + " MIG " + f[2]), Driver: whole.Driver, Total: profileMemory(f[2]), Used: -1, Load: -1,
		})
	}
	var all []Device
	for _, d := range devices {
		if s := bySlice[d.UUID]; len(s) > 0 && !d.Lost {
			all = append(all, s...)
		} else {
			all = append(all, d)
		}
	}
	return all
}

// profileMemory is the memory of a slice by its profile, such as 1g.5gb or
// 1c.3g.20gb+me, in bytes; -1 unknown.
func profileMemory(profile string) int64 {
	for part := range strings.SplitSeq(strings.ToLower(profile), ".") {
		digits, _, ok := strings.Cut(part, "gb")
		if n, err := strconv.ParseInt(digits, 10, 16); ok && err == nil && n > 0 {
			return n << 30
		}
	}
	return -1
}

// nearby are the leases of a GPU and of all its slices.
func nearby(d Device, devices []Device, held map[string][]Lease) []Lease {
	if d.Whole == "" {
		return held[d.UUID]
	}
	var all []Lease
	for _, other := range devices {
		if other.parent() == d.parent() {
			all = append(all, held[other.UUID]...)
		}
	}
	return all
}
