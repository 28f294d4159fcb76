package app_test

import (
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
)

func TestSortOptions(t *testing.T) {
	tests := map[string]struct {
		attribute string
		values    string // in the order of ids 1, 2, ...; - is none
		want      string
	}{
		"names as people count":               {"name", "img10 img2 IMG1 a", "a IMG1 img2 img10"},
		"leading zeros do not count":          {"name", "b007 b8 b06", "b06 b007 b8"},
		"numbers as numbers":                  {"x", "0.3 0.25 -1 10", "-1 0.25 0.3 10"},
		"times newest first":                  {"created", "1580000000000 999999999999 1590000000000", "1590000000000 1580000000000 999999999999"},
		"what lacks the attribute is last":    {"x", "- 3 2", "2 3 -"},
		"times without one last":              {"created", "- 3 2", "3 2 -"},
		"a missing attribute leaves the name": {"softwareDate", "b a", "a b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var options []client.Option
			for i, v := range strings.Fields(tt.values) {
				fields := map[string]string{"label": v}
				key := tt.attribute
				if key == "softwareDate" {
					key = "name"
				}
				if v != "-" {
					fields[key] = v
				}
				options = append(options, client.Option{ID: client.ID(i + 1), Fields: client.MakeFields(fields)})
			}
			app.SortOptions(descriptor.Parameter{URIPrint: "label", URISort: tt.attribute}, options)
			var got []string
			for _, o := range options {
				got = append(got, o.Fields.Get("label"))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%v, want %s", got, tt.want)
			}
		})
	}
}
