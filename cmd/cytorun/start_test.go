package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// maxInitBytes is what the packages of this module together may allocate before
// main: every completion and every supervisor pays it, and a pattern of
// letters and digits alone takes megabytes.
const maxInitBytes = 150_000

// TestStartIsCheap counts what this program does before main. Bytes are the same
// on every machine, unlike times, which `make bench` measures.
func TestStartIsCheap(t *testing.T) {
	cmd := exec.Command(os.Args[0], "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sum, seen := 0, 0
	for _, line := range strings.Split(string(out), "\n") {
		// "init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs"
		f := strings.Fields(line)
		if len(f) < 8 || f[0] != "init" || !strings.HasPrefix(f[1], "github.com/cytorun/") {
			continue
		}
		n, err := strconv.Atoi(f[7])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		seen++
		sum += n
		if n > maxInitBytes/4 {
			t.Log(line)
		}
	}
	if seen == 0 {
		t.Fatalf("no trace of the start: %s", out)
	}
	if sum > maxInitBytes {
		t.Errorf("packages of this module allocate %d bytes before main, at most %d are allowed; make patterns and tables at their first use", sum, maxInitBytes)
	}
}
