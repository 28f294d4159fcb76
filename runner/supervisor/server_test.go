package supervisor

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// Faults of a server.

func html500(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write([]byte("<html><body>Internal Server Error</body></html>"))
	return true
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	return true
}

func (s *site) waitsForServer(run runner.Run) {
	s.t.Helper()
	within(s.t, "the run says that it waits for the server", func() bool {
		r, err := runner.ReadFolder(run.Folder)
		return err == nil && r.State == runner.Queued && strings.HasPrefix(r.Reason, "waiting for the server: ")
	})
}

func TestNoServerAtLaunchMeansQueuedWithTheReason(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, http.Handler) bool{
		"connections fail": hangUp, "HTML 500": html500,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.breaks(fault)
			run := s.launch("say hi")
			s.waitsForServer(run)
			kill(t, s.supervisor(run), syscall.SIGKILL)
			s.recover()
			s.breaks(nil)
			s.ended(run, runner.Succeeded)
			if job := s.job(); job.status != 3 {
				t.Errorf("server has %+v", job)
			}
		})
	}
}

func TestAnAnswerLostAfterTheJobWasMade(t *testing.T) {
	s := newSite(t)
	var lost atomic.Int32
	s.breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/job.") && lost.Add(1) == 1 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			return hangUp(w, r, next)
		}
		return false
	})
	run := s.ended(s.launch("say hi"), runner.Succeeded)
	if lost.Load() == 0 {
		t.Fatal("no answer was lost")
	}
	if job := s.job(); job.id != int(run.Job) || job.status != 3 {
		t.Errorf("server has %+v, the run has job %d", job, run.Job)
	}
}

func TestASupervisorKilledWhileItMakesTheJobMakesNoSecondOne(t *testing.T) {
	s := newSite(t)
	made := make(chan struct{})
	var once atomic.Bool
	s.breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/job.") && once.CompareAndSwap(false, true) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			close(made)
			<-r.Context().Done() // the answer never comes
			return true
		}
		return false
	})
	run := s.launch("say hi")
	<-made
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.recover()
	s.ended(run, runner.Succeeded)
	s.job()
}

func TestAServerThatIsAwayAtTheEndIsToldLater(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	s.breaks(hangUp)
	end("7")
	run = s.state(run, runner.Failed)
	if run.Result == nil || run.Result.Confirmed || run.Result.Unreported == "" {
		t.Errorf("result %+v", run.Result)
	}
	if job := s.job(); job.status != 2 {
		t.Errorf("server has %+v", job)
	}
	box, err := os.ReadDir(filepath.Join(run.Folder, runner.OutboxDir))
	must(t, err)
	if len(box) != 2 {
		t.Errorf("outbox %v", box)
	}
	// Any later start delivers.
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.breaks(nil)
	if got := s.recover(); len(got) != 1 {
		t.Fatalf("recovered %+v", got)
	}
	run = s.ended(run, runner.Failed)
	if !run.Result.Confirmed || run.Result.Unreported != "" {
		t.Errorf("result %+v", run.Result)
	}
	if job := s.job(); job.status != 4 {
		t.Errorf("server has %+v", job)
	}
	if log := jobLog(t, s, run); log != "waiting\n" {
		t.Errorf("log on the server %q", log)
	}
	if got := s.recover(); len(got) != 0 {
		t.Errorf("recovered %+v although all is told", got)
	}
}

func TestAFailureThatTheServerKnewAndWeLearntLate(t *testing.T) {
	s := newSite(t)
	// The program tells the server that it failed; right after, the server is
	// away for us.
	s.breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if r.Method == http.MethodPut && strings.Contains(readBody(r), "no-cells") {
			next.ServeHTTP(w, r)
			s.breaks(hangUp)
			return true
		}
		return false
	})
	run := s.create(noFlags(s.spec("report 4 no-cells 0" + keyWords)))
	s.start(run)
	run = s.state(run, runner.Succeeded)
	if !run.Result.Provisional {
		t.Errorf("result %+v", run.Result)
	}
	s.breaks(nil)
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.recover()
	within(t, "the run fails late", func() bool {
		r, err := runner.ReadFolder(run.Folder)
		return err == nil && r.State == runner.Failed && r.Result.Confirmed && strings.Contains(r.Reason, "no-cells")
	})
	if job := s.job(); job.status != 4 || job.comment != "no-cells" {
		t.Errorf("server has %+v", job)
	}
}

func TestA401WhileItRunsDoesNotDisturb(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	s.breaks(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return true
	})
	end("0")
	run = s.state(run, runner.Succeeded)
	if run.Result.Confirmed || !strings.Contains(run.Result.Unreported, "keys") {
		t.Errorf("result %+v", run.Result)
	}
	// Nobody keeps trying with keys that are refused.
	run = s.ended(run, runner.Succeeded)
	s.breaks(nil)
	s.recover()
	run = s.ended(run, runner.Succeeded)
	if job := s.job(); job.status != 3 || !run.Result.Confirmed {
		t.Errorf("server has %+v, result %+v", job, run.Result)
	}
}

func TestAServerThatHangsHoldsUpNoCancel(t *testing.T) {
	s := newSite(t)
	s.breaks(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool { <-r.Context().Done(); return true })
	run := s.launch("say hi")
	within(t, "a supervisor works", func() bool { return runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
	began := time.Now()
	must(t, runner.RequestCancel(run.Folder, "ann"))
	s.breaks(hangUp)
	s.state(run, runner.Cancelled)
	if took := time.Since(began); took > soon {
		t.Errorf("took %v", took)
	}
}

func TestAServerThatHangsAtTheEndHoldsUpNoVerdict(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	s.breaks(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool { <-r.Context().Done(); return true })
	began := time.Now()
	end("7")
	run = s.state(run, runner.Failed)
	if took := time.Since(began); took > soon {
		t.Errorf("took %v", took)
	}
	if !strings.HasPrefix(run.Reason, "exit 7") || run.Result.Unreported == "" {
		t.Errorf("reason %q, result %+v", run.Reason, run.Result)
	}
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.breaks(nil)
	s.recover()
	s.ended(run, runner.Failed)
	if job := s.job(); job.status != 4 {
		t.Errorf("server has %+v", job)
	}
}

func TestASupervisorKilledBetweenVerdictAndReport(t *testing.T) {
	s := newSite(t)
	words, end := until(t)
	run, _ := s.running(s.launch(words))
	s.breaks(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool { <-r.Context().Done(); return true })
	end("7")
	within(t, "the verdict is on disk", func() bool { _, ok := runner.ReadResult(run.Folder); return ok })
	kill(t, s.supervisor(run), syscall.SIGKILL)
	if now, err := runner.ReadFolder(run.Folder); err != nil || now.State != runner.Running {
		t.Errorf("state %s, %v", now.State, err)
	}
	s.breaks(nil)
	s.recover()
	run = s.ended(run, runner.Failed)
	if job := s.job(); job.status != 4 || !run.Result.Confirmed {
		t.Errorf("server has %+v, result %+v", job, run.Result)
	}
}

func TestWrongKeysFailWithTheNextStep(t *testing.T) {
	s := newSite(t)
	spec := s.spec("ok")
	spec.Server.Profile = ""
	run := s.create(spec)
	wrong := s.keys
	wrong.Public = "00000000-0000-0000-0000-000000000000"
	must(t, Start(run.Folder, s.exe, wrong))
	run = s.state(run, runner.Failed)
	if !strings.Contains(run.Reason, "keys") {
		t.Errorf("reason %q", run.Reason)
	}
}
