package paramform

import (
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/demo"
	"github.com/cytorun/cytorun/runner"
)

// Fields of the launch block.
const (
	blockNote    = "note"
	blockRuntime = "runtime"
	blockSplit   = "split"
	blockSweeps  = "sweeps"
	// blockExisting is about images that have a job of the algorithm already.
	blockExisting = "existing"
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
	ps := append(resourceParameters(), descriptor.Parameter{
		ID: blockNote, Name: "Note", Type: descriptor.String, Optional: true, Flag: "--note",
		Description: "A line for yourself: why this analysis, what is different about it.",
	})
	if app.PerImage(a) {
		skip := app.SkipExisting
		ps = append(ps, descriptor.Parameter{
			ID: blockExisting, Name: "Existing jobs", Type: descriptor.String, Default: &skip, Flag: "--existing", Choices: []string{app.SkipExisting, app.RedoExisting},
			Description: "The server keeps one job of an algorithm for each image. skip leaves the images out that have one; redo runs them again, and what their jobs wrote there is deleted.",
		})
	} else if p, ok := splitParameter(a); ok {
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
	r := app.LaunchRequest{Algorithm: m.algorithm, Values: m.several.single, Resources: m.resources(), Note: m.blockText(blockNote)}
	r.Runtime = runner.Apptainer
	if f := m.block.Field(blockRuntime); f != nil {
		r.Runtime = runner.Runtime(f.Text)
	}
	r.Container, r.Cache = m.container, m.cache
	if m.own != nil {
		r.Develop = m.own
		if m.own.Source != nil {
			r.Runtime = runner.Process
		}
	}
	return r
}

func (m *Screen) blockText(id string) string { return strings.TrimSpace(m.block.Field(id).Text) }

// existing is what to do about images that have a job already.
func (m *Screen) existing() string {
	if m.block.Field(blockExisting) == nil {
		return ""
	}
	return m.blockText(blockExisting)
}

// judge adds what a field alone cannot tell, after its form has judged it.
func (m *Screen) judge(s spot) {
	if !s.launch {
		m.judgeSweep(m.params.Field(s.id))
	}
	if s.launch && isResource(s.id) {
		m.judgeResources()
	}
	m.judgeSplit(s)
}

// origin of a value that was typed.
const typed = client.FromUser
