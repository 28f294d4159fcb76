package supervisor

import (
	"bytes"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// insideScript is the program inside the container of these tests.
const insideScript = `
b=/bin/busybox
case $1 in
say) shift; echo "$@";;
exit) echo "RuntimeError: out of cells"; exit $2;;
sleep) echo sleeping; exec $b sleep 3600;;
ignore) trap '' TERM; echo ignoring; while :; do $b sleep 1; done;;
fork) $b setsid $b sleep 3600 & echo left; exit 0;;
env) $b env; $b pwd; $b cat "$REQUESTS_CA_BUNDLE";;
vars) $b env;;
find) $b test -s "$2" && echo '{"annotations":[{"type":"Mitotic figure","box":[1,1,9,9]}]}' >"$3/found.json";;
eat) exec $b dd if=/dev/zero of=/dev/null bs=300M count=1 2>/dev/null;;
fill) for d in "$HOME" /tmp .; do $b dd if=/dev/zero of="$d/big" bs=1M count=200 2>/dev/null || { echo "$d is full"; exit 1; }; $b rm "$d/big"; done; echo filled;;
esac
`

// container builds a SIF without any network.
func container(t testing.TB) string {
	t.Helper()
	a, err := apptainer.Find()
	if errors.Is(err, apptainer.ErrMissing) {
		t.Skip("needs apptainer: ", err)
	}
	must(t, err)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("needs a static busybox (Debian: busybox-static)")
	}
	bin, err := os.ReadFile(busybox)
	must(t, err)
	if bytes.Contains(bin[:min(len(bin), 4096)], []byte("ld-linux")) {
		t.Skip("needs a static busybox (Debian: busybox-static)")
	}
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	must(t, os.MkdirAll(filepath.Join(tree, "bin"), 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "bin", "busybox"), bin, 0o755))
	must(t, os.Symlink("busybox", filepath.Join(tree, "bin", "sh")))
	must(t, os.MkdirAll(filepath.Join(tree, "etc"), 0o755))
	for _, name := range []string{"passwd", "group"} {
		must(t, os.WriteFile(filepath.Join(tree, "etc", name), nil, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(tree, "program"), []byte(insideScript), 0o755))
	sif := filepath.Join(dir, "x.sif")
	out, err := exec.Command(a.Path, "build", sif, tree).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return sif
}

// inside is a run of the container's program.
func (s *site) inside(sif, words string) runner.Spec {
	spec := noFlags(s.spec("/bin/sh /program " + words))
	spec.Runtime = runner.Apptainer
	spec.Algorithm.Container = sif
	return spec
}

func (s *site) launchInside(sif, words string) runner.Run {
	s.t.Helper()
	run := s.create(s.inside(sif, words))
	s.start(run)
	return run
}

func TestRealContainerGoesToItsEnd(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	run := s.ended(s.launchInside(sif, "say hello"), runner.Succeeded)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if string(out) != "hello\n" {
		t.Errorf("log %q", out)
	}
	if !strings.HasPrefix(run.Result.Digest, "sha256:") {
		t.Errorf("digest %q", run.Result.Digest)
	}
	if run.Result.Exit.MaxRSS == 0 {
		t.Error("no peak memory")
	}
}

func TestRealContainerEndsOfManyKinds(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	for name, tt := range map[string]struct{ container, words, reason string }{
		"program's own code":   {sif, "exit 7", "exit 7: RuntimeError: out of cells"},
		"code 255 of its own":  {sif, "exit 255", "exit 255: RuntimeError: out of cells"},
		"code 1 of its own":    {sif, "exit 1", "exit 1: RuntimeError: out of cells"},
		"no such container":    {"/no/such/file.sif", "say hi", "/no/such/file.sif"},
		"no such program":      {sif, "", ""},
		"container is no file": {os.TempDir(), "say hi", "no root file system"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := s.inside(tt.container, tt.words)
			if name == "no such program" {
				spec.Algorithm.CommandLine, tt.reason = "/nothing/here", "the container did not start"
			}
			run := s.create(spec)
			s.start(run)
			run = s.ended(run, runner.Failed)
			if !strings.Contains(run.Reason, tt.reason) {
				t.Errorf("reason %q, want %q in it", run.Reason, tt.reason)
			}
			if strings.Contains(run.Reason, "\n") {
				t.Errorf("reason of several lines: %q", run.Reason)
			}
		})
	}
}

func TestRealContainerIsCancelledToTheLastProcess(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	for _, words := range []string{"sleep", "ignore"} {
		t.Run(words, func(t *testing.T) {
			run, started := s.running(s.launchInside(sif, words))
			must(t, runner.RequestCancel(run.Folder, "ann"))
			run = s.ended(run, runner.Cancelled)
			if alive(started.PID) {
				t.Error("cancelled is said of a container that lives")
			}
			s.noProcess(run, started)
		})
	}
}

func TestRealContainerIsKilledAtItsMemoryLimitOrRunsWithout(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	a, err := apptainer.Find()
	must(t, err)
	spec := s.inside(sif, "eat")
	spec.Resources.Memory = 100 << 20
	run := s.create(spec)
	s.start(run)
	if why := a.Limits(); why != nil {
		run = s.ended(run, runner.Succeeded)
		if events, err := os.ReadFile(filepath.Join(run.Folder, runner.EventsFile)); err != nil || !strings.Contains(string(events), "it runs without a limit") {
			t.Errorf("%s %v", events, err)
		}
		return
	}
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "at its memory limit of 100 MiB") || !strings.Contains(run.Result.Advice, "--memory") {
		t.Errorf("%q, advice %q, %+v", run.Reason, run.Result.Advice, run.Result.Exit)
	}
}

func TestRealContainerOutlivesItsSupervisorAndKeeper(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	run, started := s.running(s.launchInside(sif, "sleep"))
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.recover()
	within(t, "a supervisor works", func() bool { return runner.Supervised(run.Folder) })
	kill(t, started.Keep, syscall.SIGKILL)
	if !kernelTellsExit() {
		run = s.ended(run, runner.Lost)
		s.noProcess(run, started)
		return
	}
	within(t, "somebody holds alive again", func() bool { return locked(t, filepath.Join(run.Folder, runner.AliveFile)) })
	must(t, syscall.Kill(started.PID, syscall.SIGTERM))
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "terminated") {
		t.Errorf("reason %q", run.Reason)
	}
	s.noProcess(run, started)
}

func TestRealContainerKilledFails(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	run, started := s.running(s.launchInside(sif, "sleep"))
	must(t, syscall.Kill(started.PID, syscall.SIGKILL))
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "killed") {
		t.Errorf("reason %q", run.Reason)
	}
	s.noProcess(run, started)
}

func TestRealContainerLeavesNoProcessBehind(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	run := s.ended(s.launchInside(sif, "fork"), runner.Succeeded)
	started, _ := runner.ReadStarted(run.Folder)
	s.noProcess(run, started)
}

func TestRealContainerHasRoomOnDisk(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	run := s.ended(s.launchInside(sif, "fill"), runner.Succeeded)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if string(out) != "filled\n" {
		t.Errorf("log %q", out)
	}
}

func TestRealContainerTrustsTheProfilesCertificates(t *testing.T) {
	sif := container(t)
	s := newSiteOn(t, httptest.NewTLSServer)
	run := s.ended(s.launchInside(sif, "env"), runner.Succeeded)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	for _, name := range []string{"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"} {
		if !strings.Contains(string(out), name+"="+caInside+"\n") {
			t.Errorf("no %s in\n%s", name, out)
		}
	}
	paths, err := profile.DefaultPaths()
	must(t, err)
	config, err := profile.Load(paths)
	must(t, err)
	pem, err := os.ReadFile(config.Profiles["lab"].CA)
	must(t, err)
	if !strings.Contains(string(out), strings.TrimSpace(string(pem))) {
		t.Errorf("the certificate is not in the bundle:\n%s", out)
	}
}

func TestAProgramReachesAServerWithACertificateOfItsOwn(t *testing.T) {
	s := newSiteOn(t, httptest.NewTLSServer)
	run := s.create(noFlags(s.spec("report 3 reached 0" + keyWords)))
	s.start(run)
	s.ended(run, runner.Succeeded)
	if job := s.job(); job.comment != "reached" || !strings.HasPrefix(s.url, "https://") {
		t.Errorf("server has %+v", job)
	}
}

// A registry that accepts connections and says nothing keeps a run before the
// queue: it has no turn while others could use it.
func TestRealContainerBeingFetchedWhenItsSupervisorIsKilledOrTheRunCancelled(t *testing.T) {
	container(t)
	s := newSite(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	asked := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			asked <- c
		}
	}()
	run := s.launchInside(silent.Addr().String()+"/lab/x:1", "say hi")
	<-asked
	run = s.state(run, runner.Queued)
	if locked(t, filepath.Join(leases(), "slot-1")) {
		t.Error("it has a slot while it fetches")
	}
	s.ended(s.launch("say hi"), runner.Succeeded) // another one does not wait for it
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.noProcess(run, runner.Started{PID: -1})
	for len(asked) > 0 {
		<-asked
	}
	s.recover()
	<-asked
	must(t, runner.RequestCancel(run.Folder, "ann"))
	run = s.ended(run, runner.Cancelled)
	if _, ok := runner.ReadStarted(run.Folder); ok {
		t.Error("it was started")
	}
	for _, job := range s.jobs() {
		if job.id == int(run.Job) && job.status != 8 {
			t.Errorf("server has %+v", job)
		}
	}
	s.noProcess(run, runner.Started{PID: -1})
}

func TestRealContainerSeesNothingOfTheHost(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	t.Setenv("CYTORUN_TEST_SECRET", "do-not-pass")
	run := s.ended(s.launchInside(sif, "env"), runner.Failed) // cat of no bundle fails
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if strings.Contains(string(out), "do-not-pass") {
		t.Error("our environment reaches the program")
	}
	if !strings.Contains(string(out), "HOME=/home/run\n") || !strings.Contains(string(out), "\n/home/run\n") {
		t.Errorf("HOME or working folder: %s", out)
	}
}

// TestRealAsAnOrdinaryUser runs the tests above once more without root: there
// HOME and /tmp of a container are small unless we see to it, and file systems
// in user space leave processes behind.
func TestRealAsAnOrdinaryUser(t *testing.T) {
	if underRace {
		t.Skip("repeats tests that ran already; their processes start slowly under the race detector")
	}
	container(t)
	if os.Geteuid() != 0 {
		t.Skip("runs as an ordinary user already")
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	dir, err := os.MkdirTemp("", "cytorun-user-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	tmp := filepath.Join(dir, "tmp")
	// nobody has an entry in the user database, which apptainer needs.
	const nobody = 65534
	must(t, errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "tests"), self, 0o755),
		os.Mkdir(tmp, 0o700), os.Chown(tmp, nobody, nobody)))
	cmd := exec.Command(setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", "--",
		filepath.Join(dir, "tests"), "-test.run", "^(TestRealContainer|TestAReadOnly)", "-test.v")
	cmd.Dir = tmp
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp, "LANG=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: TestRealContainer"); n < 9 {
		t.Errorf("only %d tests passed\n%s", n, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Errorf("skips:\n%s", out)
	}
}
