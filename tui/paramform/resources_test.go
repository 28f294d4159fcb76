package paramform_test

import (
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestResourcesAreJudgedBesideEachOther(t *testing.T) {
	f := newForm(t, 120, 50)
	f.field("GPUs", "0", "default")
	f.set("GPU memory", "8G")
	f.Shows("asks for memory of a GPU, and GPUs says none")
	f.set("Which GPUs", "0, 2")
	f.field("Which GPUs", "0, 2", "you")
	f.Hides("asks for memory")
	f.set("GPUs", "1")
	f.Shows("names 2 GPUs, and GPUs says 1; make them agree, or clear this")
	f.Press("u")
	f.Hides("make them agree")
	f.set("Which GPUs", "gpu:0")
	f.Shows(`"gpu:0" names no GPU`)
	f.set("Memory", "lots")
	f.Shows(`"lots" is no amount of memory`)
	f.set("Processors", "-1")
	f.Shows("✗")
	f.set("Time limit", "5")
	f.Shows("5 of what? write 5m, 5h or 5d")
}

func TestTheFormBeginsWithWhatTheLastRunAskedFor(t *testing.T) {
	site := tuitest.New(t)
	a := tuitest.Register(t, site.Session, site.Session.Project.ID, everyType("every-type"))
	_, err := site.Session.Env.Store.Create(runner.Spec{
		Server: runner.ServerRef{URL: site.Session.Profile.URL}, Algorithm: runner.AlgorithmSpec{Name: a.Name}, Resources: runner.Resources{GPUs: 2, GPUMemory: 8 << 30, Memory: 1 << 30},
		Host: runner.Host(), Person: site.Session.User.Username,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, site, a, nil, 120, 50)
	f.Until("the last run was read", func() bool { return strings.Contains(f.Text(), string(client.FromLast)) })
	f.field("GPUs", "2", "last used")
	f.field("GPU memory", "8G", "last used")
	f.field("Memory", "–")
	f.set("GPUs", "1")
	f.Press("X")
	f.field("GPUs", "2", "last used")

	// An analysis that is launched again says it itself.
	like := site.Session.ResourcesOf(app.Analysis{Run: &runner.Run{Spec: runner.Spec{Host: runner.Host(), Resources: runner.Resources{Memory: 3 << 29, CPUs: 1.5, TimeLimit: 90 * 60e9}}}})
	s := paramform.New(site.Session, a, nil, like)
	d := tuitest.Drive(t, s, 120, 50)
	wasRead(d)
	g := &fixture{Driver: d, t: t, site: site, a: a, screen: s}
	g.field("GPUs", "0", "analysis")
	g.field("Memory", "1536M", "analysis")
	g.field("Processors", "1.5", "analysis")
	g.field("Time limit", "1h30m", "analysis")
}

// field looks at the row of a field.
func (f *fixture) field(name string, want ...string) {
	f.t.Helper()
	f.to(name)
	f.rowHas(want...)
}
