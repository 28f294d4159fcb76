package forms

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

func texts(s Sweep) string {
	var out []string
	for _, v := range s.Values {
		out = append(out, v.Text)
	}
	return strings.Join(out, "|")
}

func TestParseSweep(t *testing.T) {
	number := descriptor.Parameter{ID: "n", Type: descriptor.Number}
	word := descriptor.Parameter{ID: "s", Type: descriptor.String}
	domain := descriptor.Parameter{ID: "d", Type: descriptor.Domain}
	tests := []struct {
		p          descriptor.Parameter
		text, want string // ! for an error with this part
	}{
		{number, "0.1, 0.2, 0.5", "0.1|0.2|0.5"},
		{number, "10..50 step 10", "10|20|30|40|50"},
		{number, "1..3step0.5", "1|1.5|2|2.5|3"},
		{number, "1..3", "1|2|3"},
		{number, "0..1 step 0.1", "0|0.1|0.2|0.3|0.4|0.5|0.6|0.7|0.8|0.9|1"},
		{number, "50..10 step 20", "50|30|10"},
		{number, "50..10 step -20", "50|30|10"},
		{number, "1..2 step 0.4", "1|1.4|1.8"},
		{number, "1e-3..3e-3 step 1e-3", "0.001|0.002|0.003"},
		{number, "-1..1", "-1|0|1"},
		{number, ".5 .. 1.5", "0.5|1.5"},
		{number, "5..5", "5"},
		{number, "1, 2..4, 10", "1|2|3|4|10"},
		{number, "1, 1.0, 01", "1"},
		{number, "1,2,", "1|2"},
		{number, "1..2 step 0", "!is 0"},
		{number, "1..2 step -1", "!lead away"},
		{number, "1..10000", "1|2"},
		{number, "1..10001", "!10001 runs"},
		{number, "1..1e300", "!far too many runs"},
		{number, "0..1 step 1e-300", "!far too many runs"},
		{number, "1..2..3", "!no range"},
		{number, "1.. step 2", "!no range"},
		{number, "1..x", "!no range"},
		{number, "1..1e999999999", "!no number"},
		{number, "", "!needs values"},
		{number, ", ,", "!needs values"},
		{number, strings.Repeat("1,", 40000), "!too long"},
		{word, "otsu, triangle", "otsu|triangle"},
		{word, "1..3", "1|2|3"},
		{word, `"a, b", "1..3", c`, "a, b|1..3|c"},
		{word, `"a`, "!not closed"},
		{word, `"a" b`, "!a comma is missing"},
		{word, "../x, a..b", "../x|a..b"},
		{domain, "12, 13", "12|13"},
		{domain, "Cell, Nucleus", "Cell|Nucleus"},
		{descriptor.Parameter{Type: descriptor.Boolean}, "yes,no", "true|false"},
		{descriptor.Parameter{Type: descriptor.Date}, "2024-01-01, 2024/1/2", "2024-01-01|2024-01-02"},
		{descriptor.Parameter{Type: descriptor.ListDomain}, "1,2", "!cannot be swept"},
	}
	for _, tt := range tests {
		s, err := ParseSweep(tt.p, tt.text)
		if part, fails := strings.CutPrefix(tt.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%.40q: %v, want %s", tt.text, err, part)
			}
			continue
		}
		if got := texts(s); err != nil || got != tt.want && !(len(s.Values) == MaxRuns && strings.HasPrefix(got, tt.want)) {
			t.Errorf("%q gives %.80s, %v; want %s", tt.text, got, err, tt.want)
		}
	}
}

func TestOnlyWhatCannotBeOneValueIsTakenForASweep(t *testing.T) {
	number := descriptor.Parameter{ID: "n", Type: descriptor.Number, Maximum: ptr("10")}
	choice := descriptor.Parameter{ID: "c", Type: descriptor.String, Choices: []string{"otsu", "triangle", "a, b"}}
	free := descriptor.Parameter{ID: "f", Type: descriptor.String}
	domain := descriptor.Parameter{ID: "d", Type: descriptor.Domain}
	tests := []struct {
		p    descriptor.Parameter
		text string
		want bool
	}{
		{number, "1", false}, {number, "1, 2", true}, {number, "1..3", true}, {number, "1..1e9", true}, {number, "1, x", false}, {number, "", false}, {number, "1..99", true}, {number, "1,5", false}, {number, "-1,50", false}, {number, "1,5,2", true}, {number, "1,5e3", true},
		{choice, "otsu, triangle", true}, {choice, "otsu", false}, {choice, "a, b", false}, {choice, "otsu, otso", true},
		{free, "a, b", false}, {free, "1..3", false},
		{domain, "12, 13", true}, {domain, "Smith, J.", false}, {domain, "12", false},
		{descriptor.Parameter{Type: descriptor.ListDomain}, "1,2", false},
	}
	for _, tt := range tests {
		if got := IsSweep(tt.p, tt.text); got != tt.want {
			t.Errorf("%s %q: %v", tt.p.ID, tt.text, got)
		}
	}
	if ps := Validate([]descriptor.Parameter{number}, []client.Value{{Parameter: "n", Text: "1,5"}}); len(ps) != 1 || !strings.Contains(ps[0].Message, "write it with a point, 1.5") {
		t.Errorf("a decimal comma: %v", ps)
	}
	single, sweeps, problems := Sweeps([]descriptor.Parameter{number, free, choice}, []client.Value{
		{Parameter: "n", Text: "1, 11"}, {Parameter: "f", Text: "a, b"}, {Parameter: "c", Text: "otsu, otso"}, {Parameter: "gone", Text: "1,2"}})
	if len(single) != 2 || len(sweeps) != 2 || len(problems) != 2 ||
		!strings.Contains(problems[0].Message, "at most 10; got 11") || !strings.Contains(problems[1].Message, `got "otso"`) {
		t.Errorf("%v, %v, %v", single, sweeps, problems)
	}
}

func TestAFormTakesSweepsWhereItMay(t *testing.T) {
	f := New(parameters(), nil)
	f.Set("sigma", "1, 2", client.FromUser)
	if ps := f.Field("sigma").Problems; len(ps) != 1 || !strings.Contains(ps[0].Message, "sweep it") {
		t.Errorf("without sweeps: %v", ps)
	}
	f.AllowSweeps()
	f.Set("images", "1", client.FromUser)
	f.Set("sigma", "1..3", client.FromUser)
	f.Set("method", "otsu, manual", client.FromUser)
	if ps := f.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	if s, ok := f.Field("sigma").Sweep(); !ok || texts(s) != "1|2|3" {
		t.Errorf("the field holds %v %v", s, ok)
	}
	single, sweeps, problems := Sweeps(f.Parameters(), f.Values())
	runs, err := Combine(single, sweeps, false)
	if err != nil || len(problems) > 0 || len(runs) != 6 {
		t.Fatalf("%d runs, %v, %v", len(runs), err, problems)
	}
	for _, r := range runs {
		if ps := Validate(f.Parameters(), r); len(ps) > 0 {
			t.Errorf("%v of %v", ps, r)
		}
	}
	f.Set("sigma", "9..12", client.FromUser)
	if ps := f.Field("sigma").Problems; len(ps) != 2 {
		t.Errorf("two values are too large: %v", ps)
	}
	f.Reset("sigma")
	f.Set("sigma", "1, 2", client.FromUser)
	if _, ok := f.Field("sigma").Sweep(); !ok {
		t.Error("after a reset a sweep is still possible")
	}
}

func TestCombineMakesEveryCombinationOrZips(t *testing.T) {
	sweep := func(id string, texts ...string) Sweep {
		s := Sweep{Parameter: id}
		for _, x := range texts {
			s.Values = append(s.Values, client.Value{Parameter: id, Text: x})
		}
		return s
	}
	base := []client.Value{{Parameter: "a", Text: "0"}, {Parameter: "x", Text: "7"}}
	show := func(runs [][]client.Value) string {
		var out []string
		for _, r := range runs {
			s := ""
			for _, v := range r {
				s += v.Parameter + v.Text
			}
			out = append(out, s)
		}
		return strings.Join(out, " ")
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	tests := []struct {
		name   string
		sweeps []Sweep
		zip    bool
		want   string
	}{
		{"no sweep", nil, false, "a0x7"},
		{"one", []Sweep{sweep("a", "1", "2")}, false, "x7a1 x7a2"},
		{"two", []Sweep{sweep("a", "1", "2"), sweep("b", "1", "2", "3")}, false, "x7a1b1 x7a1b2 x7a1b3 x7a2b1 x7a2b2 x7a2b3"},
		{"zipped", []Sweep{sweep("a", "1", "2"), sweep("b", "3", "4")}, true, "x7a1b3 x7a2b4"},
		{"zipped with another length", []Sweep{sweep("a", "1", "2"), sweep("b", "3")}, true, "!a has 2 and b has 1"},
		{"a parameter twice", []Sweep{sweep("a", "1"), sweep("a", "2")}, false, "!swept twice"},
		{"too many", []Sweep{sweep("a", many...), sweep("b", many...)}, false, "!10000"},
		{"nothing to sweep", []Sweep{sweep("a")}, false, "!no values"},
	}
	for _, tt := range tests {
		runs, err := Combine(base, tt.sweeps, tt.zip)
		if part, fails := strings.CutPrefix(tt.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else if got := show(runs); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
}

func FuzzSweep(f *testing.F) {
	for _, s := range []string{"0.1, 0.2", "10..50 step 10", "1..3step0.5", `"a, b", c`, "1e-300..1 step 1e-5", "5..-5 step -1e0", "..", "1...5"} {
		f.Add(s)
	}
	types := []descriptor.Type{descriptor.Number, descriptor.String, descriptor.Domain, descriptor.Boolean, descriptor.Date, descriptor.ListDomain}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range types {
			p := descriptor.Parameter{ID: "p", Type: typ}
			s, err := ParseSweep(p, text)
			if err != nil {
				continue
			}
			if len(s.Values) == 0 || len(s.Values) > MaxRuns {
				t.Fatalf("%q gives %d values", text, len(s.Values))
			}
			size := 0
			for _, v := range s.Values {
				size += len(v.Text)
			}
			if size > len(text)+len(s.Values)*700 {
				t.Fatalf("%q gives %d bytes", text, size)
			}
			if IsSweep(p, text) && len(s.Check(p)) > 0 {
				t.Fatalf("%q is a sweep of %s with problems %v", text, typ, s.Check(p))
			}
			_ = IsSweep(p, text)
		}
	})
}
