package paramform_test

import (
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// wholeProject is an algorithm that lets nobody choose images.
func wholeProject() *descriptor.Descriptor {
	return &descriptor.Descriptor{
		Name: "whole", Container: descriptor.Container{Image: "x"}, CommandLine: "x [CYTOMINE_HOST] [SIGMA]",
		Parameters: []descriptor.Parameter{
			server("cytomine_host"),
			{ID: "sigma", Name: "Sigma", Type: descriptor.Number, Default: ptr("1"), ValueKey: "[SIGMA]", Flag: "--sigma"},
		},
	}
}

func TestTheWholeProjectIsAskedAbout(t *testing.T) {
	site := tuitest.New(t)
	a := tuitest.Register(t, site.Session, site.Session.Project.ID, wholeProject())
	f := open(t, site, a, nil, 100, 30)
	f.Press("ctrl+s")
	f.UntilShows("goes back to the form")
	f.Shows("takes the whole project, 0 images")
}

func TestWhatIsAskedAlthoughNothingIsWrong(t *testing.T) {
	request := func(uri string) app.LaunchRequest {
		p := descriptor.Parameter{ID: "images", Type: descriptor.ListDomain, URI: uri}
		return app.LaunchRequest{Algorithm: client.Algorithm{Parameters: []client.Parameter{{Parameter: p}}}}
	}
	site := tuitest.New(t)
	site.Session.Project.Images = 120
	some, all := request("/api/project/1/imageinstance.json"), request("/api/term.json")
	for name, tt := range map[string]struct {
		requests []app.LaunchRequest
		want     string
	}{
		"one run on chosen images is simply launched": {[]app.LaunchRequest{some}, ""},
		"the whole project":                           {[]app.LaunchRequest{all}, "Launch on all 120 images of the project?"},
		"several runs, of which nothing is known":     {[]app.LaunchRequest{some, some}, "Launch 2 runs?"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := paramform.WhatToAsk(site.Session, tt.requests); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestALaunchTellsOfMarksThatWereNotTaken(t *testing.T) {
	f := newForm(t, 80, 24)
	f.set("Count", "3")
	f.ids("Images", "12")
	f.Press("enter", "t")
	f.Type("13")
	f.Press("enter", "esc", "ctrl+s")
	f.UntilShows("goes back to the form")
	f.Shows("1 mark of Images not taken", "Launch all the same?")
}
