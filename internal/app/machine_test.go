package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner/gpu"
)

// box puts a stand-in for nvidia-smi into PATH. Its answers are those of the
// real one with --format=csv,noheader,nounits.
func box(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	t.Setenv("CYTORUN_LEASES", filepath.Join(t.TempDir(), "leases"))
}

// twoGPUs are one that this process uses, and one of which nothing is known.
const twoGPUs = `case "$1" in
--query-gpu=*) echo "0, GPU-11, NVIDIA H200, 143771, 61440, 93, 550.54"; echo "1, GPU-22, Tesla K80, [N/A], [N/A], [N/A], 550.54";;
--query-compute-apps=*) echo "GPU-11, $PPID, 61000"; echo "GPU-11, 999999999, [Not Found]"; echo "GPU-99, 1, 5";;
esac`

func machineOf(t *testing.T) (m Machine) {
	m.share(gpu.Look(t.Context()))
	return m
}

func TestGPUsAreReadWithTheirHolders(t *testing.T) {
	box(t, twoGPUs)
	m := machineOf(t)
	if m.NoGPU != "" || len(m.GPUs) != 2 || m.Slots != 2 {
		t.Fatalf("found %+v", m)
	}
	a, b := m.GPUs[0], m.GPUs[1]
	if a.Name != "NVIDIA H200" || a.Used != 61440<<20 || a.Total != 143771<<20 || a.Load != 93 || a.Free {
		t.Errorf("first: %+v", a)
	}
	if b.Index != 1 || b.Used != -1 || b.Total != -1 || b.Load != -1 || len(b.Holders) != 0 || !b.Free {
		t.Errorf("second: %+v", b)
	}
	if len(a.Holders) != 2 {
		t.Fatalf("holders: %+v", a.Holders)
	}
	us, gone := a.Holders[0], a.Holders[1]
	if us.PID != os.Getpid() || us.User == "" || time.Since(us.Since) > time.Hour || us.Since.After(time.Now().Add(time.Second)) {
		t.Errorf("this process reads as %+v", us)
	}
	if gone.User != "" || !gone.Since.IsZero() || gone.Used != -1 {
		t.Errorf("a process that is gone reads as %+v", gone)
	}
}

func TestMissingGPUIsExplained(t *testing.T) {
	for name, script := range map[string]string{"the driver fails": "exit 9", "no device": "exit 0"} {
		t.Run(name, func(t *testing.T) {
			box(t, script)
			if m := machineOf(t); len(m.GPUs) != 0 || m.NoGPU == "" {
				t.Errorf("%+v", m)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	if m := machineOf(t); m.NoGPU == "" {
		t.Error("no nvidia-smi is not explained")
	}
}
