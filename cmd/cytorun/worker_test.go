package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/runner"
)

// workerBox is a box of one person with a profile for an EXACT server.
type workerBox struct {
	t    *testing.T
	s    *exacttest.Server
	demo exacttest.Demo
	env  []string
	dir  string
}

const outlinesPackage = "org.cytorun.demo.outlines"

// newWorkerBox logs in and binds the plugin of a program of the demo, which
// takes so many seconds longer.
func newWorkerBox(t *testing.T, seconds int) *workerBox {
	t.Helper()
	s := exacttest.Start(t, exacttest.Options{})
	b := &workerBox{t: t, s: s, demo: s.AddDemo(), dir: t.TempDir()}
	b.env = append(os.Environ(), "HOME="+b.dir, "CYTORUN_LEASES="+filepath.Join(b.dir, "leases"),
		"XDG_CONFIG_HOME="+filepath.Join(b.dir, "config"), "XDG_DATA_HOME="+filepath.Join(b.dir, "data"),
		"XDG_STATE_HOME="+filepath.Join(b.dir, "state"), "XDG_CACHE_HOME="+filepath.Join(b.dir, "cache"))
	t.Cleanup(func() { // nothing may write into the folder when it is removed
		b.eventually("its supervisors are gone", func() bool {
			for _, r := range b.runs() {
				if runner.Supervised(r.Folder) {
					return false
				}
			}
			return true
		})
	})
	example, err := os.ReadFile("../../docs/exact-descriptor.example.json")
	if err != nil {
		t.Fatal(err)
	}
	example = bytes.Replace(example, []byte(`"default-value": 0, "minimum": 0, "maximum": 3600`),
		fmt.Appendf(nil, `"default-value": %d, "minimum": 0, "maximum": 3600`, seconds), 1)
	b.write("data/cytorun/descriptors/outlines.json", string(example))
	b.write("allow", outlinesPackage+" process\n")
	login := b.command("login", s.URL, "--name", "lab", "--user", "worker")
	login.Stdin = strings.NewReader(s.Token("worker") + "\n")
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("login: %v: %s", err, out)
	}
	return b
}

func (b *workerBox) write(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// jobs makes a plugin of a package and a job on each of n new images.
func (b *workerBox) jobs(n int, pkg string) []int {
	plugin := b.s.AddPlugin(exacttest.Plugin{Name: "Outlines", Package: pkg, Products: []int{b.demo.Product}})
	var ids []int
	for i := range n {
		im := b.s.AddImage(b.demo.Set, exacttest.Image{Name: fmt.Sprintf("cells%d.png", i), Width: 240, Height: 180, Content: cells(240, 180)})
		ids = append(ids, b.s.AddJob(im, plugin, b.demo.Plain))
	}
	return ids
}

// cells is a picture of dark discs.
func cells(w, h int) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{230})
			if dx, dy := x%80-40, y%80-40; dx*dx+dy*dy < 200 {
				m.SetGray(x, y, color.Gray{40})
			}
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, m)
	return out.Bytes()
}

func (b *workerBox) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env, cmd.Dir = b.env, b.dir
	return cmd
}

// run runs cytorun to its end and returns what it said.
func (b *workerBox) run(args ...string) string {
	b.t.Helper()
	out, err := b.command(args...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("cytorun %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start runs a worker in the background.
func (b *workerBox) start(args ...string) (cmd *exec.Cmd, said *bytes.Buffer) {
	b.t.Helper()
	cmd, said = b.command(append([]string{"worker", "-S", "lab", "--allow", "allow"}, args...)...), &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, said
}

func (b *workerBox) runs() []runner.Run {
	store, err := runner.OpenStore(filepath.Join(b.dir, "state/cytorun/runs"))
	if err != nil {
		b.t.Fatal(err)
	}
	runs, err := store.List()
	if err != nil {
		b.t.Fatal(err)
	}
	return runs
}

func (b *workerBox) eventually(what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not after a minute: %s; jobs %+v", what, b.s.Jobs())
		}
	}
}

// onceEach checks that jobs were done, by one run each.
func (b *workerBox) onceEach(jobs []int) {
	b.t.Helper()
	by := map[int]int{}
	for _, r := range b.runs() {
		by[int(r.Job)]++
		if r.State != runner.Succeeded {
			b.t.Errorf("run %s of job %d %s: %s", r.ID, r.Job, r.State, r.Reason)
		}
	}
	for _, id := range jobs {
		if j, _ := b.s.Job(id); by[id] != 1 || j.Complete != 100 || j.Worker != "" || j.Error != "" || j.Result == 0 {
			b.t.Errorf("%d runs of job %+v", by[id], j)
		}
	}
	if b.s.Len("pluginresultannotations") == 0 {
		b.t.Error("no annotations")
	}
}

func TestWorkerRunsWhatWaitsAndIsAllowed(t *testing.T) {
	t.Parallel()
	b := newWorkerBox(t, 0)
	// Two plugins claim one package; a third is of another.
	mine := append(b.jobs(2, outlinesPackage), b.jobs(1, outlinesPackage)...)
	other := b.jobs(1, "org.example.other")
	out := b.run("worker", "-S", "lab", "--allow", "allow", "--once", "--slots", "2")
	b.onceEach(mine)
	if j, _ := b.s.Job(other[0]); j.Worker != "" || j.Complete != 0 {
		t.Errorf("the other job is %+v", j)
	}
	if !strings.Contains(out, fmt.Sprintf("took job %d: Outlines on cells0.png", mine[0])) {
		t.Errorf("it said %s", out)
	}
	if out := b.run("worker", "status", "--json"); !strings.Contains(out, "(org.example.other) is not on the allow-list") || !strings.Contains(out, `"done": 3`) {
		t.Errorf("status %s", out)
	}
}

func TestWorkerThatIsKilledLeavesItsRunsToTheNext(t *testing.T) {
	t.Parallel()
	b := newWorkerBox(t, 2)
	jobs := b.jobs(2, outlinesPackage)
	first, _ := b.start()
	b.eventually("a run begins", func() bool { return len(b.runs()) == 1 && b.runs()[0].State == runner.Running })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	out := b.run("worker", "-S", "lab", "--allow", "allow", "--once")
	b.onceEach(jobs)
	if !strings.Contains(out, "goes on") {
		t.Errorf("the second said %s", out)
	}
}

func TestWorkerDrainsAtTheFirstSignalAndEndsAtTheSecond(t *testing.T) {
	t.Parallel()
	b := newWorkerBox(t, 2)
	jobs := b.jobs(3, outlinesPackage)
	w, said := b.start()
	began := func(n int) func() bool {
		return func() bool {
			runs := b.runs()
			return len(runs) == n && (runs[0].State == runner.Running || runs[n-1].State == runner.Running)
		}
	}
	b.eventually("a run begins", began(1))
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, said)
	}
	if runs := b.runs(); len(runs) != 1 || runs[0].State != runner.Succeeded {
		t.Fatalf("runs %+v", runs)
	}

	w, said = b.start()
	b.eventually("another run begins", began(2))
	for range 2 {
		if err := w.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // two signals at once are one
	}
	if err := w.Wait(); err != nil || !strings.Contains(said.String(), "analyses that run go on by themselves") {
		t.Errorf("it ended with %v: %s", err, said)
	}
	b.run("worker", "-S", "lab", "--allow", "allow", "--once")
	b.onceEach(jobs)
}

func TestWorkerStopsWhatWasDeletedOnTheServer(t *testing.T) {
	t.Parallel()
	b := newWorkerBox(t, 60)
	jobs := b.jobs(1, outlinesPackage)
	w, _ := b.start()
	b.eventually("a run begins", func() bool { return len(b.runs()) == 1 && b.runs()[0].State == runner.Running })
	b.s.StopJob(jobs[0])
	b.eventually("it is cancelled", func() bool { return b.runs()[0].State == runner.Cancelled })
	_ = w.Process.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
	if _, ok := b.s.Job(jobs[0]); ok || b.s.Len("pluginresults") > 0 {
		t.Error("something came back")
	}
}

func TestWorkerReplacesASupervisorThatWasKilled(t *testing.T) {
	t.Parallel()
	b := newWorkerBox(t, 2)
	jobs := b.jobs(1, outlinesPackage)
	w, _ := b.start()
	b.eventually("a run begins", func() bool { return len(b.runs()) == 1 && b.runs()[0].State == runner.Running })
	holder, err := os.ReadFile(filepath.Join(b.runs()[0].Folder, runner.LockFile))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(holder))[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.eventually("the job is done", func() bool { j, _ := b.s.Job(jobs[0]); return j.Complete == 100 && j.Worker == "" })
	_ = w.Process.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
	b.onceEach(jobs)
}

func TestWorkerServesExactOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := &workerBox{t: t, dir: dir, env: append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir,
		"CYTOMINE_HOST=http://127.0.0.1:1", "CYTOMINE_PUBLIC_KEY=a", "CYTOMINE_PRIVATE_KEY=b")}
	b.write("allow", "")
	out, err := b.command("worker", "--allow", "allow").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), "AMQP") {
		t.Errorf("%v: %s", err, out)
	}
	for args, want := range map[string]string{
		"worker": "--allow names the file", "worker --allow allow --reclaim 5m": "at least 1h", "worker --allow allow --hours 8": "write them as 18:00-08:00",
		"worker --allow allow --slots 0": "1 or more",
	} {
		out, err := b.command(strings.Fields(args)...).CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", args, err, out)
		}
	}
}
