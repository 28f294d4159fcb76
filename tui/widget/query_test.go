package widget

import (
	"reflect"
	"testing"
)

func TestQueryIsReadInWordsAndFields(t *testing.T) {
	tests := map[string]struct {
		in   string
		want Query
	}{
		"nothing":                  {"", Query{}},
		"words":                    {" Nuclei  12 ", Query{Words: []string{"nuclei", "12"}}},
		"fields between words":     {"a state:Failed b", Query{Words: []string{"a", "b"}, Fields: []QueryField{{"state", "failed"}}}},
		"unknown field is a word":  {"http://x", Query{Words: []string{"http://x"}}},
		"field being typed":        {"state:", Query{}},
		"quotes keep blanks":       {`by:"j doe" "a b"`, Query{Words: []string{"a b"}, Fields: []QueryField{{"by", "j doe"}}}},
		"quote that never ends":    {`by:"j doe`, Query{Fields: []QueryField{{"by", "j doe"}}}},
		"colon in a field's value": {"by:a:b", Query{Fields: []QueryField{{"by", "a:b"}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ParseQuery(tt.in, "state", "by"); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzQueryFieldIsReadBack(f *testing.F) {
	f.Add("Nuclei")
	f.Add(`a "b" c`)
	f.Add("two\nlines\x1b[0m")
	f.Fuzz(func(t *testing.T, value string) {
		q := ParseQuery(Field("by", value), "by")
		if len(q.Words) > 0 || len(q.Fields) > 1 {
			t.Errorf("%q reads as %+v", Field("by", value), q)
		}
	})
}
