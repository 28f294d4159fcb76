package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/logfile"
)

func TestProgressOfTheLogIsShownHereAndOnTheServer(t *testing.T) {
	t.Setenv("CYTORUN_TEST_MINUTE", "100ms")
	s := newSite(t)
	run := s.launch("progress 400")
	within(t, "progress is in the run folder and on the server", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		jobs := s.jobs()
		return err == nil && now.State == runner.Running && now.Progress >= 10 && len(jobs) == 1 && jobs[0].status == 2 && jobs[0].progress >= 10
	})
	within(t, "the log is on the server while it runs", func() bool {
		r, err := s.server.(client.LogStore).JobLog(tctx, s.state(run, runner.Running).Job)
		if err != nil {
			return false
		}
		return r.Close() == nil
	})
	must(t, runner.RequestCancel(run.Folder, "ann"))
	s.ended(run, runner.Cancelled)
}

func TestProgressThatTheProgramReportsIsReadAndNeverOverwritten(t *testing.T) {
	t.Setenv("CYTORUN_TEST_MINUTE", "100ms")
	s := newSite(t)
	end := filepath.Join(t.TempDir(), "end")
	// Reports 42 % and "working", prints 10 %, and goes on until told.
	run := s.create(noFlags(s.spec("report-then " + end + keyWords)))
	s.start(run)
	within(t, "the program's progress comes back", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		return err == nil && now.State == runner.Running && now.Progress == 42
	})
	stays(t, "what the program wrote", func() bool {
		job := s.job()
		return job.progress == 42 && job.comment == "working" && job.status == 2
	})
	tell(t, end, "0")
	s.ended(run, runner.Succeeded)
}

func TestTheTimesOfTheLogAreKept(t *testing.T) {
	s := newSite(t)
	run := s.ended(s.launch("progress 40"), runner.Succeeded)
	times, file, err := logfile.OpenTimes(filepath.Join(run.Folder, runner.TimesFile))
	must(t, err)
	defer file.Close()
	first, ok1 := times.At(0)
	log, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	last, ok2 := times.At(int64(len(log)) - 1)
	if !ok1 || !ok2 || !first.Before(last) || last.Sub(first) > 10*time.Second || strings.Count(string(log), "tiles") != 11 {
		t.Errorf("first %v %v, last %v %v, log %q", first, ok1, last, ok2, log)
	}
}
