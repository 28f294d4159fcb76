package app

import (
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

func TestWhatDiffersInAGroup(t *testing.T) {
	run := func(id string, values ...client.Value) runner.Run {
		r := runner.Run{}
		r.ID, r.Values = id, values
		return r
	}
	v := func(name, text string) client.Value { return client.Value{Parameter: name, Text: text} }
	out := map[string][]client.Value{}
	differing([]runner.Run{
		run("a", v("sigma", "1"), v("method", "otsu"), v("private_key", "x")),
		run("b", v("sigma", "2"), v("method", "otsu"), v("private_key", "y"), v("extra", "1")),
	}, out)
	if a := out["a"]; len(a) != 1 || a[0].Parameter != "sigma" || a[0].Text != "1" {
		t.Errorf("a differs in %v", a)
	}
	if b := out["b"]; len(b) != 2 || b[0].Text != "2" || b[1].Parameter != "extra" {
		t.Errorf("b differs in %v", b)
	}
	alone := map[string][]client.Value{}
	differing([]runner.Run{run("c", v("sigma", "1"))}, alone)
	if len(alone["c"]) != 0 {
		t.Errorf("one that is left of its group differs in %v", alone["c"])
	}
}
