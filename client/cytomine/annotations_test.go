package cytomine

import (
	"testing"

	"github.com/cytorun/cytorun/client"
)

func TestAreasAreAddedInOneUnit(t *testing.T) {
	s := newSite(t)
	s.json("/api/annotation.json", `{"collection":[
		{"id":1,"area":100.0,"areaUnit":"micron²","term":[7]},{"id":2,"area":"0.5","areaUnit":"mm²","term":[7,8]},
		{"id":3,"area":4,"areaUnit":"pixels²","term":["9"]},{"id":4,"area":6,"areaUnit":"pixels²","term":[9]},
		{"id":5,"area":1,"areaUnit":"pixels²","term":[10]},{"id":6,"area":1,"areaUnit":"micron²","term":[10]},
		{"id":7,"area":null,"term":null},{"id":8}],"size":8}`)
	s.json("/api/project/42/term.json", `{"collection":[{"id":7,"name":"nucleus"},{"id":8,"name":"Mitosis"},{"id":9,"name":"stroma"}],"size":3}`)
	got, err := s.client("").AnnotationCounts(t.Context(), client.Job{ID: 900, UserJob: 901, Project: 42})
	if err != nil {
		t.Fatal(err)
	}
	want := []client.TermCount{
		{Term: 8, Name: "Mitosis", Count: 1, Area: 500_000, Unit: "µm²"},
		{Term: 7, Name: "nucleus", Count: 2, Area: 500_100, Unit: "µm²"},
		{Term: 9, Name: "stroma", Count: 2, Area: 10, Unit: "px²"},
		{Term: 10, Name: "term 10", Count: 2}, // vanished from the ontology, measured in two units
		{Count: 2},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if n := len(s.came()); n != 2 {
		t.Errorf("%d requests", n)
	}
}
