package gpu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The form of both lists is that of the MIG user guide.
const (
	migGPUs = "0, GPU-00000000-0000-0000-0000-000000000000, NVIDIA A100-SXM4-80GB, 81920, 87, [N/A], 550.54.15\n" +
		"1, GPU-00000001-0000-0000-0000-000000000000, NVIDIA A10, 24564, 4, 0, 550.54.15\n"
	migList = `GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-00000000-0000-0000-0000-000000000000)
  MIG 3g.40gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.10gb+me  Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
  MIG 1c.3g.40gb  Device  2: (UUID: MIG-GPU-old/1/0)
GPU 1: NVIDIA A10 (UUID: GPU-00000001-0000-0000-0000-000000000000)
`
	sliceA, sliceB = "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb"
)

// cutBox is a box whose GPU 0 is cut into two slices.
func cutBox(t *testing.T) *box {
	b := newBox(t, 0)
	b.write("gpus", migGPUs)
	b.write("list", migList)
	path := filepath.Join(b.dir, "bin", "nvidia-smi")
	script, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte(strings.Replace(string(script), "esac", "-L) exec cat list ;;\nesac", 1)), 0o755))
	t.Setenv("CYTORUN_SLOTS", "9")
	return b
}

func TestSlicesAreLeasedInPlaceOfTheirGPU(t *testing.T) {
	b := cutBox(t)
	ds, err := Discover(t.Context())
	must(t, err)
	var got []string
	for _, d := range ds {
		got = append(got, fmt.Sprintf("%s %s %d", d.Label(), d.Name, d.Total>>30))
	}
	if want := "0:0 NVIDIA A100-SXM4-80GB MIG 3g.40gb 40, 0:1 NVIDIA A100-SXM4-80GB MIG 1g.10gb+me 10, 1 NVIDIA A10 23"; strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
	if g := take(t, "a", Request{Names: []string{"0:1"}}); g.UUIDs()[0] != sliceB {
		t.Errorf("%v", g.UUIDs())
	}
	if g := take(t, "b", Request{Names: []string{"MIG-c6d4"}}); g.UUIDs()[0] != sliceA {
		t.Errorf("%v", g.UUIDs())
	}
	if _, err := enter(t, "c", Request{Names: []string{"0"}}); err == nil || !strings.Contains(err.Error(), "there is no GPU 0, it has GPU 0:0 ("+sliceA+"), 0:1 ("+sliceB+"), 1 (") {
		t.Error(err)
	}
	b.start(child{Run: "d", Request: Request{Names: []string{"0:1"}}})
	b.await("d", "waits", "waiting for GPU 0:1: GPU 0:1 has run a of ")
}

func TestAProcessOnACutGPUMayBeOnAnySlice(t *testing.T) {
	b := cutBox(t)
	b.start(child{Run: "a", Request: Request{Names: []string{"0:0"}}, Hold: time.Hour})
	b.await("a", "has", sliceA)
	box := Look(t.Context())
	if len(box.GPUs) != 3 || len(box.GPUs[0].Leases) != 1 {
		t.Fatalf("%+v", box.GPUs)
	}
	// The driver tells of it on the whole GPU.
	b.processes(fmt.Sprintf("%s, %d, 300", uuid(0), box.GPUs[0].Leases[0].PID))
	if box = Look(t.Context()); !box.GPUs[1].Free() || len(box.GPUs[0].Foreign) > 0 || len(box.GPUs[1].Foreign) > 0 {
		t.Errorf("%+v", box.GPUs)
	}
	stranger := exec.Command("sleep", "1000")
	must(t, stranger.Start())
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	b.processes(fmt.Sprintf("%s, %d, 300", uuid(0), stranger.Process.Pid))
	if box = Look(t.Context()); box.GPUs[1].Free() || !box.GPUs[2].Free() {
		t.Errorf("%+v", box.GPUs)
	}
}

func TestProfilesTellTheirMemory(t *testing.T) {
	for profile, want := range map[string]int64{"1g.5gb": 5 << 30, "1c.3g.20gb": 20 << 30, "7g.80gb+me": 80 << 30, "1g": -1, "": -1, "1g.0gb": -1, "1g.-5gb": -1} {
		if got := profileMemory(profile); got != want {
			t.Errorf("%q: %d, want %d", profile, got, want)
		}
	}
}

func FuzzSlices(f *testing.F) {
	f.Add(migList)
	f.Add("GPU 0: x (UUID: GPU-00000000-0000-0000-0000-000000000000)\n  MIG \x1b[31m Device 9: (UUID: MIG-../x)\n")
	f.Fuzz(func(t *testing.T, out string) {
		for _, d := range addSlices(devices(2), out) {
			if !validUUID(d.UUID) || strings.ContainsAny(d.Name, "\x1b\n") || d.Total < -1 || d.Whole != "" && !isLabel(d.Label()) {
				t.Errorf("%+v", d)
			}
		}
	})
}
