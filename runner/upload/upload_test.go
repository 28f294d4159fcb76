package upload

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a job of a fake server and a folder of what its program left.
func place(t testing.TB, writes descriptor.Writes, files map[string]string) (*exacttest.Server, Job) {
	t.Helper()
	fake := exacttest.Start(t, exacttest.Options{})
	demo := fake.AddDemo()
	plugin := fake.AddPlugin(exacttest.Plugin{Name: "P", Package: "a.b", Products: []int{demo.Product}})
	server, err := exact.New(profile.Profile{Kind: client.Exact, URL: fake.URL, User: "worker"}, client.Keys{Public: "p", Private: fake.Token("worker")}, exact.Options{})
	must(t, err)
	j := Job{Server: server, Folder: t.TempDir(), Digest: "sha256:1"}
	j.Run.ID = "20261120-143205-k7qd"
	j.Run.Project.ID, j.Run.Image.ID = client.ID(demo.Set), client.ID(demo.Images[0])
	j.Run.Algorithm = runner.AlgorithmSpec{ID: client.ID(plugin), Name: "P", Writes: writes}
	j.Run.Job = client.ID(fake.AddJob(demo.Images[0], plugin, demo.Worker))
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(j.Folder, name), []byte(text), 0o600))
	}
	return fake, j
}

func picture(t testing.TB, grey bool) string {
	t.Helper()
	var b bytes.Buffer
	var m image.Image = image.NewGray(image.Rect(0, 0, 4, 4))
	if !grey {
		rgb := image.NewRGBA(image.Rect(0, 0, 4, 4))
		rgb.Set(1, 1, color.RGBA{200, 0, 0, 255})
		m = rgb
	}
	must(t, png.Encode(&b, m))
	return b.String()
}

func TestEntriesAndPicturesBecomeOneResult(t *testing.T) {
	fake, j := place(t, descriptor.WritesResult, map[string]string{
		"cells.json":    `{"annotations":[{"type":"Spot","points":[[1,2]]},{"type":"Spot","points":[[3,4]],"entry":"uncertain"}]}`,
		"glass.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"classification":{"name":"region"}},"geometry":{"type":"Polygon","coordinates":[[[0,0],[5000,0],[5000,5000],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}}]}`,
		"heat.png":      picture(t, true),
		"overlay.png":   picture(t, false),
		"notes.txt":     "hello",
		".hidden.json":  "{",
	})
	found, err := j.Check(t.Context())
	must(t, err)
	if found.Survey.Shapes != 3 || len(found.Pictures) != 2 {
		t.Errorf("%+v", found)
	}
	if w := strings.Join(found.Warnings(), "; "); !strings.Contains(w, "1 holes in polygons") || !strings.Contains(w, "not brought to the server: notes.txt") {
		t.Errorf("warnings %q", w)
	}
	for range 2 { // and once more, as after a kill
		sent, err := j.Send(t.Context(), found)
		must(t, err)
		if sent.Annotations != 3 || sent.Pictures != 2 || sent.Result == 0 {
			t.Errorf("%+v", sent)
		}
	}
	names := map[any]bool{}
	for _, e := range fake.Rows("pluginresultentrys") {
		names[e["name"]] = true
	}
	for _, want := range []string{"cells", "uncertain", "glass", "heat", "overlay"} {
		if !names[want] {
			t.Errorf("no entry %q in %v", want, names)
		}
	}
	if a, b := fake.Len("pluginresultannotations"), fake.Len("pluginresultbitmaps"); a != 3 || b != 2 || len(names) != 5 {
		t.Errorf("%d annotations, %d bitmaps, entries %v", a, b, names)
	}
	for _, b := range fake.Rows("pluginresultbitmaps") {
		want := 3.0
		if b["name"] == "heat" {
			want = 1
		}
		if b["channels"] != want {
			t.Errorf("%v has %v channels", b["name"], b["channels"])
		}
	}
}

func TestNothingIsWrittenOfAFolderThatIsPartlyBad(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"second file": {map[string]string{"a.json": `[{"type":"Spot","points":[[1,2]]}]`, "b.json": `{`}, "b.json: the file ends in the middle"},
		"wrong form":  {map[string]string{"a.json": `[{"type":"Line","points":[[1,2]]}]`}, `a.json: annotation 1: a point cannot be kept as a line, which type "Line" is`},
		"no image":    {map[string]string{"a.json": `[{"points":[[1,2]]}]`}, "no annotation type is named"},
		"entries": {map[string]string{"a.json": "[" + strings.Repeat(`{"type":"Global","entry":"a"},`, 2) + func() string {
			var b strings.Builder
			for i := range mostEntries {
				fmt.Fprintf(&b, `{"type":"Global","entry":"%d"},`, i)
			}
			return strings.TrimSuffix(b.String(), ",")
		}() + "]"}, "would be number 101 of the result"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fake, j := place(t, descriptor.WritesResult, tt.files)
			_, err := j.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if fake.Len("pluginresults") != 0 {
				t.Error("a result was made")
			}
		})
	}
}

func TestAnEmptyFolderIsWorthAWord(t *testing.T) {
	_, j := place(t, descriptor.WritesResult, nil)
	found, err := j.Check(t.Context())
	must(t, err)
	if w := found.Warnings(); len(w) != 1 || !strings.Contains(w[0], "left no annotation file") {
		t.Errorf("%q", w)
	}
	j.Folder += "/gone"
	if _, err := j.Check(t.Context()); err != nil {
		t.Errorf("without the folder: %v", err)
	}
}

func TestAnnotationsBesideTheImageAreWorthAWord(t *testing.T) {
	_, j := place(t, descriptor.WritesResult, map[string]string{"a.json": `[{"type":"Spot","points":[[99999,2]]},{"type":"Spot","points":[[9,2]]}]`})
	found, err := j.Check(t.Context())
	must(t, err)
	if w := found.Warnings(); len(w) != 1 || !strings.Contains(w[0], "1 of 2 annotations lie wholly outside the image of 1200 x 900 pixels") {
		t.Errorf("%q", w)
	}
}

func TestWhatIsTooLongIsNotRepeatedInEveryAnnotation(t *testing.T) {
	run := runner.Run{}
	run.Values = []client.Value{{Parameter: "a", Text: "1"}, {Parameter: "long", Text: strings.Repeat("x", 500)}, {Parameter: "exact_token", Text: "secret"}, {Parameter: "images", Text: "1,2,3"}}
	got := string(newEcho(run, "").origin)
	if !strings.Contains(got, `"parameters":{"a":"1"},"parameters_left_out":["long"]`) || strings.Contains(got, "secret") || strings.Contains(got, "images") {
		t.Errorf("%s", got)
	}
}
