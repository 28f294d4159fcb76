package bench

import (
	"math"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	tests := map[string]struct {
		value float64
		goal  float64
		lower bool
		want  string
	}{
		"below a ceiling":   {4.256, 5, true, "x 4.26 ms goal 5 ok"},
		"at the ceiling":    {5, 5, true, "x 5 ms goal 5 ok"},
		"above the ceiling": {5.01, 5, true, "x 5.01 ms goal 5 short"},
		"above a floor":     {12345.6, 6, false, "x 12346 ms goal 6 ok"},
		"below a floor":     {0.000123456, 6, false, "x 0.000123 ms goal 6 short"},
		"not a number":      {math.NaN(), 6, true, "x NaN ms goal 6 short"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := write(&b, "x", tt.value, "ms", tt.goal, tt.lower); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(b.String()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
