package descriptor

import (
	"slices"
	"strings"
	"testing"
)

func ptr(s string) *string { return &s }

func TestCheckNamesTheLimitAndTheValue(t *testing.T) {
	many := strings.Split("a b c d e f g h i j", " ")
	tests := []struct {
		name  string
		param Parameter
		text  string
		want  []string
	}{
		{"required", Parameter{Type: Number}, "", []string{"is required"}},
		{"optional may be empty", Parameter{Type: Number, Optional: true}, "", nil},
		{"the server fills its inputs", Parameter{ID: "cytomine_host", Type: String}, "", nil},
		{"a user's parameter marked set-by-server is required", Parameter{ID: "threshold", Type: Number, SetByServer: true}, "", []string{"is required"}},
		{"limits are inclusive", Parameter{Type: Number, Minimum: ptr("0"), Maximum: ptr("1")}, "1.0", nil},
		{"below", Parameter{Type: Number, Minimum: ptr("0")}, "-1", []string{"must be at least 0; got -1"}},
		{"above, limit as exponent", Parameter{Type: Number, Maximum: ptr("1e-08")}, "1e-7", []string{"must be at most 0.00000001; got 0.0000001"}},
		{"above by less than a float can tell", Parameter{Type: Number, Maximum: ptr("9007199254740992")}, "9007199254740993", []string{"must be at most 9007199254740992; got 9007199254740993"}},
		{"whole number", Parameter{Type: Number, Integer: true}, "1.5", []string{"must be a whole number; got 1.5"}},
		{"1.0 is a whole number", Parameter{Type: Number, Integer: true}, "1.0", nil},
		{"all at once", Parameter{Type: Number, Integer: true, Minimum: ptr("2"), Choices: []string{"2", "3"}}, "0.5",
			[]string{`must be one of 2, 3; got "0.5"`, "must be a whole number; got 0.5", "must be at least 2; got 0.5"}},
		{"unreadable limits do not count", Parameter{Type: Number, Minimum: ptr("00:15:00")}, "-1", nil},
		{"choice of a number by size", Parameter{Type: Number, Choices: []string{"10", "20"}}, "20.0", nil},
		{"choice with another case", Parameter{Type: String, Choices: []string{"water", "oil (1.515)"}}, "Water",
			[]string{`must be one of water, oil (1.515); got "Water"; did you mean "water"?`}},
		{"many choices are cut", Parameter{Type: String, Choices: many}, "z", []string{`must be one of a, b, c, d, e, f, g, h or 2 others; got "z"`}},
		{"every id is a choice", Parameter{Type: ListDomain, Choices: []string{"1", "2"}}, "2,3", []string{`must be one of 1, 2; got "3"`}},
		{"day before", Parameter{Type: Date, Minimum: ptr("2024-01-01")}, "2023-12-31", []string{"must not be before 2024-01-01; got 2023-12-31"}},
		{"limit as milliseconds", Parameter{Type: Date, Maximum: ptr("1581465600000")}, "2020-02-13", []string{"must not be after 2020-02-12; got 2020-02-13"}},
		{"limit as a short number of milliseconds", Parameter{Type: Date, Minimum: ptr("0")}, "1969-12-31", []string{"must not be before 1970-01-01; got 1969-12-31"}},
		{"date choice by instant", Parameter{Type: Date, Choices: []string{"2024-01-31"}}, "2024/1/31", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := mustParse(t, tt.param.Type, tt.text)
			if got := tt.param.Check(v); !slices.Equal(got, tt.want) {
				t.Errorf("Check(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestCheckReadsAValueOfAnotherType(t *testing.T) {
	p := Parameter{Type: Number, Maximum: ptr("5")}
	if got := p.Check(mustParse(t, String, "abc")); !slices.Equal(got, []string{`"abc" is not a number`}) {
		t.Errorf("text in a number: %q", got)
	}
	if got := p.Check(mustParse(t, String, "6.0")); !slices.Equal(got, []string{"must be at most 5; got 6"}) {
		t.Errorf("number as text: %q", got)
	}
}

func TestServerInputsAndSecretsAreKnownByName(t *testing.T) {
	tests := []struct {
		id             string
		server, secret bool
	}{
		{"cytomine_host", true, false}, {"HOST", true, false}, {"CYTOMINE_PUBLIC_KEY", true, true}, {"publicKey", true, true},
		{"cytominePrivateKey", true, true}, {"private_key", true, true}, {"cytomine_id_project", true, false},
		{"cytomine_id_software", true, false}, {"id_software", true, false},
		{"cytomine_id_projects", false, false}, {"cytomine_upload_host", false, false}, {"cytomine_id_job", false, false}, {"", false, false},
	}
	for _, tt := range tests {
		p := Parameter{ID: tt.id}
		if p.IsServerInput() != tt.server || p.IsSecret() != tt.secret {
			t.Errorf("%q: server input %t, secret %t", tt.id, p.IsServerInput(), p.IsSecret())
		}
	}
	if got := (Parameter{ID: "a", Name: " "}).Label(); got != "a" {
		t.Errorf("Label without a name = %q", got)
	}
}
