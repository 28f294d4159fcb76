package gpu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

func TestParseDevices(t *testing.T) {
	ds := parseDevices(`1, GPU-bbbb, NVIDIA A100-SXM4-80GB, 81920, 4, 0, 550.54.15
0, GPU-aaaa, Tesla V100, 16384, 12000, 97, 550.54.15
2, GPU-cccc, NVIDIA GB10, [N/A], [N/A], [N/A], 580.1
3, GPU-dddd, ` + "\x1b[31mevil\x1b[0m" + `, [Unknown Error], [Unknown Error], [Unknown Error], 550
4, ../../etc/passwd, x, 1, 1, 1, 1
0, GPU-aaaa, Tesla V100, 16384, 12000, 97, 550.54.15
Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.
`)
	want := []Device{
		{Index: 0, UUID: "GPU-aaaa", Name: "Tesla V100", Driver: "550.54.15", Total: 16384 << 20, Used: 12000 << 20, Load: 97},
		{Index: 1, UUID: "GPU-bbbb", Name: "NVIDIA A100-SXM4-80GB", Driver: "550.54.15", Total: 81920 << 20, Used: 4 << 20},
		{Index: 2, UUID: "GPU-cccc", Name: "NVIDIA GB10", Driver: "580.1", Total: -1, Used: -1, Load: -1},
		{Index: 3, UUID: "GPU-dddd", Name: ds[3].Name, Driver: "550", Total: -1, Used: -1, Load: -1, Lost: true},
	}
	if fmt.Sprintf("%+v", ds) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", ds, want)
	}
	if strings.Contains(ds[3].Name, "\x1b") {
		t.Errorf("name %q", ds[3].Name)
	}
}

func TestProcessesAreFoundWithTheirUserAndTime(t *testing.T) {
	b := newBox(t, 2)
	p := exec.Command("sleep", "1000")
	must(t, p.Start())
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	b.processes(fmt.Sprintf("%s, %d, 300", uuid(1), p.Process.Pid), uuid(1)+", 4194305, [N/A]", "GPU-other, 1, 5", "no, line")
	within(t, 5*time.Second, "the program is sleep", func() bool {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.Process.Pid))
		return string(comm) == "sleep\n"
	})
	ds, err := Discover(t.Context())
	must(t, err)
	if len(ds) != 2 || len(ds[0].Processes) != 0 || len(ds[1].Processes) != 2 {
		t.Fatalf("%+v", ds)
	}
	seen, unseen := ds[1].Processes[0], ds[1].Processes[1]
	if seen.Name != "sleep" || seen.UID != os.Getuid() || seen.Used != 300<<20 || time.Since(seen.Since) > time.Minute || seen.gone() {
		t.Errorf("%+v", seen)
	}
	if unseen.Name != "" || unseen.UID != -1 || unseen.Used != -1 || !unseen.Since.IsZero() || unseen.gone() {
		t.Errorf("%+v", unseen)
	}
	if s := unseen.String(); s != "a process that cannot be seen (pid 4194305)" {
		t.Errorf("%q", s)
	}
	must(t, p.Process.Kill())
	_ = p.Wait()
	if !seen.gone() {
		t.Error("a process that ended is not gone")
	}
}

// init lets the test binary stand in for a program whose first thread ends while
// others compute.
func init() {
	if os.Getenv("CYTORUN_TEST_FIRST_THREAD") == "" {
		return
	}
	runtime.LockOSThread()
	go time.Sleep(time.Hour)
	_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

func TestAProgramWhoseFirstThreadEndedStillComputes(t *testing.T) {
	b := newBox(t, 1)
	p := exec.Command("/proc/self/exe")
	p.Env = append(os.Environ(), "CYTORUN_TEST_FIRST_THREAD=1")
	must(t, p.Start())
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	within(t, 20*time.Second, "the first thread has ended", func() bool {
		proc, err := runner.ReadProc(p.Process.Pid)
		return err == nil && proc.State == 'Z'
	})
	b.processes(fmt.Sprintf("%s, %d, 300", uuid(0), p.Process.Pid))
	ds, err := Discover(t.Context())
	must(t, err)
	if len(ds) != 1 || len(ds[0].Processes) != 1 || ds[0].Processes[0].UID != os.Getuid() || ds[0].Processes[0].gone() {
		t.Fatalf("%+v", ds)
	}
	b.start(child{Run: "a", Request: Request{Count: 1}})
	b.await("a", "waits", fmt.Sprintf("(pid %d) of %s", p.Process.Pid, userName(os.Getuid())))
	b.processes()
	must(t, p.Process.Kill())
	_ = p.Wait()
	b.await("a", "ends", uuid(0))
}

func TestAProcessBelongsToTheRunAboveIt(t *testing.T) {
	// keep starts a shell that starts the program; keep's own parent is gone.
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "keep"), []byte("#!/bin/sh\necho $$ >keep.tmp; mv keep.tmp keep.pid\nsh -c 'sleep 1000 & echo $! >sleep.tmp; mv sleep.tmp sleep.pid; wait' & wait\n"), 0o755))
	// The kernel shows it as cytorun keep FOLDER; the shell runs the file keep.
	cmd := exec.Command("/bin/sh")
	cmd.Args = []string{"cytorun", "keep", filepath.Join(dir, "20261120-143205-k7qd")}
	cmd.Dir = dir
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid := 0
	within(t, 5*time.Second, "the program runs", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "sleep.pid"))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		return err == nil
	})
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if !below(pid, Holder{Run: "20261120-143205-k7qd"}) {
		t.Error("a process below its keeper is strange")
	}
	if below(pid, Holder{Run: "20261120-143205-xxxx"}) || below(pid, Holder{}) || below(1, Holder{}) || below(-5, Holder{}) {
		t.Error("a process belongs to a run that is not above it")
	}
	me := newHolder("x", 0, time.Now(), 0)
	if !below(pid, me) {
		t.Error("a process below the one that took the lease is strange")
	}
	me.Start = "1"
	if below(pid, me) {
		t.Error("a reused pid is taken for the holder")
	}
}

func TestAMDIsNamed(t *testing.T) {
	file := func(root, path, content string) {
		path = filepath.Join(root, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	kfd := t.TempDir()
	file(kfd, "sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 64\nsimd_count 0\n")
	for i := 1; i < 3; i++ {
		file(kfd, fmt.Sprintf("sys/class/kfd/kfd/topology/nodes/%d/properties", i), "cpu_cores_count 0\nsimd_count 440\n")
		file(kfd, fmt.Sprintf("sys/class/kfd/kfd/topology/nodes/%d/name", i), "gfx90a\n")
	}
	drm := t.TempDir()
	file(drm, "sys/class/drm/card0/device/vendor", "0x1002\n")
	file(drm, "sys/class/drm/card1/device/vendor", "0x10de\n")
	for root, want := range map[string]string{kfd: "2 AMD GPUs (gfx90a)", drm: "an AMD GPU", t.TempDir(): ""} {
		if got := AMD(root); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNamesAndMemoryOfTheCommandLine(t *testing.T) {
	for s, want := range map[string][]string{
		"0": {"0"}, "0,2": {"0", "2"}, " 1 , GPU-5d3f ": {"1", "GPU-5d3f"},
		"": nil, ",": nil, "0,,1": nil, "0,0": nil, "-1": nil, "a b": nil, "../x": nil,
	} {
		got, err := ParseNames(s)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for s, want := range map[string]int64{
		"8G": 8 << 30, "8gb": 8 << 30, "7.5GiB": 15 << 29, "800M": 800 << 20, " 2 g ": 2 << 30,
		"8": 0, "": 0, "G": 0, "-1G": 0, "0G": 0, "8K": 0, "NaNG": 0, "1e99G": 0, "infG": 0,
	} {
		got, err := ParseMemory(s)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
}

func TestAmountsOfMemoryAreWrittenAsTheyAreRead(t *testing.T) {
	for _, s := range []string{"8G", "800M", "1536M", "2048G", "1M"} {
		n, err := ParseMemory(s)
		if err != nil || FormatMemory(n) != s {
			t.Errorf("%s: %d, %s, %v", s, n, FormatMemory(n), err)
		}
	}
}

func TestTimesAreToldWithTheDayWhereItIsAnother(t *testing.T) {
	now := time.Date(2026, 11, 20, 14, 5, 0, 0, time.Local)
	for want, at := range map[string]time.Time{
		"14:02": now.Add(-3 * time.Minute), "Wed 14:05": now.AddDate(0, 0, -2), "Sat 01:05": now.Add(11 * time.Hour), "1 Nov 14:05": now.AddDate(0, 0, -19),
	} {
		if got := clock(at, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzSMI(f *testing.F) {
	f.Add("0, GPU-aaaa, Tesla V100, 16384, 12000, 97, 550.54.15\n", "GPU-aaaa, 1, 300\n")
	f.Add("0,GPU-a,,,,,\n", "GPU-a,99999999999999999999,\n")
	f.Fuzz(func(t *testing.T, gpus, processes string) {
		ds := parseDevices(gpus)
		addProcesses(ds, processes)
		for _, d := range ds {
			if d.Index < 0 || !validUUID(d.UUID) || strings.ContainsAny(d.Name+d.Driver, "\n\x1b") || d.Total < -1 {
				t.Errorf("%+v", d)
			}
			for _, p := range d.Processes {
				if p.PID <= 0 || strings.ContainsAny(p.String(), "\n\x1b") {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add("0,GPU-5d3f", "8G")
	f.Fuzz(func(t *testing.T, names, memory string) {
		if ns, err := ParseNames(names); err == nil {
			for _, n := range ns {
				if n == "" || strings.ContainsAny(n, "/, \n\x00") {
					t.Errorf("%q", n)
				}
			}
		}
		if n, err := ParseMemory(memory); err == nil && n < 0 {
			t.Error(n)
		}
	})
}

func FuzzContent(f *testing.F) {
	f.Add([]byte(`{"schema":1,"pid":1,"run":"x","since":"2026-11-20T14:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Holder
		if decode(b, &h) && h.Schema != schema {
			t.Errorf("%+v", h)
		}
		var w wish
		decode(b, &w)
		for _, r := range parseUsage(b) {
			if r.Run == "" || r.Ended.Before(r.Started) || strings.ContainsAny(r.User+r.Algorithm, "\n\x1b") {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestGPUsAreCountedWithoutTheirTool(t *testing.T) {
	b := newBox(t, 3)
	if n := count(t.Context(), Discover); n != 3 {
		t.Errorf("nvidia-smi lists %d", n)
	}
	b.write("fail", "broken\n")
	if n := count(t.Context(), Discover); n != 0 {
		t.Errorf("a broken nvidia-smi lists %d", n)
	}
	defer func(d string) { driverFolder = d }(driverFolder)
	driverFolder = t.TempDir()
	for _, pci := range []string{"0000:01:00.0", "0000:41:00.0"} {
		must(t, os.Mkdir(filepath.Join(driverFolder, pci), 0o755))
	}
	if n := count(t.Context(), Discover); n != 2 {
		t.Errorf("the driver lists %d", n)
	}
}
