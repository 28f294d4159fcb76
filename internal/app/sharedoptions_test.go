package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

const termsPath = "GET /api/ontology/"

func parameter(a client.Algorithm, id string) descriptor.Parameter {
	for _, p := range a.Parameters {
		if p.ID == id {
			return p.Parameter
		}
	}
	panic("no parameter " + id)
}

func labels(into *[]string, p descriptor.Parameter) func([]client.Option) error {
	return func(os []client.Option) error {
		for _, o := range os {
			*into = append(*into, OptionLabel(p, o))
		}
		return nil
	}
}

func TestParametersWithOneURIShareOneRequest(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	before := s.asked(termsPath)
	release := s.holdBack()
	var wg sync.WaitGroup
	for i := range 20 {
		p := parameter(a, []string{"term", "terms"}[i%2])
		wg.Go(func() {
			var got []string
			if err := s.Options(tctx, p, labels(&got, p)); err != nil || len(got) != 3 {
				t.Errorf("options %v, %v", got, err)
			}
		})
	}
	release()
	wg.Wait()
	if n := s.asked(termsPath) - before; n != 1 {
		t.Errorf("%d requests for one uri", n)
	}
	s.RefreshOptions(parameter(a, "term"))
	var again []string
	must(t, s.Options(tctx, parameter(a, "term"), labels(&again, parameter(a, "term"))))
	if n := s.asked(termsPath) - before; n != 2 {
		t.Errorf("%d requests after a refresh", n)
	}
}

func TestCallerThatGoesAwayLeavesTheAnswerToOthers(t *testing.T) {
	s := newSite(t)
	p := parameter(s.register(nuclei, "1.0"), "term")
	release := s.holdBack()
	defer release()
	gone, cancel := context.WithCancel(tctx)
	cancel()
	if err := s.Options(gone, p, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("gone: %v", err)
	}
	before := s.asked(termsPath)
	release()
	var got []string
	must(t, s.Options(tctx, p, labels(&got, p)))
	if len(got) != 3 || s.asked(termsPath)-before > 1 {
		t.Errorf("%v after %d more requests", got, s.asked(termsPath)-before)
	}
	stop := errors.New("enough")
	if err := s.Options(tctx, p, func([]client.Option) error { return stop }); err != stop {
		t.Errorf("an error of the caller: %v", err)
	}
}

func TestFailedOptionsAreAskedForAgain(t *testing.T) {
	s := newSite(t)
	p := parameter(s.register(nuclei, "1.0"), "term")
	p.URI = "/api/nosuch.json"
	for range 2 {
		if err := s.Options(tctx, p, nil); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
	if n := s.asked("GET /api/nosuch.json"); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestAnotherProjectHasOptionsOfItsOwn(t *testing.T) {
	s := newSite(t)
	p := parameter(s.register(nuclei, "1.0"), "term")
	ontology, err := s.server.AddOntology(tctx, "other")
	must(t, err)
	_, err = s.server.AddTerm(tctx, ontology, "vessel", "#000000")
	must(t, err)
	s.addProject("Ki67", ontology)
	var here, there []string
	must(t, s.Options(tctx, p, labels(&here, p)))
	other := s.connect("Ki67")
	must(t, other.Options(tctx, p, labels(&there, p)))
	if len(here) != 3 || !slices.Equal(there, []string{"vessel"}) {
		t.Errorf("here %v, there %v", here, there)
	}
}

func TestListOfASlowServerArrivesInPieces(t *testing.T) {
	l := &optionList{changed: make(chan struct{})}
	s := &Session{opts: &optionCache{uris: map[string]*optionList{"/x": l}}}
	pages := make(chan int)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Options(tctx, descriptor.Parameter{URI: "/x"}, func(os []client.Option) error {
			pages <- len(os)
			return nil
		})
	}()
	for _, n := range []int{2, 3} {
		l.change(func() { l.options = append(l.options, make([]client.Option, n)...) })
		select {
		case got := <-pages:
			if got != n {
				t.Errorf("a page of %d, want %d", got, n)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the page does not arrive before the list ends")
		}
	}
	l.change(func() { l.done = true })
	must(t, <-ended)
}
