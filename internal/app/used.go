package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Asked says what a run may use of the box, such as "2 GPUs, 16 GiB of memory, 4
// processors, 2h00m"; empty for one without a GPU and limits.
func Asked(r runner.Resources) string {
	var of []string
	if r.GPUs > 0 {
		of = append(of, WantedGPUs(r))
	}
	return strings.Join(append(of, boundsOf(r)...), ", ")
}

func boundsOf(r runner.Resources) (of []string) {
	if r.Memory > 0 {
		of = append(of, "at most "+text.Memory(r.Memory)+" of memory")
	}
	if r.CPUs > 0 {
		n := strconv.FormatFloat(r.CPUs, 'f', -1, 64) + " processor"
		if r.CPUs != 1 {
			n += "s"
		}
		of = append(of, "at most "+n)
	}
	if r.TimeLimit > 0 {
		of = append(of, "at most "+text.Duration(r.TimeLimit))
	}
	return of
}

// Unlimited says why limits that a run asked for did not hold, empty where they
// did.
func Unlimited(run runner.Run) string {
	if run.Resources.Memory == 0 && run.Resources.CPUs == 0 {
		return ""
	}
	events, _ := runner.ReadEvents(run.Folder)
	for _, e := range events {
		if why := e.Facts[runner.FactUnlimited]; why != "" {
			return why
		}
	}
	return ""
}

// Used says what a run that has ended took, as far as that is known: "memory at
// most 1.2 GiB, 3m04s of CPU, GPU memory at most 8 GiB, GPU load 61 %, at most
// 98 %".
func Used(run runner.Run) string {
	var of []string
	if run.Result == nil {
		return ""
	}
	if e := run.Result.Exit; e != nil {
		if e.MaxRSS > 0 {
			of = append(of, "memory at most "+text.Memory(e.MaxRSS))
		}
		if e.CPU > 0 {
			of = append(of, text.Duration(seconds(e.CPU))+" of CPU")
		}
	}
	if g := run.Result.GPU; g != nil && g.Samples > 0 {
		if g.Memory > 0 {
			of = append(of, "GPU memory at most "+text.Memory(g.Memory))
		}
		of = append(of, fmt.Sprintf("GPU load %.0f %%, at most %d %%", g.Load, g.PeakLoad))
	}
	return strings.Join(of, ", ")
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// usedFacts are the rows of a comparison on what a run took.
func usedFacts(res runner.Result) (es []compare.Entry) {
	less := func(key string, value float64, q compare.Quantity) {
		e := numberEntry(compare.Facts, key, value, q)
		e.Better = compare.Lower
		es = append(es, e)
	}
	if e := res.Exit; e != nil {
		if e.MaxRSS > 0 {
			less("peak memory", float64(e.MaxRSS), compare.Memory)
		}
		if e.CPU > 0 {
			less("cpu time", e.CPU, compare.Seconds)
		}
	}
	if g := res.GPU; g != nil && g.Samples > 0 {
		if g.Memory > 0 {
			less("gpu peak memory", float64(g.Memory), compare.Memory)
		}
		e := numberEntry(compare.Facts, "gpu load", g.Load, compare.Plain)
		e.Text, e.Unit = fmt.Sprintf("%.0f", g.Load), "%"
		es = append(es, e)
	}
	return es
}
