package supervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// product is the whole program as people run it, whose start and memory count
// here, in place of the test binary.
func product(b *testing.B) string {
	b.Helper()
	exe := filepath.Join(b.TempDir(), "cytorun")
	cmd := exec.Command("go", "build", "-o", exe, "../../cmd/cytorun")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return exe
}

func median(took []time.Duration) float64 {
	slices.Sort(took)
	return took[len(took)/2].Seconds() * 1e3
}

// anonymous is the memory of a process that nothing shares, in MB.
func anonymous(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	must(b, err)
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			must(b, err)
			return n / 1000
		}
	}
	b.Fatal("no RssAnon")
	return 0
}

func BenchmarkMemory(b *testing.B) {
	exe := product(b)
	sif := container(b)
	s := newSite(b)
	s.exe = exe
	run, started := s.running(s.launchInside(sif, "sleep"))
	super := s.supervisor(run)
	time.Sleep(4 * time.Second) // it has asked the server once by then
	bench.Report(b, "run/keep-memory", anonymous(b, started.Keep), "MB", 4, true)
	bench.Report(b, "run/supervise-memory", anonymous(b, super), "MB", 20, true)
	must(b, runner.RequestCancel(run.Folder, "bench"))
	s.ended(run, runner.Cancelled)
}

// BenchmarkOverhead compares a run, from the moment that it leaves the queue to
// the end of its program, with the same command started by hand, in turns.
func BenchmarkOverhead(b *testing.B) {
	exe := product(b)
	sif := container(b)
	s := newSite(b)
	s.exe = exe
	a, err := apptainer.Find()
	must(b, err)
	job := apptainer.Job{Container: apptainer.Container{Path: sif}, Argv: []string{"/bin/busybox", "true"}, WorkDir: filepath.Join(b.TempDir(), "work")}
	must(b, job.Prepare())
	var ours, bare, whole []time.Duration
	for range 25 {
		argv, env := a.Command(job)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = env
		began := time.Now()
		must(b, cmd.Run())
		bare = append(bare, time.Since(began))

		spec := s.inside(sif, "")
		spec.Algorithm.CommandLine = "/bin/busybox true"
		run := s.create(spec)
		began = time.Now()
		s.start(run)
		run = s.ended(run, runner.Succeeded)
		whole = append(whole, run.Result.Exit.Ended.Sub(began))
		ours = append(ours, run.Result.Exit.Ended.Sub(prepared(b, run)))
	}
	bench.Report(b, "run/overhead-over-apptainer-exec", median(ours)-median(bare), "ms", 20, true)
	b.Logf("bare %.1f ms, from the slot to the exit code %.1f ms, from the launch %.1f ms; fastest %.1f, %.1f, %.1f ms",
		median(bare), median(ours), median(whole), bare[0].Seconds()*1e3, ours[0].Seconds()*1e3, whole[0].Seconds()*1e3)
}

// prepared is when a run left the queue.
func prepared(b *testing.B, run runner.Run) time.Time {
	b.Helper()
	events, err := runner.ReadEvents(run.Folder)
	must(b, err)
	for _, e := range events {
		if e.State == runner.Preparing {
			return e.Time
		}
	}
	b.Fatal("never prepared")
	return time.Time{}
}

func BenchmarkDrain200(b *testing.B) {
	exe := product(b)
	sif := container(b)
	b.Setenv("CYTORUN_SLOTS", "2")
	s := newSite(b)
	s.exe = exe
	blockers := []runner.Run{s.launchInside(sif, "sleep"), s.launchInside(sif, "sleep")}
	var runs []runner.Run
	const n = 200
	for range n {
		spec := s.inside(sif, "")
		spec.Algorithm.CommandLine = "/bin/busybox true"
		runs = append(runs, s.create(spec))
	}
	for _, run := range runs {
		must(b, Start(run.Folder, s.exe, client.Keys{}))
	}
	within(b, "all wait", func() bool { return len(runner.Tickets(leases())) == n })
	began := time.Now()
	for _, run := range blockers {
		must(b, runner.RequestCancel(run.Folder, "bench"))
	}
	for _, run := range runs {
		s.ended(run, runner.Succeeded)
	}
	rate := n / time.Since(began).Seconds()
	if jobs := s.jobs(); len(jobs) != n+2 {
		b.Errorf("%d jobs", len(jobs))
	}
	bench.Report(b, "run/drain-200-on-2-slots", rate, "runs/s", 6, false)
}

// BenchmarkFlood compares a gigabyte of output with the same by cat to a file.
func BenchmarkFlood(b *testing.B) {
	s := newSite(b)
	const mb = 1024
	var ours, bare []time.Duration
	for range 5 {
		out := filepath.Join(b.TempDir(), "out")
		f, err := os.Create(out)
		must(b, err)
		cmd := exec.Command(s.exe, "demo-program", "flood", itoa(mb))
		cmd.Stdout = f
		began := time.Now()
		must(b, cmd.Run())
		bare = append(bare, time.Since(began))
		must(b, f.Close())
		must(b, os.Remove(out))

		run := s.create(s.spec("flood " + itoa(mb)))
		s.start(run)
		run = s.ended(run, runner.Succeeded)
		ours = append(ours, run.Result.Exit.Ended.Sub(run.Result.Exit.Started))
		st, err := os.Stat(filepath.Join(run.Folder, runner.LogFile))
		must(b, err)
		if st.Size() != mb<<20 {
			b.Errorf("log has %d bytes", st.Size())
		}
		must(b, s.store.Delete(run.ID))
	}
	bench.Report(b, "run/flood-1GB-over-a-file", 100*(median(ours)/median(bare)-1), "%", 10, true)
	b.Logf("bare %.0f ms, ours %.0f ms", median(bare), median(ours))
}
