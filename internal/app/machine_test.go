package app

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
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
}

func TestGPUsAreReadWithTheirHolders(t *testing.T) {
	box(t, `case "$1" in
--query-gpu=*) echo "0, GPU-11, NVIDIA H200, 61440, 143771, 93"; echo "1, GPU-22, Tesla K80, [N/A], [N/A], [N/A]";;
--query-compute-apps=*) echo "GPU-11, `+"$PPID"+`, 61000"; echo "GPU-11, 999999999, [Not Found]"; echo "GPU-99, 1, 5";;
esac`)
	found, none := gpus(context.Background())
	if none != "" || len(found) != 2 {
		t.Fatalf("%d found: %s", len(found), none)
	}
	a, b := found[0], found[1]
	if a.Name != "NVIDIA H200" || a.Used != 61440<<20 || a.Total != 143771<<20 || a.Load != 93 {
		t.Errorf("first: %+v", a)
	}
	if b.Index != 1 || b.Used != -1 || b.Total != -1 || b.Load != -1 || len(b.Holders) != 0 {
		t.Errorf("second: %+v", b)
	}
	if len(a.Holders) != 2 {
		t.Fatalf("holders: %+v", a.Holders)
	}
	us, gone := a.Holders[0], a.Holders[1]
	if us.PID != os.Getpid() || us.User == "" || time.Since(us.Since) > time.Hour || us.Since.After(time.Now()) {
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
			if found, none := gpus(context.Background()); len(found) != 0 || none == "" {
				t.Errorf("%v %q", found, none)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	if _, none := gpus(context.Background()); none == "" {
		t.Error("no nvidia-smi is not explained")
	}
}

func FuzzParseGPUs(f *testing.F) {
	f.Add("0, GPU-1, NVIDIA, 1, 2, 3\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, out string) {
		for _, g := range parseGPUs(out) {
			if g.Used < -1 || g.Load < -1<<31 {
				t.Errorf("%+v", g)
			}
		}
		addHolders([]GPU{{UUID: "GPU-1"}}, out)
	})
}
