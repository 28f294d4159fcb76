package supervisor

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

const keyWords = " [CYTOMINE_HOST] [CYTOMINE_PUBLIC_KEY] [CYTOMINE_PRIVATE_KEY]"

// noFlags makes the keys of the server plain words.
func noFlags(spec runner.Spec) runner.Spec {
	for i := range spec.Algorithm.Parameters {
		spec.Algorithm.Parameters[i].Flag = ""
	}
	return spec
}

func TestHowAProgramEndsIsWhatTheRunSays(t *testing.T) {
	tests := map[string]struct {
		words   string
		state   runner.State
		reason  string // part of it
		status  int    // on the server
		comment string // part of it
	}{
		"exit code with its last error line": {"exit 7", runner.Failed, "exit 7: ValueError: bad threshold", 4, "exit 7: ValueError: bad threshold"},
		"death by a signal":                  {"kill-self 11", runner.Failed, "segmentation fault", 4, "segmentation fault"},
		"death by kill":                      {"kill-self 9", runner.Failed, "killed", 4, "killed"},
		"its own failure wins over exit 0":   {"report 4 no-cells 0" + keyWords, runner.Failed, "the program reported failure: no-cells", 4, "no-cells"},
		"exit code wins over its success":    {"report 3 all-fine 7" + keyWords, runner.Failed, "exit 7", 4, "exit 7; the program itself had reported success: all-fine"},
		"success keeps its own comment":      {"report 3 12-cells 0" + keyWords, runner.Succeeded, "", 3, "12-cells"},
		"left running on the server":         {"report 2 working 0" + keyWords, runner.Succeeded, "", 3, "working"},
		"binary output":                      {"binary", runner.Succeeded, "", 3, ""},
		"output without a line's end":        {"dots", runner.Succeeded, "", 3, ""},
		"closed stdout":                      {"close-stdout", runner.Succeeded, "", 3, ""},
		"unknown program":                    {"nonsense", runner.Failed, "exit 99: no behaviour nonsense", 4, "exit 99"},
	}
	s := newSite(t)
	t.Setenv("CYTORUN_SLOTS", "4")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			run := s.create(noFlags(s.spec(tt.words)))
			s.start(run)
			run = s.ended(run, tt.state)
			if !strings.Contains(run.Reason, tt.reason) {
				t.Errorf("reason %q, want %q in it", run.Reason, tt.reason)
			}
			for _, job := range s.jobs() {
				if job.id == int(run.Job) {
					if job.status != tt.status || !strings.Contains(job.comment, tt.comment) {
						t.Errorf("server has %+v, want status %d and %q", job, tt.status, tt.comment)
					}
					return
				}
			}
			t.Errorf("job %d is not on the server", run.Job)
		})
	}
}

func TestAServerWithoutKilledGetsFailed(t *testing.T) {
	s := newSite(t)
	s.breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if r.Method != http.MethodPut {
			return false
		}
		body := readBody(r)
		if strings.Contains(body, `"status":8`) {
			http.Error(w, `{"success":false,"errors":"status 8 is not valid"}`, http.StatusBadRequest)
			return true
		}
		return false
	})
	run, _ := s.running(s.launch("sleep 3600000"))
	must(t, runner.RequestCancel(run.Folder, "ann"))
	s.ended(run, runner.Cancelled)
	if job := s.job(); job.status != 4 || !strings.Contains(job.comment, "cancelled by ann") {
		t.Errorf("server has %+v", job)
	}
}

func TestNoKeyIsKeptOrShown(t *testing.T) {
	s := newSite(t)
	spec := noFlags(s.spec("say keys:" + keyWords))
	run := s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Succeeded)

	log, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	words := strings.Fields(string(log))
	if len(words) != 4 {
		t.Fatalf("the program got %q", words)
	}
	host, public, private := words[1], words[2], words[3]
	if host != s.url {
		t.Errorf("host %q, want %q", host, s.url)
	}
	if public == s.keys.Public || private == s.keys.Private {
		t.Error("the program got the keys of a person")
	}
	text := jobLog(t, s, run)
	if strings.Contains(text, public) || strings.Contains(text, private) || !strings.Contains(text, "keys: "+host) {
		t.Errorf("log on the server: %q", text)
	}
	for _, secret := range []string{s.keys.Public, s.keys.Private, public, private} {
		for path, data := range everyFile(t, run.Folder) {
			if strings.Contains(data, secret) && filepath.Base(path) != runner.LogFile {
				t.Errorf("%s holds a key", path)
			}
		}
	}
}

func TestKeysStayOutOfProcessEnvironments(t *testing.T) {
	s := newSite(t)
	t.Setenv("CYTOMINE_PUBLIC_KEY", s.keys.Public)
	t.Setenv("CYTOMINE_PRIVATE_KEY", s.keys.Private)
	run := s.create(s.spec("sleep 3600000"))
	spec := run.Spec
	_ = spec
	must(t, Start(run.Folder, s.exe, s.keys))
	run, started := s.running(run)
	for what, pid := range map[string]int{"supervisor": s.supervisor(run), "keep": started.Keep, "program": started.PID} {
		env, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "environ"))
		must(t, err)
		args, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
		must(t, err)
		if strings.Contains(string(env)+string(args), s.keys.Private) {
			t.Errorf("the %s was started with a person's key", what)
		}
	}
	must(t, runner.RequestCancel(run.Folder, "ann"))
	s.ended(run, runner.Cancelled)
}

func TestWithoutAProfileTheKeysOfTheLaunchCountAndAreAskedForLater(t *testing.T) {
	s := newSite(t)
	spec := s.spec("say hi")
	spec.Server.Profile = ""
	run := s.create(spec)
	must(t, Start(run.Folder, s.exe, client.Keys{}))
	within(t, "the reason names what is missing", func() bool {
		r, err := runner.ReadFolder(run.Folder)
		return err == nil && r.State == runner.Queued && strings.Contains(r.Reason, "cytorun login")
	})
	within(t, "the supervisor is gone", func() bool { return !runner.Held(filepath.Join(run.Folder, runner.LockFile)) })
	must(t, Start(run.Folder, s.exe, s.keys))
	s.ended(run, runner.Succeeded)
}
