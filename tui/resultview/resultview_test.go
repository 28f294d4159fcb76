package resultview

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestMain(m *testing.M) { tuitest.Main(m) }

var sizes = []struct{ w, h int }{{30, 3}, {40, 8}, {60, 15}, {80, 19}, {120, 35}, {200, 55}}

// filled is a screen that has read the results of n analyses, with hostile names in
// them.
func filled(t *testing.T, n int) (*Screen, *tuitest.Driver) {
	t.Helper()
	site := tuitest.New(t)
	evil := "evil\x1b]0;t\x07\r\n\u202e漢字"
	var as []app.Analysis
	for range n {
		run := site.Run("stain-density", runner.Failed, nil, &runner.Result{FirstError: evil, Exit: &runner.Exit{MaxRSS: 5e9, CPU: 12}})
		as = append(as, app.Analysis{Run: &run})
	}
	m := New(site.Session, as)
	d := tuitest.Drive(t, m, 120, 30)
	d.Until("everything was asked for", func() bool {
		return m.load.done(annotations) == n && m.load.done(files) == n && m.load.done(metrics) == n
	})
	for i := range n {
		groups := []app.DrawnGroup{
			{Image: 1, ImageName: evil + fmt.Sprint(i), Term: 7, TermName: "nucleus", Count: 1234, Area: 5e4, Unit: "µm²", Pixels: 2e5, Scored: 3, Score: 0.5, Reviewed: 2},
			{Image: 2, Count: 1},
		}
		d.Send(drawnRead{gen: m.load.gen, at: i, drawn: app.Drawn{Total: app.DrawnGroup{Count: 1235}, Terms: groups, Images: groups, All: groups, Unmeasured: evil}})
		d.Send(filesRead{gen: m.load.gen, at: i, files: []app.ResultFile{{JobFile: client.JobFile{ID: 1, Name: evil, Size: 5}, SHA256: strings.Repeat("a", 64)}, {JobFile: client.JobFile{ID: 2, Name: "b", Size: -1}}}})
		d.Send(metricsRead{gen: m.load.gen, at: i, metrics: []app.MetricSum{{Name: "DC", Title: evil, Mean: 0.9, Better: compare.Higher, Images: 3}}})
	}
	return m, d
}

func TestResultsFitEverySizeAndAreSafe(t *testing.T) {
	for _, n := range []int{1, 3} {
		m, d := filled(t, n)
		for _, s := range sizes {
			m.SetSize(s.w, s.h)
			for range bys {
				d.Fits(s.w, s.h)
				d.Press("b")
			}
			for range parts {
				d.Fits(s.w, s.h)
				d.Press("tab", "down")
			}
			d.Press("e")
			d.Fits(s.w, s.h)
			d.Press("esc")
		}
	}
}

func TestAnalysesAreToldApartInFewColumns(t *testing.T) {
	m, d := filled(t, 2)
	m.SetSize(80, 19)
	d.Fits(80, 19)
	for _, a := range m.analyses {
		words := strings.Fields(a.Title())
		d.Shows("… " + words[len(words)-1])
	}
}

func TestPartsAndSums(t *testing.T) {
	m, d := filled(t, 1)
	d.Shows("annotations 1,235", "nucleus", "no term", "5e+04 µm²", "2e+05 px²", "0.500", "by term", "memory at most 4.7 GiB")
	d.Press("b")
	d.Shows("by image", "image 2")
	d.Press("tab")
	d.Shows("files 2", "uploading", "aaaaaaaa")
	d.Press("tab")
	d.Shows("DC, evil", "more is better", "0.9")
	d.Press("shift+tab")
	if m.part != files {
		t.Error("shift+tab goes back")
	}
}

func TestAServerWithoutMetricsAndAnEmptyLayerSaySo(t *testing.T) {
	site := tuitest.New(t)
	a := site.Algorithm("stain-density")
	job, err := site.Session.Server.CreateJob(context.Background(), client.NewJob{Project: site.Session.Project.ID, Algorithm: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	m := New(site.Session, []app.Analysis{{Job: &job}})
	d := tuitest.Drive(t, m, 80, 20)
	d.UntilShows("the layer of this analysis is empty")
	d.Press("tab")
	d.UntilShows("No result file")
	d.Press("tab")
	d.UntilShows("this server keeps no metrics")
	if _, ok := m.file(); ok != 0 {
		t.Error("a file under the cursor")
	}
}

func TestExportWritesWhatIsSummedUp(t *testing.T) {
	m, d := filled(t, 2)
	dir := t.TempDir()
	for _, name := range []string{"r.csv", "r.json", "r.geojson"} {
		path := filepath.Join(dir, name)
		d.Press("e")
		m.prompt.input.SetValue(path)
		d.Press("enter")
		d.Until(name+" is there", func() bool { s, err := os.Stat(path); return err == nil && s.Size() > 20 })
	}
	data, err := os.ReadFile(filepath.Join(dir, "r.csv"))
	if err != nil || strings.Count(string(data), "\n") != 5 || strings.ContainsAny(string(data), "\x1b\x07") {
		t.Errorf("%q, %v", data, err)
	}
	d.Press("e")
	m.prompt.input.SetValue(filepath.Join(dir, "r.xls"))
	d.Press("enter")
	d.Until("the endings are named", func() bool {
		toast, ok := d.Sent[len(d.Sent)-1].(nav.Toast)
		return ok && strings.Contains(toast.Text, ".csv, .json or .geojson")
	})
	if !m.HoldsKey(keymap.Press("q")) {
		t.Error("keys must be text while a name is typed")
	}
}

func TestALookIntoAFile(t *testing.T) {
	m, d := filled(t, 1)
	d.Press("tab", "enter")
	if !m.preview.shown() {
		t.Fatal("nothing is shown")
	}
	d.Until("the server has answered", func() bool { return m.preview.loaded })
	for name, p := range map[string]app.FilePreview{
		"a table": {Table: [][]string{{"epoch", "loss\x1b[31m"}, {"1", "0.5", "more"}, {}}, Cut: true},
		"text":    {Text: strings.Split(strings.Repeat("line\x07 of text\n", 90), "\n")},
		"bytes":   {Binary: true},
	} {
		m.preview.file, m.preview.err = p, nil
		for _, s := range sizes {
			m.SetSize(s.w, s.h)
			d.Press("ctrl+d")
			d.Fits(s.w, s.h)
			d.Press("ctrl+u")
		}
		if name == "a table" {
			m.SetSize(120, 30)
			d.Shows("epoch", "0.5", "there is more")
		}
	}
}
