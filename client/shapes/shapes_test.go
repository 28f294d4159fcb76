package shapes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func read(t *testing.T, text string) []Shape {
	t.Helper()
	var out []Shape
	if err := Read(strings.NewReader(text), func(s Shape) error { out = append(out, s); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOurOwnFormatIsRead(t *testing.T) {
	got := read(t, `{"schema":1,"generator":"x","annotations":[
	 {"type":"Mitosis","points":[[1,2],[5,2],[5,6],[1,2]],"score":0.9,"uuid":"u-1","name":"cell","meta":{"a":1},"entry":"high"},
	 {"type":7,"box":[10,20,3,4]},
	 {"vector":{"x1":1,"y1":2,"x2":1,"y2":2}},
	 {"shape":"line","points":[[0,0],[9,9]]},
	 {"type":"slide label"}]}`)
	if len(got) != 5 {
		t.Fatalf("%d shapes", len(got))
	}
	a := got[0]
	if a.TypeName != "Mitosis" || a.Kind != Polygon || len(a.Points) != 3 || *a.Score != 0.9 || a.ID != "u-1" || a.Name != "cell" || string(a.Meta) != `{"a":1}` || a.Entry != "high" {
		t.Errorf("%+v", a)
	}
	kinds := []Kind{Polygon, Box, PointAt, Line, Nothing}
	for i, s := range got {
		if s.Kind != kinds[i] || s.Index != i {
			t.Errorf("shape %d is %+v", i, s)
		}
	}
	if got[1].TypeID != 7 || got[0].Key() != "#0" || got[1].Key() != "#1" {
		t.Errorf("%+v", got[1])
	}
}

func TestGeoJSONOfQuPathIsRead(t *testing.T) {
	got := read(t, "\xef\xbb\xbf"+`{"type":"FeatureCollection","features":[
	 {"type":"Feature","id":"a-1","geometry":{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[2,2],[3,2],[3,3],[2,2]]]},
	  "properties":{"objectType":"annotation","name":"Tumour 1","classification":{"name":"Tumor","color":[200,0,0]},"measurements":[{"name":"Area","value":100.5},{"name":"Score","value":0.25}]}},
	 {"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4]]],[[[9,9],[12,9],[12,12]]]]},"properties":{"classification":{"names":["Tumor","Positive"]}}},
	 {"type":"Feature","id":12,"geometry":{"type":"Point","coordinates":[3.5,4.5]},"properties":{"score":0.5,"classification":"Cell","measurements":{"Nucleus: Area":12}}},
	 {"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1,1],[2,0]]},"properties":{}},
	 {"type":"Feature","geometry":null,"properties":null}]}`)
	if len(got) != 6 {
		t.Fatalf("%d shapes: %+v", len(got), got)
	}
	a := got[0]
	if a.TypeName != "Tumor" || a.Kind != Polygon || len(a.Points) != 4 || a.Holes != 1 || a.ID != "a-1" || a.Name != "Tumour 1" || a.Score == nil || *a.Score != 0.25 || !strings.Contains(string(a.Meta), `"Area":100.5`) {
		t.Errorf("%+v %s", a, a.Meta)
	}
	if b := got[2]; b.Index != 1 || b.Part != 1 || b.TypeName != "Tumor: Positive" || b.Key() != "#1/1" {
		t.Errorf("%+v", b)
	}
	if c := got[3]; c.ID != "12" || c.Kind != PointAt || *c.Score != 0.5 || c.TypeName != "Cell" {
		t.Errorf("%+v", c)
	}
	if got[4].Kind != Line || got[5].Kind != Nothing {
		t.Errorf("%+v", got[4:])
	}
	one := read(t, `{"type":"Feature","properties":{"classification":{"name":"x"}},"geometry":{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}}`)
	if len(one) != 2 || one[1].TypeName != "x" || one[1].Points[0] != (Point{3, 4}) {
		t.Errorf("%+v", one)
	}
	bare := read(t, `[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}},{"type":"a","points":[[1,2]]}]`)
	if len(bare) != 2 || bare[1].TypeName != "a" {
		t.Errorf("%+v", bare)
	}
}

func TestBadFilesAreRefusedWithThePlace(t *testing.T) {
	tests := map[string]string{
		``:                                        "empty",
		`7`:                                       "this is float64",
		`{}`:                                      "neither annotations nor features",
		`{"annotations":{}}`:                      "annotations should be a list",
		`{"annotations":[],"features":[]}`:        "both annotations and features",
		`{"schema":2,"annotations":[]}`:           "schema should be 1",
		`{"annotations":[{"type":"a"},`:           "ends in the middle, after 1",
		`{"annotations":[]} {}`:                   "something follows",
		`{"annotations":[7]}`:                     "annotation 1: an annotation should be an object",
		`{"annotations":[{"type":{}}]}`:           "annotation 1: type should be",
		`{"annotations":[{"type":-1}]}`:           "type should be",
		`{"annotations":[{"points":[[1]]}]}`:      "point 1 has 1 numbers",
		`{"annotations":[{"points":[]}]}`:         "a point needs 1 points, not 0",
		`{"annotations":[{"points":[[1e99,1]]}]}`: "lies on no image",
		`{"annotations":[{"box":[1,2,3]}]}`:       "box should be",
		`{"annotations":[{"box":[1,2,3,4],"points":[[1,2]]}]}`:                                                 "one of vector, points and box",
		`{"annotations":[{"vector":{"x1":1,"y1":2,"x3":1,"y3":1}}]}`:                                           "lacks x2 or y2",
		`{"annotations":[{"vector":{"x1":1,"y1":2,"r":1}}]}`:                                                   "and nothing else",
		`{"annotations":[{"vector":{"x1":"a"}}]}`:                                                              "vector should be",
		`{"annotations":[{"meta":[1]}]}`:                                                                       "meta should be an object",
		`{"annotations":[{"shape":"blob","points":[[1,2]]}]}`:                                                  "shape should be",
		`{"annotations":[{"score":"high"}]}`:                                                                   "score should not be a string",
		`{"features":[{"geometry":{"type":"Curve","coordinates":[]}}]}`:                                        `geometry "Curve" is not known`,
		`{"features":[{"geometry":{"type":"Point","coordinates":"x"}}]}`:                                       "none of a Point",
		`{"features":[{"geometry":{"type":"Polygon","coordinates":[]}}]}`:                                      "none of a Polygon",
		`{"features":[{},{"geometry":{"type":"Polygon","coordinates":[[[1,2],[3,4],[1,2]]]}}]}`:                "annotation 2: a polygon needs 3 points, not 2",
		`{"features":[{"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"classification":[1]}}]}`: "classification should be",
		`{"features":[{"geometry":{"type":"MultiPolygon","coordinates":[[[[1]]]]}}]}`:                          "none of a MultiPolygon",
		`{"features":[{"geometry":{"type":"MultiLineString","coordinates":[]}}]}`:                              "none of a MultiLineString",
		`{"annotations":[{"meta":{"a":"` + strings.Repeat("x", 70000) + `"}}]}`:                                "more than 64 KiB",
		`{"annotations":[{"points":[[1,2],[3,4],` + strings.Repeat("[1,1],", mostPoints) + `[5,5]]}]}`:         "more than 1000000 points",
		"{\"annotations\":[{\"type\":\"a\x00\"}]}":                                                             "no JSON",
	}
	for text, want := range tests {
		err := Read(strings.NewReader(text), func(Shape) error { return nil })
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
	mine := errors.New("mine")
	if err := Read(strings.NewReader(`[{"type":"a"}]`), func(Shape) error { return mine }); err != mine {
		t.Errorf("the caller's own error became %v", err)
	}
	if err := Read(io.MultiReader(strings.NewReader(`{"annotations":[`), broken{}), func(Shape) error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a broken file: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, os.ErrClosed }

func TestShapesBecomeTheVectorsOfEachType(t *testing.T) {
	p := func(xy ...float64) (out []Point) {
		for i := 0; i < len(xy); i += 2 {
			out = append(out, Point{xy[i], xy[i+1]})
		}
		return out
	}
	point, box := Shape{Kind: PointAt, Points: p(10.4, 20.6)}, Shape{Kind: Box, Points: p(30, 5, 10, 25)}
	ring, line := Shape{Kind: Polygon, Points: p(0, 0, 10.2, 0, 10, 9.9)}, Shape{Kind: Line, Points: p(1, 1, 4, 5)}
	bent, nothing := Shape{Kind: Line, Points: p(0, 0, 1, 1, 2, 0)}, Shape{Kind: Nothing}
	tests := []struct {
		t    Type
		s    Shape
		want string // the vector, or words of the error
	}{
		{Type{VectorType: BoundingBox}, box, `[10,5,30,25]`},
		{Type{VectorType: BoundingBox}, ring, `[0,0,10,10]`},
		{Type{VectorType: BoundingBox}, Shape{Kind: Box, Points: p(3, 3, 3.2, 3.2)}, `[3,3,4,4]`},
		{Type{VectorType: BoundingBox, Name: "T"}, point, `a point cannot be kept as a bounding box, which type "T" is`},
		{Type{VectorType: FixedBox, Width: 50, Height: 50}, point, `[-15,-4,35,46]`},
		{Type{VectorType: VectorPoint}, point, `[10,21,10,21]`},
		{Type{VectorType: VectorPoint}, box, `[20,15,20,15]`},
		{Type{VectorType: VectorPoint}, line, "cannot be kept"},
		{Type{VectorType: VectorLine}, line, `[1,1,4,5]`},
		{Type{VectorType: VectorLine}, bent, "a line cannot be kept as a line"},
		{Type{VectorType: MultiLine}, bent, `[0,0,1,1,2,0]`},
		{Type{VectorType: VectorRing}, ring, `[0,0,10,0,10,10]`},
		{Type{VectorType: VectorRing}, box, `[10,5,30,5,30,25,10,25]`},
		{Type{VectorType: VectorRing}, point, "cannot be kept"},
		{Type{VectorType: VectorRing, Nodes: 4}, ring, "it has 3 points, and type"},
		{Type{VectorType: VectorRing}, Shape{Kind: Polygon, Points: p(0.1, 0.1, 0.3, 0.1, 0.2, 0.3)}, `[0.1,0.1,0.3,0.1,0.2,0.3]`},
		{Type{VectorType: Global}, nothing, `null`},
		{Type{VectorType: Global}, box, "cannot be kept"},
		{Type{VectorType: BoundingBox}, nothing, "it has no place"},
		{Type{VectorType: Segmentation}, ring, "drawn in tiles"},
		{Type{VectorType: 99}, ring, "does not know"},
	}
	for i, tt := range tests {
		v, err := tt.t.Vector(tt.s)
		got, _ := json.Marshal(v)
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != tt.want && (err == nil || !strings.Contains(string(got), tt.want)) {
			t.Errorf("%d: %s, want %s", i, got, tt.want)
		}
	}
}

func TestTypesAreFoundByNameInAnyCaseOrById(t *testing.T) {
	types := Types{{ID: 1, Name: "Mitotic figure", VectorType: BoundingBox}, {ID: 2, Name: "Cell", VectorType: VectorPoint}, {ID: 3, Name: "cell", VectorType: VectorRing}}
	tests := map[string]struct {
		s    Shape
		want string
	}{
		"name":            {Shape{TypeName: "MITOTIC FIGURE"}, "1"},
		"id":              {Shape{TypeID: 3}, "3"},
		"name and form":   {Shape{TypeName: "Cell", Kind: Line, Points: []Point{{0, 0}, {1, 1}}}, "2 annotation types are named"},
		"form decides":    {Shape{TypeName: "Cell", Kind: PointAt, Points: []Point{{0, 0}}}, "2"},
		"unknown":         {Shape{TypeName: "Tumor"}, `no annotation type "Tumor"; it has Mitotic figure (1, bounding box), Cell (2, point), cell (3, polygon)`},
		"unknown id":      {Shape{TypeID: 9}, "no annotation type with the id 9"},
		"none of several": {Shape{}, "no annotation type is named"},
	}
	for name, tt := range tests {
		got, err := types.Find(tt.s)
		text := fmt.Sprint(got.ID)
		if err != nil {
			text = err.Error()
		}
		if text != tt.want && (err == nil || !strings.Contains(text, tt.want)) {
			t.Errorf("%s: %s, want %s", name, text, tt.want)
		}
	}
	if only, err := types[:1].Find(Shape{}); err != nil || only.ID != 1 {
		t.Errorf("the only one: %v %v", only, err)
	}
	if _, err := (Types{}).Find(Shape{TypeName: "x"}); err == nil || !strings.Contains(err.Error(), "has no annotation types") {
		t.Error(err)
	}
}

func TestASurveyTellsWhatDoesNotFit(t *testing.T) {
	var v Survey
	v.Add(Shape{Kind: Box, Points: []Point{{0, 0}, {5, 5}}, Holes: 2}, Type{ID: 1}, 100, 100)
	v.Add(Shape{Kind: Box, Points: []Point{{200, 0}, {205, 5}}, Entry: "b"}, Type{ID: 1}, 100, 100)
	v.Add(Shape{Kind: Nothing}, Type{ID: 2}, 100, 100)
	if v.Shapes != 3 || v.Outside != 1 || v.Holes != 2 || v.ByType[client.ID(1)] != 2 || len(v.Entries) != 2 {
		t.Errorf("%+v", v)
	}
}

func TestTheDocumentedExampleIsReadAndFitsTheSchema(t *testing.T) {
	data, err := os.ReadFile("../../docs/annotations.example.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, string(data)); len(got) < 4 {
		t.Errorf("%d shapes in the example", len(got))
	}
	var schema struct {
		Properties struct {
			Annotations struct {
				Items struct {
					Properties map[string]json.RawMessage `json:"properties"`
				} `json:"items"`
			} `json:"annotations"`
		} `json:"properties"`
	}
	text, err := os.ReadFile("../../docs/annotations.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	for f := range reflect.TypeFor[annotation]().Fields() {
		fields[f.Tag.Get("json")] = true
	}
	for name := range schema.Properties.Annotations.Items.Properties {
		if !fields[name] {
			t.Errorf("the schema has %q, the program does not", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("not in the schema: %v", fields)
	}
	var example struct {
		Annotations []map[string]json.RawMessage `json:"annotations"`
	}
	if err := json.Unmarshal(data, &example); err != nil {
		t.Fatal(err)
	}
	for i, a := range example.Annotations {
		for name := range a {
			if _, ok := schema.Properties.Annotations.Items.Properties[name]; !ok {
				t.Errorf("annotation %d of the example has %q, the schema does not", i, name)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"schema":1,"annotations":[{"type":"a","points":[[1,2],[3,4],[5,6]],"score":0.5,"meta":{"a":1}},{"vector":{"x1":1,"y1":2}},{"box":[1,2,3,4]}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":1,"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1]]]]},"properties":{"classification":{"name":"x"},"measurements":[{"name":"Score","value":1}]}}]}`,
		`[{"geometry":{"type":"MultiPoint","coordinates":[[1,2]]}}]`, `{"geometry":null,"properties":{}}`,
	} {
		f.Add([]byte(seed))
	}
	types := Types{{ID: 1, Name: "a", VectorType: BoundingBox}, {ID: 2, Name: "x", VectorType: VectorRing}, {ID: 3, Name: "p", VectorType: VectorPoint, Width: 5, Height: 5}}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = Read(bytes.NewReader(data), func(s Shape) error {
			if len(s.Key()) > 4*longest+20 {
				t.Errorf("key %q", s.Key())
			}
			for _, typ := range types {
				v, err := typ.Vector(s)
				if err == nil && len(v)%2 != 0 {
					t.Errorf("vector %v of %+v", v, s)
				}
			}
			_, _ = types.Find(s)
			return nil
		})
	})
}

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	file.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range 5000 {
		if i > 0 {
			file.WriteByte(',')
		}
		fmt.Fprintf(&file, `{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[%d,1],[%d,5],[9,9],[%d,1]]]},"properties":{"classification":{"name":"cell"}}}`, i, i+4, i)
	}
	file.WriteString(`]}`)
	for b.Loop() {
		if err := Read(bytes.NewReader(file.Bytes()), func(Shape) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
