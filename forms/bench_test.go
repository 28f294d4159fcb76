package forms

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
)

// large is an algorithm with 200 parameters of every kind.
func large() []descriptor.Parameter {
	var ps []descriptor.Parameter
	for i := 0; len(ps) < 200; i++ {
		for _, p := range everyType() {
			p.ID = fmt.Sprintf("%s_%d", p.ID, i)
			ps = append(ps, p)
		}
	}
	return ps[:200]
}

// milliseconds is how long one of n took.
func milliseconds(began time.Time, n int) float64 {
	return float64(time.Since(began).Microseconds()) / 1000 / float64(n)
}

// BenchmarkForm measures a key in a form of 200 parameters, a list of 600 images
// among them, and the form as a file.
func BenchmarkForm(b *testing.B) {
	ps := large()
	f := New(ps, nil)
	f.AllowSweeps()
	var ids bytes.Buffer
	for i := range 600 {
		fmt.Fprintf(&ids, "%d,", 1000000+i)
	}
	f.Set("many_0", ids.String(), client.FromUser)
	const keys = 200
	for b.Loop() {
		began := time.Now()
		for i := range keys {
			f.Set("number_0", fmt.Sprint(i), client.FromUser)
			if len(f.Values()) == 0 {
				b.Fatal("the values are gone")
			}
		}
		bench.Report(b, "forms/set-200-parameters", milliseconds(began, keys), "ms", 5, true)
		began = time.Now()
		f.Validate()
		bench.Report(b, "forms/validate-200-parameters", milliseconds(began, 1), "ms", 5, true)
		var file bytes.Buffer
		began = time.Now()
		if err := WriteFile(&file, ps, f.Values(), FileStyle{}); err != nil {
			b.Fatal(err)
		}
		back, problems := ReadFile(file.Bytes())
		bench.Report(b, "forms/file-200-parameters", milliseconds(began, 1), "ms", 50, true)
		if len(problems) > 0 || len(back.Values) != len(ps) {
			b.Fatalf("%d values, %v", len(back.Values), problems)
		}
		began = time.Now()
		p := descriptor.Parameter{ID: "number_0", Type: descriptor.Number}
		s, err := ParseSweep(p, "1..10000")
		if err != nil {
			b.Fatal(err)
		}
		if runs, err := Combine(f.Values(), []Sweep{s}, false); err != nil || len(runs) != MaxRuns {
			b.Fatalf("%d runs, %v", len(runs), err)
		}
		bench.Report(b, "forms/sweep-10000-runs", milliseconds(began, 1), "ms", 500, true)
	}
}
