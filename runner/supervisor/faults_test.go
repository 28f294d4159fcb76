package supervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// until gives the words of a program that ends when the test says so, and how
// to say it.
func until(t *testing.T) (words string, end func(code string)) {
	path := filepath.Join(t.TempDir(), "end")
	return "until " + path, func(code string) { tell(t, path, code) }
}

// tell makes a file appear whole.
func tell(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(text), 0o600))
	must(t, os.Rename(path+".new", path))
}

func kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(pid, signal))
	if signal == syscall.SIGKILL {
		within(t, "the process is gone", func() bool { return !alive(pid) })
	}
}

func (s *site) recover() []Recovered {
	s.t.Helper()
	found, err := Recover(s.store, s.exe)
	must(s.t, err)
	for _, r := range found {
		if r.Err != nil {
			s.t.Fatalf("run %s: %v", r.ID, r.Err)
		}
	}
	return found
}

func TestAKilledSupervisorIsReplacedAndTheRunEndsAsItWould(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, started := s.running(s.launch(words))
	for range 3 {
		kill(t, s.supervisor(run), syscall.SIGKILL)
		if !alive(started.PID) || !alive(started.Keep) {
			t.Fatal("the program died with the supervisor")
		}
		if got := s.recover(); len(got) != 1 || got[0].ID != run.ID || got[0].Was != runner.Running {
			t.Fatalf("recovered %+v", got)
		}
		if got := s.recover(); len(got) != 0 {
			t.Fatalf("recovered %+v although it has a supervisor", got)
		}
	}
	end("5")
	run = s.ended(run, runner.Failed)
	if run.Result.Exit == nil || run.Result.Exit.Code != 5 || run.Result.Exit.Adopted {
		t.Errorf("exit %+v", run.Result.Exit)
	}
	if job := s.job(); job.status != 4 {
		t.Errorf("server has %+v", job)
	}
}

func TestAProgramThatEndsWithoutASupervisorIsJudgedLater(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, started := s.running(s.launch(words))
	kill(t, s.supervisor(run), syscall.SIGKILL)
	end("0")
	within(t, "keep ends", func() bool { return !alive(started.Keep) })
	s.recover()
	s.ended(run, runner.Succeeded)
	if job := s.job(); job.status != 3 {
		t.Errorf("server has %+v", job)
	}
}

func TestAKilledKeeperCostsNothingWhereTheKernelTellsTheExitCode(t *testing.T) {
	if !kernelTellsExit() {
		t.Skip("this kernel does not tell a stranger the exit code (Linux 6.15)")
	}
	for name, withSupervisor := range map[string]bool{"supervisor alive": true, "supervisor killed too": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			words, end := until(t)
			run, started := s.running(s.launch(words))
			if !withSupervisor {
				kill(t, s.supervisor(run), syscall.SIGKILL)
			}
			kill(t, started.Keep, syscall.SIGKILL)
			if !withSupervisor {
				s.recover()
			}
			within(t, "somebody holds alive again", func() bool { return locked(t, filepath.Join(run.Folder, runner.AliveFile)) })
			if !alive(started.PID) {
				t.Fatal("the program died with its keeper")
			}
			end("6")
			run = s.ended(run, runner.Failed)
			if run.Result.Exit == nil || run.Result.Exit.Code != 6 || !run.Result.Exit.Adopted {
				t.Errorf("exit %+v", run.Result.Exit)
			}
		})
	}
}

func TestWhenEverythingIsKilledTheRunIsLost(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("sleep 3600000"))
	kill(t, s.supervisor(run), syscall.SIGKILL)
	kill(t, started.Keep, syscall.SIGKILL)
	kill(t, started.PID, syscall.SIGKILL)
	s.recover()
	run = s.ended(run, runner.Lost)
	if !strings.Contains(run.Reason, "killed") || run.Ended.IsZero() {
		t.Errorf("reason %q, ended %v", run.Reason, run.Ended)
	}
	if job := s.job(); job.status != 4 || !strings.Contains(job.comment, "killed") {
		t.Errorf("server has %+v", job)
	}
}

func TestAKilledProgramFails(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("sleep 3600000"))
	kill(t, started.PID, syscall.SIGKILL)
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "killed") {
		t.Errorf("reason %q", run.Reason)
	}
}

func TestSignalsOfAClosingTerminalEndNothing(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, started := s.running(s.launch(words))
	super := s.supervisor(run)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGPIPE} {
		kill(t, super, sig)
		kill(t, started.Keep, sig)
	}
	kill(t, started.Keep, syscall.SIGTERM)
	for _, pid := range []int{super, started.Keep, started.PID} {
		if !alive(pid) {
			t.Fatalf("process %d died", pid)
		}
		tty, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
		must(t, err)
		f := strings.Fields(string(tty[strings.LastIndexByte(string(tty), ')')+1:]))
		if f[4] != "0" {
			t.Errorf("process %d has terminal %s", pid, f[4])
		}
		if f[3] == itoa(os.Getpid()) {
			t.Errorf("process %d is in our session", pid)
		}
	}
	end("0")
	s.ended(run, runner.Succeeded)
}

func TestProcessesHoldNoDescriptorOfTheirLauncher(t *testing.T) {
	s := newSite(t)
	// A shell may have left a descriptor open that is not close-on-exec.
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	fd, err := syscall.Dup(int(w.Fd()))
	must(t, err)
	words, end := until(t)
	run := s.launch(words)
	must(t, syscall.Close(fd))
	must(t, w.Close())
	run, started := s.running(run)
	link, err := os.Readlink("/proc/self/fd/" + itoa(int(r.Fd())))
	must(t, err)
	for _, pid := range []int{s.supervisor(run), started.Keep, started.PID} {
		fds, err := filepath.Glob("/proc/" + itoa(pid) + "/fd/*")
		must(t, err)
		for _, fd := range fds {
			if l, err := os.Readlink(fd); err == nil && l == link {
				t.Errorf("process %d holds a pipe of its launcher", pid)
			}
		}
	}
	end("0")
	s.ended(run, runner.Succeeded)
}

func TestCancelEndsAProgramThatIgnoresTERM(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("ignore-term"))
	began := time.Now()
	must(t, runner.RequestCancel(run.Folder, "ann"))
	if now, err := runner.ReadFolder(run.Folder); err != nil || !now.Cancelling && !now.State.Ended() {
		t.Errorf("not shown as cancelling: %v %v", now.State, err)
	}
	run = s.ended(run, runner.Cancelled)
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("killed after %v, before its time was over", took)
	}
	if alive(started.PID) {
		t.Error("cancelled is said of a program that lives")
	}
	s.noProcess(run, started)
	if job := s.job(); job.status != 8 || !strings.Contains(job.comment, "cancelled by ann") {
		t.Errorf("server has %+v", job)
	}
}

func TestCancelLetsAProgramCleanUp(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("handle-term"))
	must(t, runner.RequestCancel(run.Folder, "ann"))
	run = s.ended(run, runner.Cancelled)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if !strings.Contains(string(out), "cleaned up") || run.Result.Exit.Code != 3 {
		t.Errorf("log %q, exit %+v", out, run.Result.Exit)
	}
	s.noProcess(run, started)
}

func TestCancelOfARunWhoseSupervisorDied(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("ignore-term"))
	kill(t, s.supervisor(run), syscall.SIGKILL)
	must(t, Cancel(run, s.exe, "ann"))
	run = s.ended(run, runner.Cancelled)
	s.noProcess(run, started)
}

func TestAProgramThatForksAwayLeavesNothing(t *testing.T) {
	s := newSite(t)
	run := s.ended(s.launch("fork-away"), runner.Succeeded)
	started, _ := runner.ReadStarted(run.Folder)
	s.noProcess(run, started)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	f := strings.Fields(string(out))
	if len(f) != 2 {
		t.Fatalf("log %q", out)
	}
	for _, p := range processes(t) {
		if itoa(p.pid) == f[1] && strings.Contains(p.args, "demo-program") {
			t.Errorf("process %v is left", p)
		}
	}
}

func TestARunHasOneSupervisorHoweverManyAreStarted(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run := s.create(s.spec(words))
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() { errs <- Start(run.Folder, s.exe, client.Keys{}) }()
	}
	for range cap(errs) {
		must(t, <-errs)
	}
	run, started := s.running(run)
	count := 0
	for _, p := range processes(t) {
		if strings.Contains(p.args, run.Folder) && strings.Contains(p.args, " keep ") {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d keepers", count)
	}
	if !locked(t, filepath.Join(run.Folder, runner.AliveFile)) || !locked(t, filepath.Join(run.Folder, runner.LockFile)) {
		t.Error("the kernel has no lock on the run folder")
	}
	end("0")
	s.ended(run, runner.Succeeded)
	s.noProcess(run, started)
	s.job()
}

// locked asks the kernel's list whether a file is flocked by anybody.
func locked(t *testing.T, path string) bool {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		return false
	}
	inode := itoa(int(st.Sys().(*syscall.Stat_t).Ino))
	b, err := os.ReadFile("/proc/locks")
	must(t, err)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 6 && f[1] == "FLOCK" && f[3] == "WRITE" && strings.HasSuffix(f[5], ":"+inode) {
			return true
		}
	}
	return false
}

func TestATornLastEventIsNoHarm(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	kill(t, s.supervisor(run), syscall.SIGKILL)
	path := filepath.Join(run.Folder, runner.EventsFile)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"schema":1,"time":"2026-11-20T14:`)
	must(t, err)
	must(t, f.Close())
	if now, err := runner.ReadFolder(run.Folder); err != nil || now.State != runner.Running || now.Problem != nil {
		t.Fatalf("reads as %v, %v, %v", now.State, now.Problem, err)
	}
	s.recover()
	end("0")
	s.ended(run, runner.Succeeded)
}

func TestAFolderOfANewerSchemaIsShownAndNeverChanged(t *testing.T) {
	s := newSite(t)
	run := s.create(s.spec("ok"))
	path := filepath.Join(run.Folder, runner.SpecFile)
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte(strings.Replace(string(b), `"schema": 1`, `"schema": 2`, 1)), 0o600))
	must(t, os.Remove(filepath.Join(run.Folder, runner.SummaryFile)))
	before := everyFile(t, run.Folder)
	if got := s.recover(); len(got) != 0 {
		t.Errorf("recovered %+v", got)
	}
	if err := Start(run.Folder, s.exe, client.Keys{}); err == nil || !strings.Contains(err.Error(), "newer cytorun") {
		t.Errorf("a supervisor took it: %v", err)
	}
	if err := runner.RequestCancel(run.Folder, "ann"); err == nil {
		t.Error("cancel was accepted")
	}
	delete(before, filepath.Join(run.Folder, runner.SupervisorLog))
	after := everyFile(t, run.Folder)
	for path, data := range before {
		if after[path] != data {
			t.Errorf("%s changed", path)
		}
	}
	list, err := s.store.List()
	must(t, err)
	if len(list) != 1 || list[0].ID != run.ID || list[0].Problem == nil {
		t.Errorf("listed as %+v", list)
	}
}

func TestTheFolderOfAnotherHostIsLeftAlone(t *testing.T) {
	s := newSite(t)
	spec := s.spec("ok")
	spec.Host = "elsewhere"
	run := s.create(spec)
	if !run.ForeignHost {
		t.Fatal("not known as foreign")
	}
	before := everyFile(t, run.Folder)
	if got := s.recover(); len(got) != 0 {
		t.Errorf("recovered %+v", got)
	}
	if err := Start(run.Folder, s.exe, client.Keys{}); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("a supervisor took it: %v", err)
	}
	for path, data := range everyFile(t, run.Folder) {
		name := filepath.Base(path)
		if name != runner.SupervisorLog && name != runner.LockFile && before[path] != data {
			t.Errorf("%s changed", path)
		}
	}
}

func TestAfterARestartOfTheBox(t *testing.T) {
	t.Run("a running run is lost", func(t *testing.T) {
		s := newSite(t)
		run, started := s.running(s.launch("sleep 3600000"))
		s.crash(run, started)
		rewrite(t, filepath.Join(run.Folder, runner.StartedFile), runner.BootID(), "00000000-another-boot")
		s.recover()
		run = s.ended(run, runner.Lost)
		if !strings.Contains(run.Reason, "the box went down") {
			t.Errorf("reason %q", run.Reason)
		}
	})
	t.Run("a queued run waits for a person", func(t *testing.T) {
		s := newSite(t)
		spec := s.spec("ok")
		spec.BootID = "00000000-another-boot"
		run := s.create(spec)
		if got := s.recover(); len(got) != 1 || !got[0].Waits {
			t.Errorf("recovered %+v", got)
		}
		within(t, "the reason is shown", func() bool {
			r, err := runner.ReadFolder(run.Folder)
			return err == nil && r.State == runner.Queued && strings.Contains(r.Reason, "restarted")
		})
		within(t, "nobody works on it", func() bool { return !runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
		if got := s.recover(); len(got) != 0 {
			t.Errorf("recovered again: %+v", got)
		}
		if len(s.jobs()) != 0 {
			t.Error("it reached the server")
		}
		run, err := runner.ReadFolder(run.Folder)
		must(t, err)
		must(t, Resume(run, s.exe, "ann"))
		s.ended(run, runner.Succeeded)
	})
	t.Run("a queued run can be dropped", func(t *testing.T) {
		s := newSite(t)
		spec := s.spec("ok")
		spec.BootID = "00000000-another-boot"
		run := s.create(spec)
		must(t, Cancel(run, s.exe, "ann"))
		s.ended(run, runner.Cancelled)
		if len(s.jobs()) != 0 {
			t.Error("it reached the server")
		}
	})
}

// crash ends everything of a run as a power cut does.
func (s *site) crash(run runner.Run, started runner.Started) {
	s.t.Helper()
	kill(s.t, s.supervisor(run), syscall.SIGKILL)
	kill(s.t, started.Keep, syscall.SIGKILL)
	kill(s.t, started.PID, syscall.SIGKILL)
}

func rewrite(t *testing.T, path, from, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if !strings.Contains(string(b), from) {
		t.Fatalf("%s has no %q", path, from)
	}
	must(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(b), from, to)), 0o600))
}

func TestAReusedPidIsNotOurProgram(t *testing.T) {
	s := newSite(t)
	run, started := s.running(s.launch("sleep 3600000"))
	s.crash(run, started)
	other := exec.Command("sleep", "3600")
	must(t, other.Start())
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	rewrite(t, filepath.Join(run.Folder, runner.StartedFile), `"pid": `+itoa(started.PID)+",", `"pid": `+itoa(other.Process.Pid)+",")
	must(t, runner.RequestCancel(run.Folder, "ann"))
	s.recover()
	s.ended(run, runner.Lost)
	if !alive(other.Process.Pid) {
		t.Error("a stranger's process was killed")
	}
}

func TestAClockSetBackDoesNotConfuse(t *testing.T) {
	s := newSite(t)
	spec := s.spec("ok")
	spec.Created = time.Now().Add(48 * time.Hour)
	run := s.create(spec)
	s.start(run)
	s.ended(run, runner.Succeeded)
}

func TestTwoLaunchesOfTheSameFormAreTwoRuns(t *testing.T) {
	s := newSite(t)
	t.Setenv("CYTORUN_SLOTS", "2")
	done := make(chan runner.Run, 2)
	for range 2 {
		go func() {
			run, err := s.store.Create(s.spec("ok"))
			if err != nil {
				t.Error(err)
			}
			if err := Start(run.Folder, s.exe, client.Keys{}); err != nil {
				t.Error(err)
			}
			done <- run
		}()
	}
	a, b := <-done, <-done
	s.ended(a, runner.Succeeded)
	s.ended(b, runner.Succeeded)
	if jobs := s.jobs(); len(jobs) != 2 {
		t.Errorf("jobs %v", jobs)
	}
}
