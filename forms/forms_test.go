package forms

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

func ptr(s string) *string { return &s }

func parameters() []descriptor.Parameter {
	return []descriptor.Parameter{
		{ID: "note", Type: descriptor.String, Optional: true},
		{ID: "sigma", Type: descriptor.Number, Default: ptr("1.5"), Minimum: ptr("0"), Maximum: ptr("10")},
		{ID: "images", Type: descriptor.ListDomain, URI: "/api/x.json"},
		{ID: "dark", Type: descriptor.Boolean},
		{ID: "method", Type: descriptor.String, Optional: true, Default: ptr("otsu"), Choices: []string{"otsu", "manual"}},
	}
}

func ids(f *Form) string {
	var out []string
	for _, field := range f.Fields {
		out = append(out, field.Parameter.ID)
	}
	return strings.Join(out, " ")
}

func TestRequiredComesFirstThenPrefilledThenOptional(t *testing.T) {
	if got := ids(New(parameters(), nil)); got != "images sigma dark method note" {
		t.Errorf("fields are %s", got)
	}
}

func TestValuesHoldDefaultsAndClearedDefaults(t *testing.T) {
	f := New(parameters(), nil)
	f.Set("images", "12, 13", client.FromUser, "a.png", "b.png")
	f.Clear("method")
	want := []client.Value{
		{Parameter: "images", Text: "12,13", Origin: client.FromUser, Labels: []string{"a.png", "b.png"}},
		{Parameter: "sigma", Text: "1.5", Origin: client.FromDefault},
		{Parameter: "dark", Text: "false", Origin: client.FromDefault},
		{Parameter: "method", Text: "", Origin: client.FromUser},
	}
	if got := f.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("values are %+v", got)
	}
	f.Reset("method")
	if field := f.Field("method"); field.Text != "otsu" || field.Origin != client.FromDefault {
		t.Errorf("reset gives %+v", field)
	}
}

func TestPrefillKeepsItsOrigin(t *testing.T) {
	f := New(parameters(), []client.Value{
		{Parameter: "sigma", Text: "2.0", Origin: client.FromAnalysis},
		{Parameter: "gone", Text: "x", Origin: client.FromAnalysis},
	})
	field := f.Field("sigma")
	if field.Text != "2" || field.Origin != client.FromAnalysis || !field.Changed() {
		t.Errorf("field is %+v", field)
	}
	f.Set("sigma", "1.50", client.FromUser)
	if f.Field("sigma").Changed() {
		t.Error("the default in another notation is no change")
	}
}

func TestWhatWasTypedStaysWithItsProblem(t *testing.T) {
	f := New(parameters(), nil)
	f.Set("sigma", "1,5x", client.FromUser)
	field := f.Field("sigma")
	if field.Text != "1,5x" || len(field.Problems) == 0 || field.Value().IsSet() {
		t.Errorf("field is %+v", field)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		values []client.Value
		want   []string // parameter: part of the message, ! for a warning
	}{
		{"nothing chosen", nil, []string{"images: is required"}},
		{"everything wrong is said at once", []client.Value{{Parameter: "sigma", Text: "11"}, {Parameter: "method", Text: "otso", Origin: client.FromUser}, {Parameter: "sigmo", Text: "1"}},
			[]string{"sigmo: did you mean sigma", "sigma: at most 10", "images: is required", "method: "}},
		{"a value given twice", []client.Value{{Parameter: "images", Text: "1", Origin: client.FromUser}, {Parameter: "images", Text: "2", Origin: client.FromUser}}, []string{"images: is given twice"}},
		{"a cleared default", []client.Value{{Parameter: "images", Text: "1", Origin: client.FromUser}, {Parameter: "method", Text: "", Origin: client.FromUser}}, nil},
		{"a cleared default of a required one", []client.Value{{Parameter: "images", Text: "1", Origin: client.FromUser}, {Parameter: "sigma", Text: "", Origin: client.FromUser}}, []string{"sigma: is required"}},
		{"more than the server stores", []client.Value{{Parameter: "images", Text: strings.Repeat("1234567,", 700) + "1", Origin: client.FromUser}}, []string{"images: choose fewer"}},
	}
	// Uniqueness of list items must not shorten the long list.
	var long []string
	for i := range 700 {
		long = append(long, fmt.Sprint(1000000+i))
	}
	tests[5].values[0].Text = strings.Join(long, ",")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Validate(parameters(), tt.values)
			if got.Errors() != len(tt.want) {
				t.Fatalf("problems are %v", got)
			}
			for _, w := range tt.want {
				id, part, _ := strings.Cut(w, ": ")
				found := false
				for _, p := range got {
					found = found || p.Parameter == id && strings.Contains(p.Message, part)
				}
				if !found {
					t.Errorf("no problem %q in %v", w, got)
				}
			}
		})
	}
}

func TestABadDefaultIsAWarning(t *testing.T) {
	p := []descriptor.Parameter{{ID: "n", Type: descriptor.Number, Default: ptr("11"), Maximum: ptr("10")}}
	problems := New(p, nil).Validate()
	if len(problems) != 1 || !problems[0].Warning || problems.Errors() != 0 {
		t.Errorf("problems are %v", problems)
	}
	if got := Validate(p, []client.Value{{Parameter: "n", Text: "11", Origin: client.FromUser}}); got.Errors() != 1 {
		t.Errorf("typed by hand it is an error: %v", got)
	}
}

func TestEveryRealDescriptorMakesAForm(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "descriptors", "*.json"))
	if len(files) == 0 {
		t.Skip("no descriptors beside the repository")
	}
	forms := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := descriptor.Parse(file, data)
		if d == nil {
			continue
		}
		f := New(d.Parameters, nil)
		for _, p := range f.Validate() {
			if !p.Warning && !strings.Contains(p.Message, "is required") {
				t.Errorf("%s: a fresh form may only miss values: %s %s", filepath.Base(file), p.Parameter, p.Message)
			}
		}
		again := New(d.Parameters, f.Values())
		if !reflect.DeepEqual(again.Values(), f.Values()) {
			t.Errorf("%s: values change on the way through a form", filepath.Base(file))
		}
		forms++
	}
	if forms < 70 {
		t.Errorf("only %d of %d descriptors made a form", forms, len(files))
	}
}
