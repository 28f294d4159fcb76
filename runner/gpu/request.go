package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// Request is what a run wants besides its turn.
type Request struct {
	// Count is how many GPUs, whichever are free (--gpus N).
	Count int `json:"count,omitempty"`
	// Names are the GPUs it must be, as nvidia-smi names them: an index, a UUID
	// or a UUID's beginning (--gpu ID[,ID]). Count does not matter then.
	Names []string `json:"names,omitempty"`
	// Memory is how many bytes of each GPU it needs when it shares them with
	// others (--gpu-memory); 0 takes them whole.
	Memory int64 `json:"memory,omitempty"`
	// Typical is how long the run will hold them, as far as is known; 0 is not
	// known. It only tells others how long they wait.
	Typical time.Duration `json:"typical,omitempty"`

	// Said is how the request was put before its names became UUIDs; people read
	// it, also those of a ticket.
	Said string `json:"said,omitempty"`
}

// GPUs is how many GPUs are asked for.
func (r Request) GPUs() int {
	if len(r.Names) > 0 {
		return len(r.Names)
	}
	return max(r.Count, 0)
}

// String names what is asked for, such as "2 GPUs" or "8 GiB of GPU 0".
func (r Request) String() string {
	if r.Said != "" {
		return text.Line(r.Said)
	}
	if r.GPUs() == 0 {
		return "no GPU"
	}
	s := text.Plural(r.GPUs(), "GPU")
	if len(r.Names) > 0 {
		s = "GPU"
		if len(r.Names) > 1 {
			s = "GPUs"
		}
		s += " " + text.Line(strings.Join(r.Names, ", "))
	}
	if r.Memory > 0 {
		s = text.Memory(r.Memory) + " of " + s
	}
	return s
}

// ParseNames reads the value of --gpu: "0", "0,2", "GPU-5d3f", or UUIDs, and
// "0:1" for a slice of a GPU in MIG mode.
func ParseNames(s string) ([]string, error) {
	var names []string
	for n := range strings.SplitSeq(s, ",") {
		n = strings.TrimSpace(n)
		if n == "" || !isLabel(n) && !validUUID(n) {
			return nil, fmt.Errorf("%q names no GPU; say an index, a UUID or its beginning, as nvidia-smi -L lists them", text.Line(s))
		}
		if slices.Contains(names, n) {
			return nil, fmt.Errorf("GPU %s is named twice", n)
		}
		names = append(names, n)
	}
	return names, nil
}

// isLabel tells an index of a GPU, or GPU:SLICE.
func isLabel(s string) bool {
	gpu, slice, cut := strings.Cut(s, ":")
	return gpu != "" && strings.Trim(gpu+slice, "0123456789") == "" && cut == (slice != "")
}

// units of memory. It is sold by powers of two, whatever the letters say.
var units = map[string]int64{"m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30, "t": 1 << 40, "tb": 1 << 40, "tib": 1 << 40}

// ParseMemory reads the value of --gpu-memory or --memory, such as "8G",
// "7.5GiB" or "800M", in bytes.
func ParseMemory(s string) (int64, error) {
	low := strings.ToLower(strings.TrimSpace(s))
	digits := strings.TrimRight(low, "abcdefghijklmnopqrstuvwxyz ")
	unit, known := units[strings.TrimSpace(low[len(digits):])]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !known || !(n > 0) || n > 1<<20 || n*float64(unit) > 1<<60 {
		return 0, fmt.Errorf("%q is no amount of memory; say it like 8G or 800M", text.Line(s))
	}
	return int64(n * float64(unit)), nil
}

// FormatMemory writes an amount as ParseMemory reads it.
func FormatMemory(n int64) string {
	if n%(1<<30) == 0 {
		return strconv.FormatInt(n>>30, 10) + "G"
	}
	return strconv.FormatInt((n+1<<20-1)>>20, 10) + "M"
}

// find gives the device that a name of nvidia-smi means.
func find(devices []Device, name string) (Device, error) {
	var found []Device
	_, err := strconv.Atoi(name)
	number := err == nil || strings.Contains(name, ":")
	for _, d := range devices {
		if sameLabel(d.Label(), name) || strings.EqualFold(d.UUID, name) {
			return d, nil
		}
		if !number && strings.HasPrefix(strings.ToLower(d.UUID), strings.ToLower(name)) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Device{}, fmt.Errorf("%w: there is no GPU %s, it has %s", ErrRequest, text.Line(name), list(devices))
	}
	return Device{}, fmt.Errorf("%w: %s is the beginning of several: %s", ErrRequest, text.Line(name), list(found))
}

// sameLabel compares labels of devices as numbers: 00 is 0.
func sameLabel(a, b string) bool {
	trim := func(s string) string {
		var parts []string
		for p := range strings.SplitSeq(s, ":") {
			parts = append(parts, cmp.Or(strings.TrimLeft(p, "0"), "0"))
		}
		return strings.Join(parts, ":")
	}
	return a == b || trim(a) == trim(b)
}

func list(devices []Device) string {
	var s []string
	for _, d := range devices {
		s = append(s, fmt.Sprintf("%s (%s)", d.Label(), d.UUID))
	}
	return "GPU " + strings.Join(s, ", ")
}

// pin replaces names by UUIDs, which still mean the same when a GPU vanishes
// and the indices move.
func (r Request) pin(devices []Device) (Request, error) {
	r.Said = r.String()
	var uuids []string
	for _, n := range r.Names {
		d, err := find(devices, n)
		if err != nil {
			return r, err
		}
		if slices.Contains(uuids, d.UUID) {
			return r, fmt.Errorf("%w: GPU %s is named twice", ErrRequest, d.Label())
		}
		uuids = append(uuids, d.UUID)
	}
	r.Names = uuids
	return r, nil
}

// candidates are the GPUs that may be given: those named, or all that are
// allowed. An error tells that there will never be enough.
func (r Request) candidates(devices []Device, allow []string) ([]Device, error) {
	allowed, unknown := permitted(devices, allow)
	from := allowed
	if len(r.Names) > 0 {
		from = nil
		for _, n := range r.Names {
			d, err := find(devices, n)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(allowed, func(a Device) bool { return a.UUID == d.UUID }) {
				return nil, fmt.Errorf("%w: GPU %s is not in [gpu] allow of config.toml", ErrRequest, d.Label())
			}
			from = append(from, d)
		}
	}
	var able []Device
	for _, d := range from {
		if d.Lost {
			if len(r.Names) > 0 {
				return nil, fmt.Errorf("%w: GPU %s does not answer; restart the box", ErrRequest, d.Label())
			}
			continue
		}
		if r.Memory == 0 || d.Total < 0 || d.Total >= r.Memory {
			able = append(able, d)
		}
	}
	if n := r.GPUs(); len(able) < n {
		why := fmt.Sprintf("%s asked for, it has %d", text.Plural(n, "GPU"), len(devices))
		switch {
		case len(from) < len(devices) && len(r.Names) == 0:
			why += fmt.Sprintf(", and [gpu] allow of config.toml leaves %d of them", len(from))
		case r.Memory > 0:
			why = fmt.Sprintf("%s of memory asked for, and %d of its GPUs have as much", text.Memory(r.Memory), len(able))
		case len(able) < len(from):
			why += fmt.Sprintf(", and %d do not answer", len(from)-len(able))
		}
		if unknown != nil {
			why += "; " + unknown.Error()
		}
		return nil, fmt.Errorf("%w: %s", ErrRequest, why)
	}
	return able, nil
}

// permitted are the devices that [gpu] allow leaves. An error beside them names
// what it lists and the box does not have.
func permitted(devices []Device, allow []string) (allowed []Device, unknown error) {
	if len(allow) == 0 {
		return devices, nil
	}
	var missing []string
	for _, name := range allow {
		d, err := find(devices, name)
		switch {
		case err != nil:
			missing = append(missing, text.Line(name))
		case !slices.ContainsFunc(allowed, func(a Device) bool { return a.UUID == d.UUID }):
			allowed = append(allowed, d)
		}
	}
	if len(missing) > 0 {
		unknown = fmt.Errorf("[gpu] allow of config.toml names GPU %s, and this box has %s", strings.Join(missing, ", "), list(devices))
	}
	slices.SortStableFunc(allowed, func(a, b Device) int { return a.Index - b.Index })
	return allowed, unknown
}
