package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/runner"
)

// post sends a request as the user of a job does, signed by its keys (contract
// §1.1), and gives the answer.
func (s *site) post(job client.Job, path, contentType string, body []byte) map[string]any {
	s.t.Helper()
	keys, err := s.Server.(client.JobKeys).JobKeys(tctx, job)
	must(s.t, err)
	return s.postAs(keys, path, contentType, body)
}

func (s *site) postAs(keys client.Keys, path, contentType string, body []byte) map[string]any {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.web.URL+path, bytes.NewReader(body))
	must(s.t, err)
	date := time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000")
	mac := hmac.New(sha1.New, []byte(keys.Private))
	fmt.Fprintf(mac, "POST\n\n%s\n%s\n%s", contentType, date, r.URL.RequestURI())
	r.Header.Set("Date", date)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "CYTOMINE "+keys.Public+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(r)
	must(s.t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	must(s.t, err)
	var object map[string]any
	if answer.StatusCode != http.StatusOK || json.Unmarshal(data, &object) != nil {
		s.t.Fatalf("%s: %d %s", path, answer.StatusCode, data)
	}
	return object
}

// image adds an image of 100 x 80 pixels.
func (s *site) image(name string) int64 {
	s.t.Helper()
	var picture bytes.Buffer
	must(s.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 100, 80))))
	id, err := s.server.AddImage(tctx, embedded.NewImage{Project: int64(s.project), Name: name}, &picture)
	must(s.t, err)
	return id
}

// draw adds squares of 10 x 10 pixels as a job.
func (s *site) draw(job client.Job, image int64, term string, n int) {
	s.t.Helper()
	terms := []int64{}
	if term != "" {
		must(s.t, s.Server.Options(tctx, client.OptionQuery{URI: "/api/project/$currentProject$/term.json", Project: s.Project}, func(os []client.Option) error {
			for _, o := range os {
				if o.Fields.Get("name") == term {
					terms = append(terms, int64(o.ID))
				}
			}
			return nil
		}))
	}
	for i := range n {
		body, err := json.Marshal(map[string]any{"image": image, "term": terms,
			"location": fmt.Sprintf("POLYGON ((%d 10, %d 10, %d 20, %d 20, %d 10))", i, i+10, i+10, i, i)})
		must(s.t, err)
		s.post(job, "/api/annotation.json", "application/json", body)
	}
}

// file stores a result file as a job.
func (s *site) file(job client.Job, name string, data []byte) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"job": job.ID, "key": name, "filename": name})
	must(s.t, err)
	made := s.post(job, "/api/jobdata.json", "application/json", body)["jobdata"].(map[string]any)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("files[]", name)
	must(s.t, err)
	_, err = part.Write(data)
	must(s.t, err)
	must(s.t, w.Close())
	s.post(job, fmt.Sprintf("/api/jobdata/%.0f/upload", made["id"]), w.FormDataContentType(), form.Bytes())
}

func TestAnnotationsAreSummedUpByImageAndTerm(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	job, empty := s.job(a, ""), s.job(a, "")
	first, second := s.image("img10.png"), s.image("img2.png")
	s.draw(job, first, "nucleus", 3)
	s.draw(job, first, "", 1)
	s.draw(job, second, "nucleus", 2)
	d, err := s.Drawn(tctx, Analysis{Job: &job}, nil)
	must(t, err)
	show := func(groups []DrawnGroup) string {
		var b strings.Builder
		for _, g := range groups {
			fmt.Fprintf(&b, "%s/%s %d %g %s %g; ", g.ImageName, g.TermName, g.Count, g.Area, g.Unit, g.Pixels)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		image, term bool
		want        string
	}{
		"in all":   {false, false, "/ 6 600 px² 600; "},
		"by image": {true, false, "img2.png/ 2 200 px² 200; img10.png/ 4 400 px² 400; "},
		"by term":  {false, true, "/nucleus 5 500 px² 500; / 1 100 px² 100; "},
		"by both":  {true, true, "img2.png/nucleus 2 200 px² 200; img10.png/nucleus 3 300 px² 300; img10.png/ 1 100 px² 100; "},
	} {
		if got := show(d.By(c.image, c.term)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if d, err := s.Drawn(tctx, Analysis{Job: &empty}, nil); err != nil || d.Total.Count != 0 || len(d.All) != 0 {
		t.Errorf("an empty layer: %+v, %v", d, err)
	}
	var b bytes.Buffer
	must(t, WriteDrawnCSV(&b, []DrawnOf{{Analysis{Job: &job}, d}}, true, true))
	if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) != 4 || rows[1][2] != "img2.png" || rows[1][6] != "2" || rows[1][9] != "200" {
		t.Errorf("%v, %v", rows, err)
	}
	b.Reset()
	n, err := s.WriteGeoJSON(tctx, &b, []Analysis{{Job: &job}, {Job: &empty}})
	var geo struct {
		Type     string
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates [][][2]float64
			}
			Properties struct{ Image, Origin string }
		}
	}
	if err != nil || n != 6 || json.Unmarshal(b.Bytes(), &geo) != nil || len(geo.Features) != 6 {
		t.Fatalf("%d features, %v: %s", n, err, b.Bytes())
	}
	for _, f := range geo.Features {
		// Drawn at 10..20 from the bottom of an image that is 80 high.
		if f.Properties.Origin != "top-left" || f.Geometry.Type != "Polygon" || f.Geometry.Coordinates[0][0][1] != 70 {
			t.Errorf("%+v", f)
		}
	}
}

func TestAreasAreKnownInPixelsWhereTheImageKnowsItsResolution(t *testing.T) {
	c := newDrawnCounter()
	for _, a := range []client.Annotation{
		{Image: 1, Area: 100, Unit: "µm²", Terms: []client.ID{7}, TermNames: []string{"n"}, Score: 0.5, Scored: true},
		{Image: 1, Area: 300, Unit: "µm²", Terms: []client.ID{7, 8}, TermNames: []string{"n", "m"}, Score: 1, Scored: true, Reviewed: true},
		{Image: 2, Area: 50, Unit: "px²", Terms: []client.ID{7}, TermNames: []string{"n"}},
		{Image: 3, Area: 10, Unit: "µm²"},
		{Image: 4, Unit: ""},
	} {
		c.add(a)
	}
	d := c.done(map[client.ID]float64{1: 0.5})
	byTerm := map[client.ID]DrawnGroup{}
	for _, g := range d.Terms {
		byTerm[g.Term] = g
	}
	if g := byTerm[7]; g.Count != 3 || g.Unit != "" || g.Area != 0 || g.Pixels != 1650 || g.Score != 0.75 || g.Scored != 2 || g.Reviewed != 1 {
		t.Errorf("mixed units: %+v", g)
	}
	if g := byTerm[8]; g.Area != 300 || g.Unit != "µm²" || g.Pixels != 1200 {
		t.Errorf("one image: %+v", g)
	}
	if g := byTerm[0]; g.Pixels != 0 || g.Unit != "" {
		t.Errorf("no resolution, no unit: %+v", g)
	}
	if d.Total.Count != 5 || d.Total.Pixels != 0 {
		t.Errorf("in all: %+v", d.Total)
	}
}

func TestAShapeThatCannotBeReadIsShownAsItIs(t *testing.T) {
	for _, shape := range []string{"", "POLYGON ((0 0", "hello \x1b", "POLYGON EMPTY", "POINT (NaN 1)"} {
		f := featureOf(Analysis{Job: &client.Job{ID: 1}}, client.Annotation{ID: 1, Shape: shape}, 100)
		line, err := json.Marshal(f)
		if err != nil || !json.Valid(line) {
			t.Errorf("%q: %s, %v", shape, line, err)
		}
	}
}

func TestMetricsAreSummedUpInTheirDirection(t *testing.T) {
	sums := sumMetrics([]client.Metric{
		{Name: "DC", Title: "Dice coefficient", Image: 1, Value: 0.8}, {Name: "AHD", Title: "Average Hausdorff distance", Image: 1, Value: 4},
		{Name: "DC", Image: 2, Value: 0.9}, {Name: "DC", Image: 3, Value: math.NaN()}, {Name: "N", Title: "count", Value: 5},
	})
	if len(sums) != 3 || math.Abs(sums[0].Mean-0.85) > 1e-9 || sums[0].Images != 2 || sums[0].Better != compare.Higher ||
		sums[1].Better != compare.Lower || sums[2].Better != compare.Neither {
		t.Errorf("%+v", sums)
	}
}

func TestFilesAreLookedIntoAndSaved(t *testing.T) {
	s := newSite(t)
	job := s.job(s.register(nuclei, "1.0"), "")
	s.file(job, "h.csv", []byte("a;b\n1;\"x;y\"\n2;z\n"))
	s.file(job, "m.bin", []byte{1, 0, 2})
	s.file(job, "big.txt", bytes.Repeat([]byte("a line of text\n"), 10_000))
	files, err := s.Files(tctx, Analysis{Job: &job})
	if err != nil || len(files) != 3 {
		t.Fatalf("%+v, %v", files, err)
	}
	by := map[string]FilePreview{}
	dir := t.TempDir()
	for _, f := range files {
		by[f.Name], err = s.PreviewFile(tctx, f)
		must(t, err)
		sum, err := s.SaveFile(tctx, f, dir+"/"+f.Name)
		must(t, err)
		again, err := s.FileSum(tctx, f)
		if err != nil || sum != again {
			t.Errorf("%s: saved %s, on the server %s, %v", f.Name, sum, again, err)
		}
		if _, err := s.SaveFile(tctx, f, dir+"/"+f.Name); err == nil {
			t.Error("a file that is there was overwritten")
		}
	}
	if p := by["h.csv"]; fmt.Sprint(p.Table) != "[[a b] [1 x;y] [2 z]]" || p.Cut {
		t.Errorf("%+v", p)
	}
	if p := by["m.bin"]; !p.Binary {
		t.Errorf("%+v", p)
	}
	if p := by["big.txt"]; !p.Cut || len(p.Text) != previewLines {
		t.Errorf("%d lines, cut: %t", len(p.Text), p.Cut)
	}
	gone := files[0]
	gone.ID = 1 << 40
	if _, err := s.SaveFile(tctx, gone, dir+"/gone"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestFilesOfARunOfAnotherServerComeFromThere(t *testing.T) {
	s, other := newSite(t), newSite(t)
	a := s.register(nuclei, "1.0")
	job := s.job(a, "")
	s.file(job, "here.txt", []byte("here"))
	run := s.run(a, runner.Succeeded, map[string]string{runner.FactJob: idText(job.ID)})
	at := *other.Session // another server, with the profiles and runs of the first
	at.Env = s.env
	strange := other.job(other.register(nuclei, "1.0"), "")
	other.file(strange, "there.txt", []byte("there"))
	if strange.ID != job.ID {
		t.Fatalf("jobs %d and %d: the test needs the same id on both", job.ID, strange.ID)
	}
	files, err := at.Files(tctx, Analysis{Run: &run})
	if err != nil || len(files) != 1 || files[0].Name != "here.txt" {
		t.Fatalf("%+v, %v", files, err)
	}
	if p, err := at.PreviewFile(tctx, files[0]); err != nil || fmt.Sprint(p.Text) != "[here]" {
		t.Errorf("%+v, %v", p, err)
	}
}

func FuzzPreview(f *testing.F) {
	f.Add("a.csv", []byte("a,b\n\"1\n2"))
	f.Add("a.tsv", []byte("a\tb"))
	f.Add("x", []byte{0xff, 0, '\n'})
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p := preview(name, data)
		if len(p.Text) > previewLines || len(p.Table) > previewLines {
			t.Error("too much")
		}
	})
}

func TestShapesThatCannotBeReadAreShownAsTheyAre(t *testing.T) {
	a := Analysis{Job: &client.Job{ID: 1}}
	for shape, geometry := range map[string]string{
		"POLYGON ((0 0, 10 0": "null", "circle": "null", "": "null", "\x1b[31mPOINT": "null",
		"POINT (3 4)":   `{"type":"Point","coordinates":[3,6]}`,
		"POLYGON EMPTY": `{"type":"Polygon","coordinates":[]}`,
	} {
		f := featureOf(a, client.Annotation{ID: 2, Shape: shape}, 10)
		if got := string(f.Geometry); got != geometry {
			t.Errorf("%q: %s, want %s", shape, got, geometry)
		}
		if bad := geometry == "null"; bad != (f.Properties.Shape == shape) && shape != "" {
			t.Errorf("%q: kept as %q", shape, f.Properties.Shape)
		}
		if _, err := json.Marshal(f); err != nil {
			t.Errorf("%q: %v", shape, err)
		}
	}
}

// Ids of images may be the same on two servers, and each project has its own.
func TestEachAnalysisIsDrawnOnTheImagesOfItsOwnProject(t *testing.T) {
	s := newSite(t)
	here := s.job(s.register(nuclei, "1.0"), "")
	s.draw(here, s.image("img2.png"), "nucleus", 1)
	s.project = s.addProject("Elsewhere", 0)
	there := s.job(s.register(nuclei, "2.0"), "")
	s.draw(there, s.image("img3.png"), "", 1)
	var b bytes.Buffer
	_, err := s.WriteGeoJSON(tctx, &b, []Analysis{{Job: &here}, {Job: &there}})
	must(t, err)
	if got := b.String(); strings.Count(got, `"top-left"`) != 2 {
		t.Errorf("%s", got)
	}
}
