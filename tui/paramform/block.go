package paramform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/demo"
	"github.com/cytorun/cytorun/runner"
)

// Fields of the launch block.
const (
	blockGPUs    = "gpus"
	blockLimit   = "time"
	blockNote    = "note"
	blockRuntime = "runtime"
	blockSplit   = "split"
	blockSweeps  = "sweeps"
)

// The ways to put several sweeps together.
const (
	eachWithEach = "each with each"
	together     = "side by side"
)

// newBlock makes the fields that say how to launch. They are parameters like
// the others, so that they are edited, judged and drawn alike; their ids are the
// flags of `cytorun run`.
func newBlock(s *app.Session, a client.Algorithm) *forms.Form {
	zero, gpus := "0", "0"
	ps := []descriptor.Parameter{
		{ID: blockGPUs, Name: "GPUs", Type: descriptor.Number, Integer: true, Minimum: &zero, Default: &gpus, Flag: "--gpus",
			Description: "How many GPUs the analysis gets for itself. It waits in the queue until they are free."},
		{ID: blockLimit, Name: "Time limit", Type: descriptor.String, Optional: true, Flag: "--time",
			Description: "The analysis is stopped after this time, such as 90m, 2h30m or 1d. Empty: never."},
		{ID: blockNote, Name: "Note", Type: descriptor.String, Optional: true, Flag: "--note",
			Description: "A line for yourself: why this analysis, what is different about it."},
	}
	if p, ok := splitParameter(a); ok {
		one := "1"
		ps = append(ps, descriptor.Parameter{
			ID: blockSplit, Name: "Split", Type: descriptor.Number, Integer: true, Optional: true, Minimum: &one, Flag: "--split " + p.ID + ":N",
			Description: "Makes several runs: each gets so many of " + p.Label() + ", so 1 is one run for each. Empty: one run for all.",
		})
	}
	how := eachWithEach
	ps = append(ps, descriptor.Parameter{
		ID: blockSweeps, Name: "Sweeps", Type: descriptor.String, Default: &how, Choices: []string{eachWithEach, together},
		Description: "How the values of several sweeps go together: every value of one with every value of the others, or the first ones, the second ones and so on.",
	})
	if demo.Owns(a) { // nothing else runs without its container
		runtime := string(runner.Apptainer)
		if s.Runtime != "" {
			runtime = string(s.Runtime)
		}
		ps = append(ps, descriptor.Parameter{
			ID: blockRuntime, Name: "Runtime", Type: descriptor.String, Default: &runtime, Flag: "--runtime",
			Choices:     []string{string(runner.Apptainer), string(runner.Process)},
			Description: "apptainer runs the algorithm in its container. process runs the demo's programs without one, where Apptainer is missing.",
		})
	}
	return forms.New(ps, nil)
}

// launchRequest is the launch as the form describes it now.
func (m *Screen) launchRequest() app.LaunchRequest {
	r := app.LaunchRequest{Algorithm: m.algorithm, Values: m.several.single, Note: m.blockText(blockNote)}
	if n, ok := m.block.Field(blockGPUs).Value().Number(); ok {
		r.GPUs = int(n)
	}
	r.TimeLimit, _ = parseLimit(m.blockText(blockLimit))
	r.Runtime = runner.Apptainer
	if f := m.block.Field(blockRuntime); f != nil {
		r.Runtime = runner.Runtime(f.Text)
	}
	return r
}

func (m *Screen) blockText(id string) string { return strings.TrimSpace(m.block.Field(id).Text) }

// judge adds what a field alone cannot tell, after its form has judged it.
func (m *Screen) judge(s spot) {
	if !s.launch {
		m.judgeSweep(m.params.Field(s.id))
	}
	if s.id == blockLimit {
		m.judgeLimit()
	}
	m.judgeSplit(s)
}

func (m *Screen) judgeLimit() {
	f := m.block.Field(blockLimit)
	f.Problems = nil
	if _, err := parseLimit(f.Text); err != nil {
		f.Problems = []forms.Problem{{Parameter: blockLimit, Message: err.Error()}}
	}
}

var limitParts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?$`)
})

// parseLimit reads a length of time: 90m, 2h30m, 1d12h.
func parseLimit(s string) (time.Duration, error) {
	s = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
	if s == "" {
		return 0, nil
	}
	found := limitParts().FindStringSubmatch(s)
	if found == nil {
		if _, err := strconv.Atoi(s); err == nil {
			return 0, fmt.Errorf("%s of what? write %sm, %sh or %sd", s, s, s, s)
		}
		return 0, fmt.Errorf("%q is not a time; write it as 90m, 2h30m or 1d", s)
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if found[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(found[i+1])
		if err != nil || n > 100_000_000 {
			return 0, fmt.Errorf("%q is too long", s)
		}
		d += time.Duration(n) * unit
	}
	if d <= 0 || d > 366*24*time.Hour {
		return 0, fmt.Errorf("a limit is between 1s and 366d; empty means none")
	}
	return d, nil
}

// origin of a value that was typed.
const typed = client.FromUser
