package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
)

func splittable(text string, labels ...string) LaunchRequest {
	parameter := func(id string, t descriptor.Type) client.Parameter {
		return client.Parameter{Parameter: descriptor.Parameter{ID: id, Type: t}}
	}
	return LaunchRequest{
		Algorithm: client.Algorithm{Name: "Nuclei", Parameters: []client.Parameter{parameter("sigma", descriptor.Number), parameter("images", descriptor.ListDomain)}},
		Values:    []client.Value{{Parameter: "sigma", Text: "2"}, {Parameter: "images", Text: text, Labels: labels}},
	}
}

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		request   LaunchRequest
		parameter string
		size      int
		want      string // ids:labels of each part
		fails     string
	}{
		"one for each":           {splittable("1,2,3", "a", "b", "c"), "images", 1, "1:a 2:b 3:c", ""},
		"two for each, one left": {splittable("1, 2 ,3", "a", "b", "c"), "images", 2, "1,2:a,b 3:c", ""},
		"the name in any case":   {splittable("1,2", "a", "b"), "Images", 2, "1,2:a,b", ""},
		"more than there are":    {splittable("1,2"), "images", 9, "1,2:", ""},
		"names that do not fit":  {splittable("1,2,3", "a"), "images", 2, "1,2: 3:", ""},
		"nothing chosen":         {splittable(""), "images", 1, "", "has no value to split"},
		"another kind":           {splittable("1"), "sigma", 1, "", "it is no list of options; these are: images"},
		"no such parameter":      {splittable("1"), "colour", 1, "", "it is no list of options; these are: images"},
		"parts of nothing":       {splittable("1"), "images", 0, "", "cannot be split into parts of 0"},
		"an algorithm without":   {LaunchRequest{Algorithm: client.Algorithm{Name: "Plain"}}, "images", 1, "", "Plain has no parameter with a list of options"},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.request.Values)
			parts, err := Split(c.request, c.parameter, c.size)
			if c.fails != "" {
				var problems forms.Problems
				if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v", err)
				}
				return
			}
			var got []string
			for i, p := range parts {
				got = append(got, p.Values[1].Text+":"+strings.Join(p.Values[1].Labels, ","))
				if p.Values[0].Text != "2" || *p.Part != (runner.Part{Parameter: "images", Index: i + 1, Of: len(parts)}) {
					t.Errorf("part %d: %+v %+v", i, p.Values, p.Part)
				}
			}
			if strings.Join(got, " ") != c.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
			if c.request.Values[1].Text != before[1].Text {
				t.Error("the request itself was changed")
			}
		})
	}
}

func TestOneInvalidPartLaunchesNothing(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	good := LaunchRequest{Algorithm: a, Values: []client.Value{{Parameter: "sigma", Text: "1"}}}
	bad := LaunchRequest{Algorithm: a, Values: []client.Value{{Parameter: "sigma", Text: "x"}}}
	if _, err := s.LaunchAll(tctx, []LaunchRequest{good, bad}); err == nil {
		t.Fatal("an invalid value was launched")
	}
	ended, stop := context.WithCancel(tctx)
	stop()
	if _, err := s.LaunchAll(ended, []LaunchRequest{good, good}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if runs, err := s.env.Store.List(); len(runs) != 0 || err != nil {
		t.Errorf("%d run folders are left, %v", len(runs), err)
	}
}

func TestRunsOfALaunchHaveTheirOwnFolders(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	many := slices.Repeat([]LaunchRequest{{Algorithm: a, Values: []client.Value{{Parameter: "sigma", Text: "1"}}, Group: "g-x"}}, 40)
	// Nothing supervises in these tests, which is told.
	runs, err := s.LaunchAll(tctx, many)
	if len(runs) != len(many) || err == nil || !strings.Contains(err.Error(), "nobody watches it") {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	seen := map[string]bool{}
	for _, r := range runs {
		seen[r.ID] = true
	}
	g, err := s.env.FindGroup("g-x")
	if len(seen) != len(many) || len(g.Runs) != len(many) || err != nil {
		t.Errorf("%d ids, %d runs in the group, %v", len(seen), len(g.Runs), err)
	}
}
