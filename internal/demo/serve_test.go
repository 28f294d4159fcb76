package demo

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/embedded"
)

// start runs the demo's server in this process until the test ends or stop is
// called.
func start(t *testing.T, dir string) (c connection, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, dir, executable(t), ln, 0, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	began := time.Now()
	for url := "http://" + ln.Addr().String(); c.URL != url || !c.answers(); time.Sleep(time.Millisecond) {
		if c, err = readConnection(dir); err != nil || time.Since(began) > time.Minute {
			t.Fatalf("the server does not come up: %v", err)
		}
	}
	t.Logf("up in %v", time.Since(began))
	return c, stop
}

// filledFolder is a data folder that was filled once for all tests.
var (
	filledFolder string
	fillOnce     sync.Once
)

// filled gives a copy of it: drawing and storing images takes long, most of all
// under the race detector.
func filled(t *testing.T) string {
	t.Helper()
	fillOnce.Do(func() {
		dir, err := os.MkdirTemp("", "cytorun-demo-*")
		if err != nil {
			t.Fatal(err)
		}
		filledFolder = dir
		_, stop := start(t, dir)
		stop()
		if err := os.Remove(connectionFile(dir)); err != nil {
			t.Fatal(err)
		}
	})
	dir := filepath.Join(t.TempDir(), "demo")
	if err := os.CopyFS(dir, os.DirFS(filledFolder)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lab is the demo's server, up in this process, and what a launcher knows.
type lab struct {
	t       *testing.T
	ctx     context.Context
	url     string
	site    *cytomine.Client
	project client.Project
}

func newLab(t *testing.T, dir string) *lab {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c, _ := start(t, dir)
	site, err := cytomine.New(c.profile(), c.keys(), cytomine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	project, err := site.Project(ctx, c.Project)
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t, ctx, c.URL, site, project}
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// algorithm finds an algorithm by the word that starts its command line.
func (l *lab) algorithm(program string) client.Algorithm {
	l.t.Helper()
	all, err := l.site.Algorithms(l.ctx, l.project.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, a := range all {
		if strings.HasPrefix(a.CommandLine, program+" ") {
			return a
		}
	}
	l.t.Fatalf("no algorithm for %s among %d", program, len(all))
	return client.Algorithm{}
}

// ids of images or terms by name, joined with commas.
func (l *lab) ids(uri, field string, names ...string) string {
	l.t.Helper()
	known := map[string]string{}
	err := l.site.Options(l.ctx, client.OptionQuery{URI: uri, Project: l.project}, func(page []client.Option) error {
		for _, o := range page {
			known[o.Fields.Get(field)] = strconv.FormatInt(int64(o.ID), 10)
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for _, n := range names {
		if known[n] == "" {
			l.t.Fatalf("%s has no %s", uri, n)
		}
		out = append(out, known[n])
	}
	return strings.Join(out, ",")
}

func (l *lab) images(names ...string) string {
	return l.ids("/api/project/$currentProject$/imageinstance.json", "instanceFilename", names...)
}

func (l *lab) term(name string) string {
	return l.ids("/api/ontology/$currentOntology$/term.json", "name", name)
}

// run starts a program as a launcher does: it makes the job, takes the keys of
// its user, and appends args. prefix is what stands before the program's name.
func (l *lab) run(prefix []string, program string, args ...string) (client.Job, string, error) {
	l.t.Helper()
	algorithm := l.algorithm(program)
	job, err := l.site.CreateJob(l.ctx, client.NewJob{Project: l.project.ID, Algorithm: algorithm.ID})
	if err != nil {
		l.t.Fatal(err)
	}
	keys, err := l.site.JobKeys(l.ctx, job)
	if err != nil {
		l.t.Fatal(err)
	}
	argv := append(append([]string{}, prefix...), program,
		"--cytomine_host", l.url, "--cytomine_public_key", keys.Public, "--cytomine_private_key", keys.Private,
		"--cytomine_id_project", strconv.FormatInt(int64(l.project.ID), 10),
		"--cytomine_id_software", strconv.FormatInt(int64(algorithm.ID), 10))
	argv = append(argv, args...)
	start := time.Now()
	out, failed := exec.CommandContext(l.ctx, argv[0], argv[1:]...).CombinedOutput()
	l.t.Logf("%s %v took %v", program, args, time.Since(start))
	if strings.Contains(string(out), keys.Private) {
		l.t.Error("the log holds the private key")
	}
	if job, err = l.site.Job(l.ctx, job.ID); err != nil {
		l.t.Fatal(err)
	}
	return job, string(out), failed
}

// process is how a program starts without a container.
func process(t *testing.T) []string { return []string{executable(t), "demo-program"} }

func (l *lab) counts(job client.Job) map[string]client.TermCount {
	l.t.Helper()
	all, err := l.site.AnnotationCounts(l.ctx, job)
	if err != nil {
		l.t.Fatal(err)
	}
	out := map[string]client.TermCount{}
	for _, c := range all {
		out[c.Name] = c
	}
	return out
}

// file reads a result file of a job.
func (l *lab) file(job client.Job, name string) []byte {
	l.t.Helper()
	files, err := l.site.JobFiles(l.ctx, job.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range files {
		if f.Name == name {
			r, err := l.site.OpenJobFile(l.ctx, f.ID)
			if err != nil {
				l.t.Fatal(err)
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if err != nil {
				l.t.Fatal(err)
			}
			return data
		}
	}
	l.t.Fatalf("job %d has no file %s, only %v", job.ID, name, files)
	return nil
}

func TestProgramsWorkOnTheDemosServer(t *testing.T) {
	l := newLab(t, filled(t))
	t.Run("nuclei finds with its defaults what scikit-image finds", func(t *testing.T) {
		for image, want := range map[string]int{"cell.png": 1, "ihc.png": 21, "field-1.png": 24, "fluo-2.png": 120} {
			job, out, err := l.run(process(t), "nuclei", "--images", l.images(image), "--term", l.term("nucleus"))
			if err != nil || job.Status != client.Success || job.Progress != 100 {
				t.Fatalf("%s: %v, %v %d %%: %s\n%s", image, err, job.Status, job.Progress, job.Comment, out)
			}
			if got := l.counts(job)["nucleus"]; got.Count != want || got.Area <= 0 {
				t.Errorf("%s: %+v on the server, want %d\n%s", image, got, want, out)
			}
			if image == "cell.png" && !strings.Contains(out, "threshold 122 ") {
				t.Errorf("another threshold than 122:\n%s", out)
			}
		}
	})
	t.Run("nuclei takes all its parameters", func(t *testing.T) {
		job, out, err := l.run(process(t), "nuclei", "--images", l.images("ihc.png", "cell.png"), "--sigma", "2.5",
			"--method", "manual", "--threshold", "150", "--objects", "dark", "--min_size", "100", "--exclude_border", "true")
		if err != nil || job.Status != client.Success || l.counts(job)[""].Count == 0 {
			t.Errorf("%v, %v: %s %v\n%s", err, job.Status, job.Comment, l.counts(job), out)
		}
	})
	t.Run("a failure reaches the server", func(t *testing.T) {
		job, out, err := l.run(process(t), "nuclei", "--images", "1")
		if err == nil || job.Status != client.Failed || !strings.Contains(job.Comment, "no image 1") {
			t.Errorf("%v, %v: %s\n%s", err, job.Status, job.Comment, out)
		}
	})
	t.Run("stain measures the stain into a table", func(t *testing.T) {
		day := time.Now().UTC().Add(-48 * time.Hour).Format(time.DateOnly)
		for range 2 { // the property exists the second time
			job, out, err := l.run(process(t), "stain", "--images", l.images("ihc.png", "field-1.png"), "--stain", "DAB",
				"--tile", "128", "--added_after", day, "--mark_positive", "true", "--term", l.term("positive"))
			if err != nil || job.Status != client.Success {
				t.Fatalf("%v, %v: %s\n%s", err, job.Status, job.Comment, out)
			}
			rows, err := csv.NewReader(strings.NewReader(string(l.file(job, "density.csv")))).ReadAll()
			if err != nil || len(rows) != 1+(1+16)+(1+4) {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			if l.counts(job)["positive"].Count == 0 {
				t.Errorf("no positive tiles on a stained section\n%s", out)
			}
		}
		job, _, err := l.run(process(t), "stain", "--added_after", "2999-01-01")
		if err == nil || job.Status != client.Failed {
			t.Errorf("images of the future: %v, %v", err, job.Status)
		}
	})
	t.Run("train leaves a model that another training goes on from", func(t *testing.T) {
		args := []string{"--images", l.images("ihc.png", "field-1.png"), "--epochs", "4", "--samples", "1000", "--learning_rate", "1e-2"}
		job, out, err := l.run(process(t), "train", args...)
		if err != nil || job.Status != client.Success || !strings.Contains(out, "\rEpoch 1/4:") {
			t.Fatalf("%v, %v: %s\n%q", err, job.Status, job.Comment, out)
		}
		model := l.file(job, "model.json")
		if !json.Valid(model) {
			t.Errorf("no model: %s", model)
		}
		again, _, err := l.run(process(t), "train", args...)
		if err != nil || string(l.file(again, "model.json")) != string(model) {
			t.Errorf("the same seed gives another model (%v)", err)
		}
		job, out, err = l.run(process(t), "train", append(args, "--initial_job", strconv.FormatInt(int64(job.ID), 10))...)
		if err != nil || !strings.Contains(out, "going on from") {
			t.Errorf("%v: %s\n%s", err, job.Comment, out)
		}
	})
	t.Run("train fails as asked", func(t *testing.T) {
		args := []string{"--images", l.images("field-1.png"), "--epochs", "3", "--samples", "200", "--failure"}
		for _, c := range []struct {
			how    string
			status client.Status
			code   int
			signal syscall.Signal
			says   string
		}{
			{"reported error", client.Failed, 1, 0, "ERROR: training stopped in epoch 2"},
			{"exit code 7", client.Running, 7, 0, "WARNING"},
			{"crash", client.Running, 2, 0, "panic: runtime error: index out of range"},
			{"killed", client.Running, -1, syscall.SIGKILL, "WARNING"},
		} {
			job, out, err := l.run(process(t), "train", append(args, c.how)...)
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("%s: %v\n%s", c.how, err, out)
			}
			ws := exit.Sys().(syscall.WaitStatus)
			if exit.ExitCode() != c.code || ws.Signaled() && ws.Signal() != c.signal || job.Status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("%s: %v, job %v\n%s", c.how, err, job.Status, out)
			}
		}
	})
	t.Run("wrong arguments and keys of a person are refused", func(t *testing.T) {
		_, out, err := l.run(process(t), "nuclei", "--sigma", "-1")
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(out, "not between") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestApptainerRunsAnAnalysis(t *testing.T) {
	apptainer, err := exec.LookPath("apptainer")
	if err != nil {
		t.Skip("no apptainer on this machine")
	}
	l := newLab(t, filled(t))
	reference := l.algorithm("nuclei").Container
	if want := strings.TrimPrefix(l.url, "http://") + "/demo/cytorun-demo:" + Version; reference != want {
		t.Fatalf("container %s, want %s", reference, want)
	}
	dir := t.TempDir()
	sif := filepath.Join(dir, "demo.sif")
	start := time.Now()
	pull := exec.CommandContext(l.ctx, apptainer, "pull", "--no-https", sif, "docker://"+reference)
	pull.Env = append(os.Environ(), "APPTAINER_CACHEDIR="+filepath.Join(dir, "cache"), "APPTAINER_TMPDIR="+dir)
	if out, err := pull.CombinedOutput(); err != nil {
		t.Fatalf("pull: %v\n%s", err, out)
	}
	t.Logf("pulled and converted in %v", time.Since(start))
	container := []string{apptainer, "-s", "exec", "-C", "-e", "--no-eval", sif, programPath, "demo-program"}
	job, out, err := l.run(container, "nuclei", "--images", l.images("ihc.png", "cell.png"), "--term", l.term("nucleus"))
	if err != nil || job.Status != client.Success || l.counts(job)["nucleus"].Count != 22 {
		t.Errorf("%v, %v: %s\n%s", err, job.Status, job.Comment, out)
	}
	job, out, err = l.run(container, "train", "--images", l.images("field-1.png"), "--samples", "200", "--failure", "killed")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGKILL) || job.Status != client.Running {
		t.Errorf("killed: %v, %v\n%s", err, job.Status, out)
	}
}

func TestPlanIsReadyToLaunch(t *testing.T) {
	l := newLab(t, filled(t))
	plan, err := Plan(l.ctx, l.site, l.project)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Sets) != 2 || plan.Algorithm.Name != "nuclei-segmentation" {
		t.Fatalf("%+v", plan)
	}
	known := map[string]bool{}
	for _, p := range plan.Algorithm.Parameters {
		known[p.ID] = true
		if p.ID == "method" && len(p.Choices) != 3 {
			t.Errorf("method has choices %q", p.Choices)
		}
	}
	for _, set := range plan.Sets {
		for _, v := range set {
			if !known[v.Parameter] || v.Text == "" {
				t.Errorf("%+v", v)
			}
		}
	}
}

func TestASecondStartAddsNothingAndFollowsItsPort(t *testing.T) {
	dir := filled(t)
	var last connection
	for round := range 2 {
		c, stop := start(t, dir)
		site, err := cytomine.New(c.profile(), c.keys(), cytomine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all, err := site.Algorithms(t.Context(), 0)
		if err != nil || len(all) != 3 {
			t.Fatalf("%d algorithms, %v", len(all), err)
		}
		for _, a := range all {
			if !strings.HasPrefix("http://"+a.Container, c.URL+"/") {
				t.Errorf("start %d: %s has container %s, the server is %s", round, a.Name, a.Container, c.URL)
			}
		}
		project, err := site.Project(t.Context(), c.Project)
		if err != nil || project.Images != len(realImages)+len(fields) {
			t.Errorf("start %d: %d images, %v", round, project.Images, err)
		}
		if round > 0 && (c.keys() != last.keys() || c.Project != last.Project) {
			t.Errorf("start %d has other keys or another project", round)
		}
		last = c
		stop()
	}
}

func TestAFillThatBrokeOffIsCompleted(t *testing.T) {
	dir := t.TempDir()
	half, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	// An ontology that no project got.
	if _, err := half.AddOntology(ctx, projectName); err != nil {
		t.Fatal(err)
	}
	project, err := half.AddProject(ctx, embedded.NewProject{Name: "another"})
	if err != nil {
		t.Fatal(err)
	}
	if err := half.Close(); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, dir)
	if l.project.Images != len(realImages)+len(fields) || l.project.ID == client.ID(project) {
		t.Errorf("%+v", l.project)
	}
	for _, term := range terms {
		l.term(term.name)
	}
}
