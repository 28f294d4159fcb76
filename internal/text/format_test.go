package text

import "testing"

func TestMemoryIsInTheUnitsItIsAskedIn(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "?", 0: "0 B", 1023: "1023 B", 1024: "1 KiB", 4 << 20: "4 MiB", 8 << 30: "8 GiB", 3 << 29: "1.5 GiB",
		24564 << 20: "24 GiB", 143771 << 20: "140 GiB", 1023 << 30: "1023 GiB", 1<<40 - 1: "1 TiB", 1<<63 - 1: "8 EiB",
	} {
		if got := Memory(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
