package supervisor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/runner"
)

// BenchmarkWaiting measures what the supervisors of ten runs in the queue cost
// while nothing happens. Each shows its heartbeat every 30 seconds.
func BenchmarkWaiting(b *testing.B) {
	exe, sif := product(b), container(b)
	s := newSite(b)
	s.exe = exe
	holder, _ := s.running(s.launchInside(sif, "sleep"))
	var supers []int
	for range 10 {
		supers = append(supers, s.supervisor(s.queued(s.launch("say hi"))))
	}
	time.Sleep(2 * time.Second) // what came before is not to count
	used := func() (all time.Duration) {
		for _, pid := range supers {
			all += cpuTime(b, pid)
		}
		return all
	}
	const long = 10 * time.Second
	before := used()
	time.Sleep(long)
	per := (used() - before).Seconds() * 1000 / float64(len(supers)) / long.Seconds()
	bench.Report(b, "run/cpu-of-a-waiting-supervisor", per, "ms/s", 0.1, true)
	must(b, runner.RequestCancel(holder.Folder, "bench"))
}

// cpuTime is what the threads of a process used, from the scheduler's account.
func cpuTime(b *testing.B, pid int) (used time.Duration) {
	b.Helper()
	tasks, err := filepath.Glob("/proc/" + itoa(pid) + "/task/*/schedstat")
	must(b, err)
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		must(b, err)
		used += time.Duration(ns)
	}
	return used
}
