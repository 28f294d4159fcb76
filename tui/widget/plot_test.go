package widget

import (
	"math"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/internal/text"
)

func TestPlotFitsAndHasAxes(t *testing.T) {
	p := Plot{Title: "loss\x1b[2J", XLabel: "epoch", YLabel: "loss\n", X: []float64{1, 2, 3, 4}, Y: []float64{0.9, 0.5, 0.4, 0.38}, Lines: true}
	for _, size := range [][2]int{{20, 6}, {40, 10}, {80, 20}, {200, 50}, {5, 2}, {1, 1}, {33, 7}} {
		lines := p.Draw(size[0], size[1])
		if len(lines) > max(size[1], 2) {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, l := range lines {
			if w := text.Width(l); w > size[0] {
				t.Errorf("%v: a line of %d cells: %q", size, w, text.Strip(l))
			}
			if strings.ContainsAny(text.Strip(l), "\x1b\n") {
				t.Errorf("%v: untrusted text gets through: %q", size, l)
			}
		}
	}
	all := strings.Join(p.Draw(60, 14), "\n")
	for _, want := range []string{"0.4", "0.8", "epoch", "┤", "└", "1", "4"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

func TestPlotSurvivesNumbersThatAreNone(t *testing.T) {
	for name, p := range map[string]Plot{
		"none":          {},
		"only NaN":      {X: []float64{1, 2}, Y: []float64{math.NaN(), math.Inf(1)}},
		"one":           {X: []float64{1}, Y: []float64{5}},
		"all the same":  {X: []float64{1, 1}, Y: []float64{0, 0}, Lines: true},
		"far apart":     {X: []float64{-1e299, 1e299}, Y: []float64{-1e299, 1e299}, Lines: true},
		"tiny":          {X: []float64{1e-300, 2e-300}, Y: []float64{1e-12, 2e-12}},
		"other lengths": {X: []float64{1, 2, 3}, Y: []float64{1}},
		"names":         {X: []float64{0, 1}, Y: []float64{1, 2}, Names: []string{"otsu\x1b", strings.Repeat("x", 90)}},
	} {
		for _, l := range p.Draw(50, 12) {
			if text.Width(l) > 50 {
				t.Errorf("%s: %q", name, l)
			}
		}
	}
}

func TestAxesHaveRoundNumbers(t *testing.T) {
	a := newAxis([]float64{0.13, 0.97}, 5)
	if a.low != 0 || math.Abs(a.high-1) > 1e-9 || a.step != 0.2 {
		t.Errorf("%+v", a)
	}
	if a.place(a.low, 100) != 0 || a.place(a.high, 100) != 99 {
		t.Error("the ends are not at the ends")
	}
}
