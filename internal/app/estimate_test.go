package app

import (
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/runner"
)

// withImages is Nuclei with a parameter for images.
var withImages = strings.Replace(nuclei, `{"id": "terms"`, `{"id": "images", "value-key": "[IMAGES]", "command-line-flag": "--@id", "name": "Images", "type": "ListDomain", "uri": "/api/project/$currentProject$/imageinstance.json?withoutLabel=true", "optional": true},
    {"id": "terms"`, 1)

func TestAnEstimateGoesByEarlierAnalysesForEachImage(t *testing.T) {
	s := newSite(t)
	a := s.register(withImages, "1.0")
	s.Project.Images = 50
	image := func(ids string) []client.Value {
		return []client.Value{{Parameter: "images", Text: ids, Origin: client.FromUser}}
	}
	requests := []LaunchRequest{{Algorithm: a, Values: image("1,2,3")}, {Algorithm: a, Values: image("4")}, {Algorithm: a}}
	e, err := s.Estimate(requests)
	if err != nil || e.Runs != 3 || e.Images != 54 || e.Time != 0 || e.Annotations != -1 || !strings.Contains(e.String(), "none has succeeded here yet") {
		t.Errorf("before anything ran: %+v, %s, %v", e, e, err)
	}
	// Each of these runs took ten seconds: 5 and 10 for an image.
	s.run(a, runner.Succeeded, nil, image("1,2")...)
	s.run(a, runner.Succeeded, nil, image("3")...)
	s.run(a, runner.Failed, nil, image("1,2,3,4,5,6,7,8,9,10")...)
	e, err = s.Estimate(requests[:2])
	if err != nil || e.Basis != 2 || e.Time < 20*time.Second || e.Time > 41*time.Second || e.Annotations != -1 {
		t.Errorf("%+v, %v", e, err)
	}
	if got := (Estimate{Runs: 8, Images: 80, Time: 12 * time.Minute, Annotations: 4000, Basis: 5}).String(); got != "8 runs of 80 images in all; about 12m00s of computing and 4,000 annotations, going by the last 5" {
		t.Error(got)
	}
}

func TestATrialTakesTheFirstImages(t *testing.T) {
	s := newSite(t)
	a := s.register(withImages, "1.0")
	r := LaunchRequest{Algorithm: a, Note: "x", Values: []client.Value{{Parameter: "sigma", Text: "1"}, {Parameter: "images", Text: "4,5,6", Labels: []string{"a", "b", "c"}}}}
	trial, err := Trial([]LaunchRequest{r, r}, 2)
	must(t, err)
	if v := value(trial[1].Values, "images"); len(trial) != 2 || v.Text != "4,5" || len(v.Labels) != 2 || trial[0].Note != "trial x" || r.Values[1].Text != "4,5,6" {
		t.Errorf("%+v", trial)
	}
	if whole, err := Trial([]LaunchRequest{r}, 9); err != nil || value(whole[0].Values, "images").Text != "4,5,6" {
		t.Errorf("%+v, %v", whole, err)
	}
	r.Values = r.Values[:1]
	if _, err := Trial([]LaunchRequest{r}, 2); err == nil || !strings.Contains(err.Error(), "images: has no value to take a few of") {
		t.Errorf("%v", err)
	}
	r.Algorithm = s.register(nuclei, "2.0")
	if _, err := Trial([]LaunchRequest{r}, 2); err == nil || !strings.Contains(err.Error(), "no parameter with a list of them") {
		t.Errorf("%v", err)
	}
}

func TestWhoTakesTheWholeProjectSaysHowMuchThatIs(t *testing.T) {
	s := newFixedSite(t, map[string]string{"/api/project/42/imageinstance.json": `{"collection":[{"id":1,"width":10000,"height":20000},{"id":2,"width":1000,"height":1000},{"id":3}],"size":3}`})
	s.Project.Images = 7
	with := func(p descriptor.Parameter) client.Algorithm {
		return client.Algorithm{Name: "X", Parameters: []client.Parameter{{Parameter: descriptor.Parameter{ID: "cytomine_id_project", Type: descriptor.Number}}, {Parameter: p}}}
	}
	for p, want := range map[*descriptor.Parameter]bool{
		{ID: "sigma", Type: descriptor.Number}: true, {ID: "in", Type: descriptor.Image}: false,
		{ID: "i", Type: descriptor.Domain, URI: "/api/project/$currentProject$/imageinstance.json"}:  false,
		{ID: "g", Type: descriptor.ListDomain, URI: "/api/project/$currentProject$/imagegroup.json"}: false,
		{ID: "term", Type: descriptor.ListDomain, URI: "/api/ontology/$currentOntology$/term.json"}:  true,
		{ID: "host", Type: descriptor.Image, SetByServer: true}:                                      true,
	} {
		if got := TakesWholeProject(with(*p)); got != want {
			t.Errorf("%+v: %v", p, got)
		}
	}
	w := s.WholeProject(t.Context())
	if w.Images != 3 || w.Sized != 2 || w.Pixels != 201_000_000 || !strings.HasPrefix(w.String(), "3 images, 6") || !strings.HasSuffix(w.String(), "unpacked without 1 of unknown size") {
		t.Errorf("%+v: %s", w, w)
	}
	s.Close()
	if w := s.WholeProject(t.Context()); w.String() != "7 images" {
		t.Errorf("without the server: %s", w)
	}
	checks := s.Preflight(t.Context(), LaunchRequest{Algorithm: with(descriptor.Parameter{ID: "sigma", Type: descriptor.Number, Optional: true})})
	found := false
	for _, c := range checks {
		found = found || c.Name == "images" && c.OK && c.Warn && strings.Contains(c.Text, "whole project")
	}
	if !found {
		t.Errorf("the checks before a launch do not say it: %+v", checks)
	}
}
