package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/runner"
)

// row gives the texts of a row's cells, with their notes.
func row(t *testing.T, table compare.Table, label string) []string {
	t.Helper()
	for _, r := range table.Rows {
		if r.Label != label && r.Key != label {
			continue
		}
		var out []string
		for _, c := range r.Cells {
			text := c.Text
			if c.Missing {
				text = "-"
			}
			if c.Note != "" {
				text += " (" + c.Note + ")"
			}
			out = append(out, text)
		}
		return out
	}
	t.Errorf("no row %q", label)
	return nil
}

func TestComparisonSaysWhereAValueWasNotRecorded(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	with := s.job(a, "", "sigma", "1", "method", "manual")
	without := s.job(a, "", "sigma", "1.0")
	table, err := s.Compare(tctx, []Analysis{{Job: &with}, {Job: &without}}, nil)
	must(t, err)
	if got := row(t, table, "method"); !slices.Equal(got, []string{"manual", "otsu (default at launch)"}) {
		t.Errorf("method %q", got)
	}
	for _, r := range table.Differences().Rows {
		if r.Key == "sigma" {
			t.Error("1 and 1.0 differ")
		}
	}
}

func TestIDsAreComparedAsNames(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	terms, err := s.Fill(tctx, a, nil, given("terms", "nucleus,cell 2"))
	must(t, err)
	job := s.job(a, "", "sigma", "1", "terms", value(terms, "terms").Text)
	run := s.run(a, runner.Succeeded, nil, terms...)
	gone := s.job(a, "", "sigma", "1", "terms", "424242")
	fresh := s.connect("")
	table, err := fresh.Compare(tctx, []Analysis{{Job: &job}, {Run: &run}, {Job: &gone}}, nil)
	must(t, err)
	if got := row(t, table, "terms"); !slices.Equal(got, []string{"nucleus, cell 2", "nucleus, cell 2", "424242"}) {
		t.Errorf("terms %q", got)
	}
}

func TestAlgorithmThatVanishedCanStillBeCompared(t *testing.T) {
	s := newSite(t)
	a, kept := s.register(nuclei, "1.0"), s.register(nuclei, "2.0")
	one := s.job(a, "", "sigma", "1")
	two := s.job(kept, "", "sigma", "2")
	one.Algorithm = 424242 // as after its removal from the server
	table, err := s.Compare(tctx, []Analysis{{Job: &one}, {Job: &two}}, nil)
	must(t, err)
	got := row(t, table, "sigma")
	if len(got) != 2 || !strings.HasPrefix(got[0], "1") || got[1] != "2" {
		t.Errorf("sigma %q", got)
	}
}

func TestParameterNamedTwiceHasTwoRows(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	job := s.job(a, "", "sigma", "1")
	text := "5"
	job.Parameters = append(job.Parameters, client.JobParameter{Name: "sigma", Value: &text})
	table, err := s.Compare(tctx, []Analysis{{Job: &job}, {Job: &job}}, nil)
	must(t, err)
	n := 0
	for _, r := range table.Rows {
		if r.Key == "sigma" || strings.HasPrefix(r.Key, "sigma") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d rows of sigma", n)
	}
}

func TestNothingToCompareIsAnError(t *testing.T) {
	s := newSite(t)
	if _, err := s.Compare(tctx, nil, nil); err == nil {
		t.Error("no error")
	}
}

func TestAnAnalysisThatLeftAnEmptyLayerHasNoAnnotations(t *testing.T) {
	s := newSite(t)
	job := s.job(s.register(nuclei, "1.0"), "", "sigma", "1")
	job.Status = client.Success
	r, err := s.Results(tctx, Analysis{Job: &job})
	must(t, err)
	if len(r.Counts) != 0 || len(r.Files) != 0 {
		t.Errorf("%d counts, %d files", len(r.Counts), len(r.Files))
	}
	table, err := s.Compare(tctx, []Analysis{{Job: &job}, {Job: &job}}, nil)
	must(t, err)
	if got := row(t, table, "annotations"); !slices.Equal(got, []string{"0", "0"}) {
		t.Errorf("annotations %q", got)
	}
}
