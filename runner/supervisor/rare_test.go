package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
)

// here makes this process the supervisor of a run, for moments that cannot be
// met from outside.
func (s *site) here(run runner.Run) *supervisor {
	s.t.Helper()
	super, err := open(run.Folder, client.Keys{})
	must(s.t, err)
	return super
}

// kept starts a program of a run as keep would, with no supervisor.
func (s *site) kept(run runner.Run, words string) runner.Started {
	s.t.Helper()
	work := filepath.Join(run.Folder, runner.WorkDir)
	must(s.t, os.MkdirAll(work, 0o700))
	started, err := keep.Start(run.Folder, s.exe, keep.Plan{
		Argv: append([]string{s.exe, "demo-program"}, strings.Fields(words)...), Env: []string{"HOME=" + work + "/home"}, Dir: work,
	}, nil)
	must(s.t, err)
	return started
}

func TestAKeeperThatDiesBeforeItAnswers(t *testing.T) {
	said := errors.New("the keeper ended before the container ran")
	t.Run("the program it wrote down goes on to its end", func(t *testing.T) {
		s := newSite(t)
		run := s.create(s.spec("ok"))
		words, end := until(t)
		started := s.kept(run, words)
		super := s.here(run)
		must(t, super.ensureJob())
		kill(t, started.Keep, syscall.SIGKILL)
		done := make(chan error, 1)
		go func() { done <- super.notStarted(said) }()
		if kernelTellsExit() {
			within(t, "somebody holds alive again", func() bool { return locked(t, filepath.Join(run.Folder, runner.AliveFile)) })
			end("6")
			must(t, <-done)
			if run = s.state(run, runner.Failed); run.Result.Exit == nil || run.Result.Exit.Code != 6 {
				t.Errorf("result %+v", run.Result)
			}
		} else {
			must(t, <-done)
			s.state(run, runner.Lost)
		}
		s.noProcess(run, started)
	})
	t.Run("the program it did not write down is ended", func(t *testing.T) {
		s := newSite(t)
		run := s.create(s.spec("ok"))
		words, _ := until(t)
		started := s.kept(run, words)
		kill(t, started.Keep, syscall.SIGKILL)
		must(t, os.Remove(filepath.Join(run.Folder, runner.StartedFile)))
		super := s.here(run)
		must(t, super.ensureJob())
		must(t, super.notStarted(said))
		s.state(run, runner.Lost)
		within(t, "the program ends", func() bool { return !alive(started.PID) })
	})
	t.Run("without a program it is what the keeper said", func(t *testing.T) {
		s := newSite(t)
		run := s.create(s.spec("ok"))
		if err := s.here(run).notStarted(said); !errors.Is(err, said) {
			t.Errorf("error %v", err)
		}
	})
}

func TestOurOwnTroubleIsNoVerdictOnARunningProgram(t *testing.T) {
	s := newSite(t)
	run := s.create(s.spec("ok"))
	words, end := until(t)
	started := s.kept(run, words)
	super := s.here(run)
	must(t, super.ensureJob())
	must(t, super.journal.Close()) // no event can be written any more
	if err := super.work(); err == nil {
		t.Error("no error")
	}
	if _, ok := runner.ReadResult(run.Folder); ok {
		t.Error("the run was judged while its program runs")
	}
	if !alive(started.PID) {
		t.Error("the program was ended")
	}
	end("0")
	within(t, "keep ends", func() bool { return !alive(started.Keep) })
}

func TestAPersonWhoLooksIntoTheWorkFolderIsLeftAlone(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, started := s.running(s.launch(words))
	home := filepath.Join(run.Folder, runner.WorkDir, "home")
	viewer := exec.Command("tail", "-f", "/dev/null", filepath.Join(home, "notes"))
	must(t, os.WriteFile(filepath.Join(home, "notes"), nil, 0o600))
	viewer.Dir = home
	viewer.Env = append(os.Environ(), "PWD="+home, "OLDPWD="+home+"/x")
	must(t, viewer.Start())
	gone := make(chan error, 1)
	go func() { gone <- viewer.Wait() }()
	kill(t, started.Keep, syscall.SIGKILL)
	if kernelTellsExit() {
		within(t, "somebody holds alive again", func() bool { return locked(t, filepath.Join(run.Folder, runner.AliveFile)) })
		end("0")
		s.ended(run, runner.Succeeded)
	} else {
		s.ended(run, runner.Lost)
	}
	select {
	case err := <-gone:
		t.Errorf("the viewer ended: %v", err)
	default:
		must(t, viewer.Process.Kill())
		<-gone
	}
}

func TestALookAtATicketDoesNotFailItsRun(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	s.running(s.launch(words))
	run := s.create(s.spec("ok"))
	// Others look at each ticket by holding its lock for a moment: here a long
	// one, at the number that an earlier supervisor has drawn.
	journal, err := runner.OpenJournal(run.Folder)
	must(t, err)
	must(t, journal.Append(runner.Event{Facts: map[string]string{runner.FactTicket: "2"}}))
	must(t, journal.Close())
	path := filepath.Join(leases(), runner.TicketName(2, os.Getuid(), run.ID))
	look, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	must(t, err)
	must(t, unix.Flock(int(look.Fd()), unix.LOCK_SH))
	s.start(run)
	within(t, "the job is on the server", func() bool { return len(s.jobs()) == 2 })
	stays(t, "queued", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		return err == nil && now.State == runner.Queued
	})
	must(t, look.Close())
	s.queued(run)
	end("0")
	s.ended(run, runner.Succeeded)
}

func TestACancelledRunLeavesNoTicketOfADeadSupervisor(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	first, _ := s.running(s.launch(words))
	second := s.queued(s.launch("ok"))
	kill(t, s.supervisor(second), syscall.SIGKILL)
	must(t, Cancel(second, s.exe, "ann"))
	s.ended(second, runner.Cancelled)
	if left := runner.Tickets(leases()); len(left) != 0 {
		t.Errorf("tickets are left: %v", left)
	}
	end("0")
	s.ended(first, runner.Succeeded)
}

func TestACancelWhoseTimeIsAheadCounts(t *testing.T) {
	s := newSite(t)
	run, _ := s.running(s.launch("handle-term"))
	// As if the clock was set back between the request and the end.
	must(t, os.MkdirAll(filepath.Join(run.Folder, runner.ControlDir), 0o700))
	must(t, runner.WriteJSON(filepath.Join(run.Folder, runner.ControlDir, "cancel.json"),
		runner.CancelRequest{Schema: runner.Schema, By: "ann", Time: time.Now().Add(time.Hour)}))
	runner.Wake(run.Folder)
	run = s.ended(run, runner.Cancelled)
	if !strings.Contains(run.Reason, "cancelled by ann") {
		t.Errorf("reason %q", run.Reason)
	}
	if job := s.job(); job.status != 8 {
		t.Errorf("server has %+v", job)
	}
}

func TestAVerdictAmendedByASupervisorThatWasKilledBecomesTheState(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	s.breaks(hangUp)
	end("0")
	run = s.state(run, runner.Succeeded)
	kill(t, s.supervisor(run), syscall.SIGKILL)
	// Killed after it had written the verdict and before the event.
	result, _ := runner.ReadResult(run.Folder)
	result.State, result.Reason, result.Provisional = runner.Failed, "the program reported failure: no cells", false
	must(t, runner.WriteJSON(filepath.Join(run.Folder, runner.ResultFile), result))
	s.breaks(nil)
	s.recover()
	within(t, "the run fails late", func() bool {
		now, err := runner.ReadFolder(run.Folder)
		return err == nil && now.State == runner.Failed && now.Result.Confirmed && strings.Contains(now.Reason, "no cells")
	})
}

func TestAPersonHearsOfTheEndAlthoughTheSupervisorWasKilled(t *testing.T) {
	for name, group := range map[string]string{"of a run": "", "of a group": "g-1"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			h := newHook(t, "")
			h.hang()
			words, end := until(t)
			spec := s.spec(words)
			spec.Group = group
			run := s.create(spec)
			s.start(run)
			s.running(run)
			end("0")
			within(t, "the person is being told", func() bool { return h.asked() > 0 })
			run = s.state(run, runner.Succeeded)
			kill(t, s.supervisor(run), syscall.SIGKILL)
			h.goOn()
			s.recover()
			s.ended(run, runner.Succeeded)
			if got := h.messages(); len(got) != 1 || got[0]["state"] != "succeeded" {
				t.Errorf("told %v", got)
			}
			if got := s.recover(); len(got) != 0 {
				t.Errorf("recovered %+v although all is told", got)
			}
		})
	}
}

func TestNothingHalfWrittenStaysInTheFolder(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	must(t, os.MkdirAll(filepath.Join(run.Folder, runner.OutboxDir), 0o700))
	for _, name := range []string{".exit.json.123", "outbox/.000001.json.77"} {
		must(t, os.WriteFile(filepath.Join(run.Folder, name), []byte("{"), 0o600))
	}
	end("0")
	run = s.ended(run, runner.Succeeded)
	for path := range everyFile(t, run.Folder) {
		if strings.HasPrefix(filepath.Base(path), ".") {
			t.Errorf("%s is left", path)
		}
	}
}
