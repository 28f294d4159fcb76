package cytomine

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func TestAnnotationsAreReadHoweverTheyAreWritten(t *testing.T) {
	s := newSite(t)
	s.json("/api/annotation.json", `{"collection":[
		{"id":1,"image":5,"instanceFilename":"a.tif","area":100.0,"areaUnit":"micron²","term":[7,"9"],"rate":0.75,"created":1581503400000,"location":"POLYGON ((0 0))"},
		{"id":"2","image":"5","originalFilename":"b.tif","area":"0.5","areaUnit":"mm²","term":null,"rate":"0.2","countReviewedAnnotations":1},
		{"id":3,"image":null,"area":4,"areaUnit":"furlong","reviewed":true,"term":[]},
		{"image":1}],"size":4}`)
	s.json("/api/project/42/term.json", `{"collection":[{"id":7,"name":"nucleus"}],"size":1}`)
	var got []client.Annotation
	err := s.client("").Annotations(t.Context(), client.Job{ID: 900, UserJob: 901, Project: 42}, true, func(a client.Annotation) error {
		got = append(got, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []client.Annotation{
		{ID: 1, Image: 5, ImageName: "a.tif", Terms: []client.ID{7, 9}, TermNames: []string{"nucleus", "term 9"}, Area: 100, Unit: "µm²",
			Score: 0.75, Scored: true, Created: got[0].Created, Shape: "POLYGON ((0 0))"},
		{ID: 2, Image: 5, ImageName: "b.tif", Area: 500_000, Unit: "µm²", Reviewed: true},
		{ID: 3, Reviewed: true},
	}
	if !reflect.DeepEqual(got, want) || got[0].Created.IsZero() {
		t.Errorf("%+v", got)
	}
	if n := len(s.came()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestMetricsSurviveNumbersThatAreNone(t *testing.T) {
	s := newSite(t)
	s.json("/api/metric.json", `{"collection":[{"id":1,"name":"Dice coefficient","shortName":"DC"},{"id":2,"name":"AHD \"NaN\"","shortName":null}],"size":2}`)
	s.json("/api/job/9/imageinstancemetricresult.json", `{"collection":[{"id":11,"metric":1,"image":5,"value":0.9},
		{"id":12,"metric":2,"image":5,"value":NaN},{"id":13,"metric":2,"image":6,"value":"3.5"},{"id":14,"metric":3,"image":6,"value":-Infinity}],"size":4}`)
	got, err := s.client("").Metrics(t.Context(), 9)
	want := []client.Metric{{Name: "DC", Title: "Dice coefficient", Image: 5, Value: 0.9}, {Name: `AHD "NaN"`, Title: `AHD "NaN"`, Image: 6, Value: 3.5}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAServerWithoutMetricsSaysSo(t *testing.T) {
	f := embeddedFixture(t)
	job, err := f.Server.CreateJob(t.Context(), client.NewJob{Project: f.Project, Algorithm: f.Algorithm})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Server.(client.MetricStore).Metrics(t.Context(), job.ID); !errors.Is(err, client.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func FuzzWithoutNaN(f *testing.F) {
	for _, s := range []string{`{"a":NaN}`, `{"NaN":"NaN\"NaN"}`, `[-Infinity,Infinity]`, `"\`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := withoutNaN(s)
		if len(once) > 2*len(s)+4 {
			t.Errorf("%q grew to %q", s, fmt.Sprint(len(once)))
		}
	})
}
