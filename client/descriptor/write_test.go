package descriptor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestWrittenDescriptorsReadTheSame(t *testing.T) {
	files := map[string][]byte{}
	paths, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range paths {
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { roundTrip(t, data) })
	}
}

func TestRealDescriptorsSurviveWriting(t *testing.T) {
	for name, data := range corpus(t) {
		t.Run(name, func(t *testing.T) { roundTrip(t, data) })
	}
}

func roundTrip(t *testing.T, data []byte) {
	t.Helper()
	d, _ := Parse("f", data)
	if d == nil {
		return
	}
	written, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(written) {
		t.Fatalf("not JSON: %s", written)
	}
	again, findings := Parse("f", written)
	if again == nil {
		t.Fatalf("refused: %v", findings)
	}
	if again.SchemaVersion != SchemaVersion || again.Container.Type != "singularity" {
		t.Errorf("schema %q, container type %q", again.SchemaVersion, again.Container.Type)
	}
	want := *d
	want.SchemaVersion, want.Container.Type = again.SchemaVersion, again.Container.Type
	want.Parameters = nil
	for _, p := range d.Parameters {
		p.Name = p.Label()
		if p.Type == File || p.Type == Image {
			p.Type = String
		}
		p.RawType = string(p.Type)
		want.Parameters = append(want.Parameters, p)
	}
	if !reflect.DeepEqual(*again, want) {
		t.Errorf("written and read again:\n%+v\nwant\n%+v", *again, want)
	}
}

func TestWrittenValuesHaveTheirJSONKind(t *testing.T) {
	d := Descriptor{Name: "<A>", Parameters: []Parameter{
		{ID: "n", Type: Number, Default: ptr("12345678901234567890"), Choices: []string{"1", "0.5"}, Minimum: ptr("0")},
		{ID: "b", Type: Boolean, Default: ptr("false")},
		{ID: "s", Type: String, Default: ptr("1"), Optional: true},
		{ID: "x", Type: Number, Default: ptr("auto")},
	}}
	written, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"name": "<A>"`, `"default-value": 12345678901234567890`, "\"value-choices\": [\n        1,\n        0.5\n", `"minimum": 0`,
		`"default-value": false`, `"default-value": "1"`, `"optional": true`, `"default-value": "auto"`, `"schema-version": "cytomine-0.1"`,
	} {
		if !strings.Contains(string(written), want) {
			t.Errorf("%s is not in\n%s", want, written)
		}
	}
}
