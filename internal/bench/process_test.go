package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// program is the built binary; benchmarks of whole processes measure what people start.
func program(b *testing.B) string {
	path, err := filepath.Abs("../../bin/cytorun")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Skip("no bin/cytorun; run make build")
	}
	return path
}

// median of n measured durations, in milliseconds, after one that nobody counts.
func median(b *testing.B, n int, measure func() time.Duration) float64 {
	b.Helper()
	measure()
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = measure()
	}
	slices.Sort(all)
	return float64(all[n/2].Microseconds()) / 1000
}

// BenchmarkVersion measures the start of a process that does nothing else: every shell
// completion and every supervisor pays it.
func BenchmarkVersion(b *testing.B) {
	path := program(b)
	for b.Loop() {
		ms := median(b, 41, func() time.Duration {
			began := time.Now()
			if out, err := exec.Command(path, "version").CombinedOutput(); err != nil {
				b.Fatalf("%s version: %v\n%s", path, err, out)
			}
			return time.Since(began)
		})
		Report(b, "process/version", ms, "ms", 5, true)
	}
}
