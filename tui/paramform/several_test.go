package paramform_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func (f *fixture) set(name, value string) {
	f.t.Helper()
	f.to(name)
	f.Press("enter")
	f.Type(value)
	f.Press("enter")
}

// ids chooses options by their ids, which the site's list does not have.
func (f *fixture) ids(name, value string) {
	f.t.Helper()
	f.to(name)
	f.Press("enter", "c", "t")
	f.Type(value)
	f.Press("enter", "enter")
}

func TestSeveralValuesMakeSeveralRuns(t *testing.T) {
	site := tuitest.New(t)
	site.Session.Runtime = runner.Process
	f := open(t, site, site.Algorithm("nuclei-segmentation"), nil, 100, 35)
	f.ids("Images", "12,13,14")
	f.set("Smoothing", "1, 2")
	f.rowHas("2 values")
	f.Shows("launches 2 runs", "--sigma 1 ", "the first of 2 runs")
	f.Hides("Sweeps")
	f.set("Smallest size", "50..70 step 10")
	f.Shows("launches 6 runs", "Sweeps")
	f.set("Split", "2")
	f.Shows("launches 12 runs", "--images 12,13 ")
	f.to("Sweeps")
	f.Press("space")
	f.Shows("sigma has 2 and min_size has 3", "✗ 1 problem")
	f.set("Smallest size", "50, 60")
	f.Shows("launches 4 runs")
	site.Run("nuclei-segmentation", runner.Succeeded, func(spec *runner.Spec) {
		spec.Values = []client.Value{{Parameter: "images", Text: "12", Origin: client.FromUser}} // one image in 10 s
	}, &runner.Result{Annotations: -1})
	f.Press("ctrl+s")
	f.UntilShows("goes back to the form")
	f.Shows("4 analyses in one group", "2 of sigma × 2 of min_size × 2 parts of images", "launches 4 runs")
	f.Shows("4 runs of 6 images in all", "Launch 4 runs, about 1m00s of computing?")
	f.Press("enter")
	launched := tuitest.UntilSent[nav.Launched](f.Driver)
	var got []string
	for _, run := range launched.Runs {
		t.Cleanup(func() { ended(t, site, run) })
		v := map[string]string{}
		for _, x := range run.Values {
			v[x.Parameter] = x.Text
		}
		got = append(got, v["images"]+" "+v["sigma"]+" "+v["min_size"])
		if run.Group == "" || run.Group != launched.Runs[0].Group {
			t.Errorf("group %q", run.Group)
		}
	}
	if want := "12,13 1 50; 14 1 50; 12,13 2 60; 14 2 60"; strings.Join(got, "; ") != want {
		t.Errorf("runs %s, want %s", strings.Join(got, "; "), want)
	}
}

func TestEachValueOfASweepIsJudged(t *testing.T) {
	f := newForm(t, 100, 35)
	f.set("Sigma", "1, 11")
	f.Shows("must be at most 10; got 11")
}

func TestAListThatIsTooLongIsOfferedTheSplit(t *testing.T) {
	f := newForm(t, 100, 35)
	var ids []string
	for i := range 900 {
		ids = append(ids, strconv.Itoa(100000+i))
	}
	f.to("Images")
	f.Press("enter", "t")
	f.Type(strings.Join(ids, ","))
	f.Press("enter", "enter")
	f.Shows("the server stores 5000")
	f.set("Split", "100")
	f.Hides("the server stores 5000")
	f.set("Count", "3")
	f.Shows("launches 9 runs")
}

func TestASelectionIsKeptForTheProject(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Images")
	f.Press("enter", "t")
	f.Type("12,13")
	f.Press("enter", "s")
	f.Type("cohort-a")
	f.Press("enter")
	f.UntilShows("kept as @cohort-a")
	f.Press("c", "@")
	f.UntilShows("@cohort-a  2")
	f.Press("enter")
	f.Shows("@cohort-a: 2 marked")
	f.Press("s")
	f.Type("no/name")
	f.Press("enter")
	f.UntilShows("is no name for a selection")
	f.Press("@", "x")
	f.UntilShows("removed @cohort-a")
	if sets, err := f.site.Session.OptionSets(""); err != nil || len(sets) != 0 {
		t.Errorf("%v, %v", sets, err)
	}
	f.Press("enter")
	f.rowHas("12, 13")
}

func TestPresetsKeepValuesUnderAName(t *testing.T) {
	f := newForm(t, 100, 30)
	f.set("Count", "7")
	f.set("Label", "a b")
	f.Press("p")
	f.UntilShows("None yet")
	f.Press("s")
	f.Type("mine")
	f.Press("enter")
	f.UntilShows("kept as mine")
	f.Fits(100, 30)
	f.Press("esc", "X")
	f.Hides("a b")
	f.Press("p")
	f.UntilShows("mine  ")
	f.Press("enter")
	f.UntilShows("a b")
	f.to("Count")
	f.rowHas("7", "preset")
	f.Press("p")
	f.UntilShows("mine  ")
	f.Press("x")
	f.UntilShows("None yet")
	f.Press("esc")
	if f.screen.(nav.KeyHolder).HoldsKey(keymap.Press("esc")) {
		t.Error("the box is still open")
	}
}
