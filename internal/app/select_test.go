package app

import (
	"slices"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app/filter"
)

func TestAnAlgorithmThatVanishedIsAskedForBesideAnotherOfItsName(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "2.0")
	old, other := s.job(a, "", "sigma", "1"), s.job(a, "", "sigma", "1")
	old.Algorithm, old.AlgorithmName = 424242, "Nuclei (0.9)"
	other.Algorithm, other.AlgorithmName = 434343, "Stain (1)"
	s.KeepJobs([]*Row{{Analysis: Analysis{Job: &old}}, {Analysis: Analysis{Job: &other}}})
	q, err := filter.Language{Now: s.env.Now()}.Parse("algorithm:nuclei")
	must(t, err)
	_, p, err := s.Next(tctx, s.NewPager(q))
	must(t, err)
	if want := []client.ID{a.ID, 424242}; !slices.Equal(p.Filter.Algorithms, want) {
		t.Errorf("asked for %v, want %v", p.Filter.Algorithms, want)
	}
}
