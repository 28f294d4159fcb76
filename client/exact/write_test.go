package exact

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"slices"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
)

func TestBitmapsAndEntriesAreThereOnce(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	job := s.newJob(t, c)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	alpha := 0.5
	made := map[client.ID]bool{}
	bitmaps := map[client.ID]bool{}
	for round := range 3 {
		s.FaultNext(1, "POST", []string{resultsPath, entriesPath, bitmapsPath}[round], lost)
		result, existed, err := c.CreateResult(ctx, NewResult{Job: job.ID, Image: job.Image, Plugin: job.Plugin, DefaultAlpha: 0.8})
		if err != nil || result.DefaultAlpha != 0.8 || result.Job != job.ID {
			t.Fatalf("%+v, existed: %t, %v", result, existed, err)
		}
		entry, err := c.CreateEntry(ctx, NewEntry{Result: result.ID, Name: "cells", DefaultThreshold: 0.5})
		if err != nil || entry.Name != "cells" || entry.DefaultThreshold != 0.5 || !entry.Visible || entry.Result != result.ID {
			t.Fatalf("%+v, %v", entry, err)
		}
		made[entry.ID] = true
		b, err := c.CreateResultBitmap(ctx, NewBitmap{Entry: entry.ID, Image: job.Image, Name: "heat", FileName: `a"b/../heat.png`, PNG: picture.Bytes(), Channels: 1,
			ScaleMin: new(float64), ScaleMax: &alpha, DefaultAlpha: &alpha, DefaultThreshold: &alpha, Frame: 1, Location: &[4]float64{0, 0, 40, 30}, Meta: []byte(`{"a":1}`)})
		if err != nil || b.Name != "heat" || b.Entry != entry.ID || b.Image != job.Image {
			t.Fatalf("%+v, %v", b, err)
		}
		bitmaps[b.ID] = true
		if err := c.CompleteResult(ctx, result.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(made) != 1 || len(bitmaps) != 1 {
		t.Errorf("%d entries, %d bitmaps", len(made), len(bitmaps))
	}
	results, err := c.Results(ctx, ResultQuery{Plugin: job.Plugin, Image: job.Image})
	if err != nil || len(results) != 1 || results[0].Completed.Before(results[0].Created.Add(-1e9)) {
		t.Errorf("%+v, %v", results, err)
	}
	if again, err := c.PluginJobs(ctx, JobQuery{Image: job.Image, WithResult: true}); err != nil || len(again) != 1 || again[0].Result != results[0].ID || again[0].Claimable() {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestProductsLinkPluginsToImageSets(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	products, err := c.Products(t.Context())
	if err != nil || len(products) != 1 || !slices.Equal(products[0].ImageSets, []client.ID{s.set}) {
		t.Errorf("%+v, %v", products, err)
	}
}

func TestChoicesOfImagesAndAnnotationTypes(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	s.AddImage(s.demo.Set, exacttest.Image{Name: "made by the server.png", Type: GeneratedImage})
	c := s.as(t, "worker", Options{})
	list := func(uri string) (names []string, err error) {
		err = c.Options(t.Context(), client.OptionQuery{URI: uri, Project: client.Project{ID: s.set}}, func(page []client.Option) error {
			for _, o := range page {
				if o.ID == 0 {
					t.Errorf("%s: %+v", uri, o)
				}
				names = append(names, o.Fields.Get("name"))
			}
			return nil
		})
		slices.Sort(names)
		return names, err
	}
	images := []string{"field_a.png", "field_b.png", "slide_c.tif"}
	types := []string{"Fixed box", "Global", "Line", "Mitotic figure", "Path", "Region", "Spot"}
	for uri, want := range map[string][]string{
		"image": images, "images": images, "/api/v1/images/images/": images, "/api/v1/images/images/?image_set=$currentImageSet$": images,
		"/api/project/$currentProject$/imageinstance.json": images, s.URL + "/api/v1/images/images/": images,
		"annotationtype": types, "/api/v1/annotations/annotation_types/": types, "/api/ontology/$currentOntology$/term.json": types,
		"/api/v1/processing/plugins": {"Detector"}, "$cytomineHost$/api/v1/images/image_sets/": {"set-1"},
	} {
		if got, err := list(uri); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", uri, got, err)
		}
	}
	for uri, kind := range map[string]error{"": client.ErrNotFound, "/users": client.ErrNotFound, "http://elsewhere.example/api/v1/images/images/": client.ErrInvalid, "//elsewhere/api/v1/x/": client.ErrInvalid, "%zz": client.ErrInvalid} {
		if _, err := list(uri); !errors.Is(err, kind) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

// What a launch says that it will send is what it sends first.
func TestALaunchIsExplained(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	job := client.NewJob{Project: s.set, Algorithm: s.plugin, Image: s.newImage(s.set)}
	requests, err := c.LaunchRequests(job)
	if err != nil || len(requests) == 0 {
		t.Fatal(err)
	}
	if _, err := c.CreateJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.paths(), requests[0].Method+" "+requests[0].Path) {
		t.Errorf("%+v is not in %v", requests[0], s.paths())
	}
	if _, err := c.LaunchRequests(client.NewJob{}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("without an image: %v", err)
	}
}

func TestShapesAreMeasuredAndTurnedUpsideDown(t *testing.T) {
	for name, c := range map[string]struct {
		vector Vector
		form   VectorType
		area   float64
		wkt    string
	}{
		"box":         {Vector{10, 20, 30, 50}, BoundingBox, 600, "POLYGON ((10 80, 30 80, 30 50, 10 50, 10 80))"},
		"fixed box":   {Vector{30, 50, 10, 20}, FixedBoundingBox, 600, "POLYGON ((30 50, 10 50, 10 80, 30 80, 30 50))"},
		"point":       {Vector{5.5, 6, 5.5, 6}, Point, 0, "POINT (5.5 94)"},
		"line":        {Vector{0, 0, 3, 4}, Line, 0, "LINESTRING (0 100, 3 96)"},
		"path":        {Vector{0, 0, 3, 4, 5, 5}, MultiLine, 0, "LINESTRING (0 100, 3 96, 5 95)"},
		"polygon":     {Vector{0, 0, 10, 0, 0, 10}, Polygon, 50, "POLYGON ((0 100, 10 100, 0 90, 0 100))"},
		"global":      {nil, Global, 0, ""},
		"unknown box": {Vector{0, 0, 2, 2}, 0, 4, "POLYGON ((0 100, 2 100, 2 98, 0 98, 0 100))"},
		"unknown":     {Vector{0, 0, 2, 0, 2, 2, 0, 2}, 0, 4, "POLYGON ((0 100, 2 100, 2 98, 0 98, 0 100))"},
		"too short":   {Vector{1, 2}, Polygon, 0, ""},
		"mask":        {Vector{0, 0, 1, 1}, Segmentation, 0, ""},
	} {
		form := c.vector.form(c.form)
		if got := c.vector.area(form); got != c.area {
			t.Errorf("%s: area %v, want %v", name, got, c.area)
		}
		if got := c.vector.wkt(form, 100); got != c.wkt {
			t.Errorf("%s: %s, want %s", name, got, c.wkt)
		}
	}
}
