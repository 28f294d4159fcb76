package supervisor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/shapes"
	"github.com/cytorun/cytorun/runner"
)

func TestAFileProgramLeavesAResultOnItsImage(t *testing.T) {
	s := newExactSite(t, exacttest.Options{Skew: 2 * time.Hour})
	run := s.ended(s.file(30, ""), runner.Succeeded)
	job := s.only()
	if job.Complete != 100 || job.Worker != "" || job.Error != "" || job.Result == 0 || job.Image != s.demo.Images[0] || job.Plugin != s.plugin {
		t.Errorf("job %+v", job)
	}
	if off := job.Updated.Sub(job.Created); off < -2*time.Second || off > time.Minute {
		t.Errorf("updated %s after it was created: not the server's clock", off)
	}
	var meta struct {
		Cytorun struct {
			Run, Algorithm, Version string
			Job                     int
			Parameters              map[string]string
		}
	}
	for _, a := range s.shapes(30) {
		data, err := json.Marshal(a["meta_data"])
		must(t, err)
		must(t, json.Unmarshal(data, &meta))
		if c := meta.Cytorun; c.Run != run.ID || c.Job != job.ID || c.Version != "1.2" || c.Parameters["threshold"] != "12" {
			t.Fatalf("meta_data %s", data)
		}
	}
	if run.Result.Annotations != 30 || !run.Result.Confirmed || len(run.Result.Warnings) > 0 {
		t.Errorf("result %+v", run.Result)
	}
	within(t, "what it left is noted", func() bool { _, ok := runner.ReadOutputs(run.Folder); return ok })
	if o, _ := runner.ReadOutputs(run.Folder); len(o.Terms) != 1 || o.Terms[0].Count != 30 || o.Terms[0].Name != "Mitotic figure" {
		t.Errorf("outputs %+v", o)
	}
	if _, err := os.Stat(filepath.Join(run.Folder, "work", "home", imageDir)); err == nil {
		t.Error("the image was kept")
	}
	if _, err := os.Stat(filepath.Join(run.Folder, "work", "home", outputDir, "found.json")); err != nil {
		t.Error("what the program wrote is gone")
	}
}

func TestOrdinaryAnnotationsAreWrittenWhereTheDescriptorSaysSo(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run := s.create(s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 7", descriptor.WritesBoth))
	s.start(run)
	s.ended(run, runner.Succeeded)
	s.shapes(7)
	if n := s.fake.Len("annotations"); n != 7 {
		t.Errorf("%d ordinary annotations", n)
	}
}

func TestLostAnswersAndAnOutageLoseNothingAndDoubleNothing(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	var n atomic.Int32
	s.fake.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method == "GET" && !strings.Contains(r.Path, "download") {
			return exacttest.Fault{}
		}
		switch i := n.Add(1); {
		case strings.Contains(r.Path, "download") && i%2 == 0:
			return exacttest.Fault{Cut: 20}
		case i%5 == 0:
			return exacttest.Fault{Lose: true}
		case i%7 == 0:
			return exacttest.Fault{Fail: true}
		}
		return exacttest.Fault{}
	})
	s.ended(s.file(40, ""), runner.Succeeded)
	s.shapes(40)
	if job := s.only(); job.Complete != 100 || job.Worker != "" {
		t.Errorf("job %+v", job)
	}
}

func TestASupervisorKilledWhileItUploadsIsReplacedWithoutDoubles(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	s.fake.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method == "POST" && strings.Contains(r.Path, "pluginresultannotations") {
			return exacttest.Fault{Delay: 10 * time.Millisecond}
		}
		return exacttest.Fault{}
	})
	run := s.file(200, "")
	for _, least := range []int{10, 90} {
		within(t, "some are there", func() bool { return s.fake.Len("pluginresultannotations") >= least })
		if now, _ := runner.ReadFolder(run.Folder); now.State.Ended() {
			t.Fatal("it ended too soon")
		}
		must(t, unix.Kill(s.supervisor(run), unix.SIGKILL))
		within(t, "it is dead", func() bool { return !runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
		_, err := Recover(s.store, s.exe)
		must(t, err)
	}
	run = s.ended(run, runner.Succeeded)
	s.shapes(200)
	if s.fake.Len("pluginresults") != 1 || s.fake.Len("pluginresultentrys") != 1 || run.Result.Annotations != 200 {
		t.Errorf("%d results, %d entries, %d annotations", s.fake.Len("pluginresults"), s.fake.Len("pluginresultentrys"), run.Result.Annotations)
	}
}

func TestAJobThatIsDeletedIsCancelledHere(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run, started := s.running(s.file(5, filepath.Join(t.TempDir(), "never")))
	s.fake.StopJob(s.only().ID)
	run = s.ended(run, runner.Cancelled)
	if !strings.Contains(run.Reason, "deleted on the server") || strings.Contains(run.Reason, "cancelled") {
		t.Errorf("reason %q", run.Reason)
	}
	s.noProcess(run, started)
	s.shapes(0)
	if len(s.fake.Jobs()) != 0 {
		t.Error("the job is back")
	}
}

func TestAJobThatIsDeletedDuringTheUploadLeavesNothing(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	s.fake.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method == "POST" && strings.Contains(r.Path, "pluginresultannotations") {
			return exacttest.Fault{Delay: 20 * time.Millisecond}
		}
		return exacttest.Fault{}
	})
	run := s.file(300, "")
	within(t, "some are there", func() bool { return s.fake.Len("pluginresultannotations") >= 10 })
	s.fake.StopJob(s.only().ID)
	run = s.ended(run, runner.Cancelled)
	s.shapes(0)
	if s.fake.Len("pluginresults") != 0 {
		t.Error("half a result is left")
	}
	if !strings.Contains(run.Reason, "deleted on the server") || strings.Contains(run.Reason, "cancelled") {
		t.Errorf("reason %q", run.Reason)
	}
}

func TestAnotherWorkersJobIsLeftAlone(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run, _ := s.running(s.file(5, filepath.Join(t.TempDir(), "never")))
	id := s.only().ID
	s.fake.Set("pluginjobs", id, map[string]any{"attached_worker": "other_abc123", "processing_complete": 7.0})
	run = s.ended(run, runner.Cancelled)
	if !strings.Contains(run.Reason, "another worker has the job, other_abc123") {
		t.Errorf("reason %q", run.Reason)
	}
	if job, _ := s.fake.Job(id); job.Worker != "other_abc123" || job.Complete != 7 || job.Error != "" {
		t.Errorf("job %+v", job)
	}
	s.shapes(0)
}

func TestAClaimThatWasWipedOffIsWrittenAgain(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	gate := filepath.Join(t.TempDir(), "go")
	run, _ := s.running(s.file(3, gate))
	id := s.only().ID
	s.fake.Set("pluginjobs", id, map[string]any{"attached_worker": nil})
	within(t, "the claim is back", func() bool { j, _ := s.fake.Job(id); return strings.HasSuffix(j.Worker, "_"+run.ID) })
	must(t, os.WriteFile(gate, []byte("0"), 0o600))
	s.ended(run, runner.Succeeded)
	s.shapes(3)
}

func TestACancelledUploadLeavesNothing(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	s.fake.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method == "POST" && strings.HasSuffix(strings.TrimSuffix(r.Path, "/"), "annotations") {
			return exacttest.Fault{Delay: 20 * time.Millisecond}
		}
		return exacttest.Fault{}
	})
	run := s.create(s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 300", descriptor.WritesAnnotations))
	s.start(run)
	within(t, "some are there", func() bool { return s.fake.Len("annotations") >= 10 })
	must(t, Cancel(run, s.exe, "ann"))
	s.ended(run, runner.Cancelled)
	for _, a := range s.fake.Rows("annotations") {
		if a["deleted"] != true {
			t.Fatalf("left: %v", a)
		}
	}
	if job := s.only(); !strings.HasPrefix(job.Error, "Error: cancelled") || job.Worker != "" || job.Complete == 100 {
		t.Errorf("job %+v", job)
	}
}

func TestBadFilesAreSaidBeforeAnythingIsWritten(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run := s.create(s.exactSpec(`write [EXACT_OUTPUT] out.json {"annotations":[{"type":"mitotic-figure"},{"type":"Tumour"}]} [EXACT_IMAGE]`, descriptor.WritesResult))
	s.start(run)
	run = s.ended(run, runner.Failed)
	if want := `out.json: annotation 1: the image set has no annotation type "mitotic-figure"; it has Mitotic figure (1, bounding box), Spot (2, point)`; !strings.Contains(run.Reason, want) {
		t.Errorf("reason %q", run.Reason)
	}
	if s.fake.Len("pluginresults") != 0 {
		t.Error("something was written")
	}
	if job := s.only(); !strings.Contains(job.Error, "no annotation type") || job.Worker != "" {
		t.Errorf("job %+v", job)
	}
}

func TestAFailureIsToldWithTheEndOfTheLog(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run := s.create(s.exactSpec("exit 3 [EXACT_IMAGE_ID]", ""))
	s.start(run)
	run = s.ended(run, runner.Failed)
	job := s.only()
	if !strings.HasPrefix(job.Error, "Error: exit 3: ") || !strings.Contains(job.Error, "ValueError: bad threshold") || !strings.Contains(job.Detail, "Traceback") || job.Worker != "" {
		t.Errorf("job %+v", job)
	}
	// Once more, in the same job.
	spec := s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 4", descriptor.WritesResult)
	spec.Take = runner.TakeJob{ID: run.Job, Restart: true}
	again := s.create(spec)
	s.start(again)
	again = s.ended(again, runner.Succeeded)
	if job = s.only(); job.Error != "" || job.Detail != "" || job.Complete != 100 || again.Job != run.Job {
		t.Errorf("redone %+v", job)
	}
	s.shapes(4)
	// And redone with fewer, which replaces what was there.
	spec = s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 2", descriptor.WritesResult)
	spec.Take = runner.TakeJob{ID: run.Job, Restart: true}
	third := s.create(spec)
	s.start(third)
	s.ended(third, runner.Succeeded)
	s.shapes(2)
	f, err := os.Open(filepath.Join(third.Folder, runner.ReplacedFile))
	must(t, err)
	defer f.Close()
	before := 0
	must(t, shapes.Read(f, func(shape shapes.Shape) error {
		if before++; shape.Kind != shapes.Box || shape.Entry != "found" || *shape.Score != 0.5 {
			t.Errorf("kept %+v", shape)
		}
		return nil
	}))
	if before != 4 {
		t.Errorf("%d of 4 annotations were kept", before)
	}
}

func TestAnImageThatHasAJobIsNotTouched(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	id := s.fake.AddJob(s.demo.Images[0], s.plugin, s.demo.Admin)
	run := s.ended(s.file(3, ""), runner.Failed)
	if !strings.Contains(run.Reason, "image field_a.png has job "+itoa(id)+" of Tester already") {
		t.Errorf("reason %q", run.Reason)
	}
	if job := s.only(); job.Worker != "" || job.Error != "" || job.Complete != 0 {
		t.Errorf("job %+v", job)
	}
	// A worker takes it as it is.
	spec := s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 3", descriptor.WritesResult)
	spec.Take = runner.TakeJob{ID: client.ID(id)}
	taken := s.create(spec)
	s.start(taken)
	s.ended(taken, runner.Succeeded)
	if job := s.only(); job.Complete != 100 || job.Creator != s.demo.Admin {
		t.Errorf("job %+v", job)
	}
}

func TestTheNameStaysOnAJobWhoseWorkerLivesAndTakesItOff(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	keeper := filepath.Join(t.TempDir(), "lock")
	lock, err := runner.TakeLock(keeper)
	must(t, err)
	for n, lives := range []bool{true, false} {
		if !lives {
			must(t, lock.Close())
		}
		id := s.fake.AddJob(s.demo.Images[n], s.plugin, s.demo.Admin)
		spec := s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 1", descriptor.WritesResult)
		spec.Image.ID, spec.Take = client.ID(s.demo.Images[n]), runner.TakeJob{ID: client.ID(id), Keeper: keeper}
		run := s.create(spec)
		s.start(run)
		s.ended(run, runner.Succeeded)
		if job, _ := s.fake.Job(id); job.Complete != 100 || strings.HasSuffix(job.Worker, "_"+run.ID) != lives || !lives && job.Worker != "" {
			t.Errorf("the worker lives %v: %+v", lives, job)
		}
	}
}

func TestATokenReachesOnlyWhoAsksAndNoFile(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	run := s.create(s.exactSpec("token [EXACT_JOB_ID]", ""))
	s.start(run)
	run = s.ended(run, runner.Succeeded)
	log, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if !strings.Contains(string(log), "the token is "+s.token) {
		t.Errorf("the program got %q", log)
	}
	for path, text := range everyFile(t, run.Folder) {
		if strings.Contains(text, s.token) && filepath.Base(path) != runner.LogFile {
			t.Errorf("the token stands in %s", path)
		}
	}
	spec := s.exactSpec("say [EXACT_IMAGE_ID]", "")
	spec.Image.ID = client.ID(s.demo.Images[1])
	other := s.create(spec)
	s.start(other)
	s.ended(other, runner.Succeeded)
	spec = s.exactSpec("exit 1 [EXACT_IMAGE_ID]", "")
	spec.Algorithm.CommandLine = "token-of-nobody"
	spec.Image.ID = client.ID(s.demo.Images[2])
	quiet := s.create(spec)
	s.start(quiet)
	quiet = s.ended(quiet, runner.Failed)
	if environ, _ := os.ReadFile(filepath.Join(quiet.Folder, runner.LogFile)); strings.Contains(string(environ), s.token) {
		t.Error("told unasked")
	}
}

func TestImageNamesLeadNowhere(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	for name, zip := range map[string]map[string]string{
		"../../escape.png": nil,
		"slide.mrxs":       {"slide.mrxs": "index", "slide/Data0000.dat": "data", "../../../evil": "x"},
	} {
		image := s.fake.AddImage(s.demo.Set, exacttest.Image{Name: name, Content: []byte("pixels"), Zip: zip})
		spec := s.exactSpec("file [EXACT_IMAGE] [EXACT_OUTPUT] 1", descriptor.WritesResult)
		spec.Image = runner.ImageRef{ID: client.ID(image), Name: name}
		run := s.create(spec)
		s.start(run)
		now := s.state(run, runner.Succeeded, runner.Failed)
		if zip == nil && now.State != runner.Succeeded {
			t.Errorf("%s: %s %s", name, now.State, now.Reason)
		}
		for path := range everyFile(t, filepath.Dir(s.store.Dir())) {
			if base := filepath.Base(path); base == "evil" || base == "escape.png" && !strings.Contains(path, imageDir) {
				t.Errorf("%s wrote %s", name, path)
			}
		}
	}
}

func TestALinkInTheOutputIsNotFollowed(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	secret := filepath.Join(t.TempDir(), "secret.json")
	must(t, os.WriteFile(secret, []byte(`{"annotations":[{"type":"Global"}]}`), 0o600))
	gate := filepath.Join(t.TempDir(), "go")
	run, _ := s.running(s.file(2, gate))
	must(t, os.Symlink(secret, filepath.Join(run.Folder, "work", "home", outputDir, "link.json")))
	must(t, os.WriteFile(gate, []byte("0"), 0o600))
	run = s.ended(run, runner.Succeeded)
	s.shapes(2)
	if w := strings.Join(run.Result.Warnings, " "); !strings.Contains(w, "not brought to the server: link.json") {
		t.Errorf("warnings %q", w)
	}
}

func TestAnUploadWhoseTokenWasRevokedWaitsForALogin(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	gate := filepath.Join(t.TempDir(), "go")
	run, _ := s.running(s.file(6, gate))
	paths, err := profile.DefaultPaths()
	must(t, err)
	login := func(token string) {
		must(t, profile.Save(paths, profile.Profile{Name: "ex", Kind: client.Exact, URL: s.url, User: "worker"}, client.Keys{Public: "pat", Private: token}))
	}
	login("pat_gone.gone")
	must(t, unix.Kill(s.supervisor(run), unix.SIGKILL))
	within(t, "it is dead", func() bool { return !runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
	must(t, os.WriteFile(gate, []byte("0"), 0o600))
	_, err = Recover(s.store, s.exe)
	must(t, err)
	within(t, "it waits", func() bool {
		now, _ := runner.ReadFolder(run.Folder)
		return strings.Contains(now.Reason, "wait for keys") && !runner.Held(filepath.Join(run.Folder, runner.LockFile))
	})
	login(s.token)
	_, err = Recover(s.store, s.exe)
	must(t, err)
	s.ended(run, runner.Succeeded)
	s.shapes(6)
}

func TestOnesOwnSourceFindsItsTokenToo(t *testing.T) {
	s := newExactSite(t, exacttest.Options{})
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "run.sh"), []byte(`echo "the token is $EXACT_TOKEN"`), 0o600))
	spec := s.exactSpec("token [EXACT_JOB_ID]", "")
	spec.Develop = &runner.Develop{Source: &runner.Source{Path: dir}, Program: []string{"/bin/sh", "run.sh"}, Words: 1}
	run := s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Succeeded)
	for path, text := range everyFile(t, run.Folder) {
		if log := filepath.Base(path) == runner.LogFile; log != strings.Contains(text, s.token) {
			t.Errorf("%s: %q", path, text)
		}
	}
}

func TestRealContainerFindsItsImageAndItsToken(t *testing.T) {
	sif := container(t)
	s := newExactSite(t, exacttest.Options{})
	for words, writes := range map[string]descriptor.Writes{"find [EXACT_IMAGE] [EXACT_OUTPUT]": descriptor.WritesResult, "vars [EXACT_HOST] [EXACT_TOKEN]": ""} {
		spec := s.exactSpec("/bin/sh /program "+words, writes)
		spec.Runtime, spec.Algorithm.Container = runner.Apptainer, sif
		if writes == "" {
			spec.Image.ID = client.ID(s.demo.Images[1])
		}
		run := s.create(spec)
		s.start(run)
		run = s.ended(run, runner.Succeeded)
		if writes != "" {
			s.shapes(1)
			continue
		}
		log, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
		must(t, err)
		if !strings.Contains(string(log), "EXACT_TOKEN="+s.token) {
			t.Errorf("environment %s", log)
		}
		for path, text := range everyFile(t, run.Folder) {
			if strings.Contains(text, s.token) && filepath.Base(path) != runner.LogFile {
				t.Errorf("the token stands in %s", path)
			}
		}
	}
}
