package keep

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// TestMain lets the test binary stand in for cytorun.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "keep" {
		os.Exit(Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatal("not within a minute: ", what)
}

// start keeps a shell script.
func start(t *testing.T, script string, leases ...*os.File) (string, runner.Started) {
	t.Helper()
	folder := t.TempDir()
	started, err := Start(folder, exe(t), Plan{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin", "A=b c"}, Dir: folder}, leases)
	must(t, err)
	return folder, started
}

func exe(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return path
}

func end(t *testing.T, folder string) runner.Exit {
	t.Helper()
	must(t, runner.WaitFree(filepath.Join(folder, runner.AliveFile)))
	exit, ok := runner.ReadExit(folder)
	if !ok {
		t.Fatal("no exit.json")
	}
	return exit
}

func output(t *testing.T, folder string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, runner.LogFile))
	must(t, err)
	return string(b)
}

func TestExitCodesAndSignals(t *testing.T) {
	for script, want := range map[string]runner.Exit{
		"exit 0":        {Code: 0},
		"exit 42":       {Code: 42},
		"kill -9 $$":    {Code: -1, Signal: "killed"},
		"kill -TERM $$": {Code: -1, Signal: "terminated"},
	} {
		t.Run(script, func(t *testing.T) {
			folder, started := start(t, script)
			exit := end(t, folder)
			if exit.Code != want.Code || exit.Signal != want.Signal || exit.Schema != 1 || exit.Ended.Before(exit.Started) || !exit.Started.Equal(started.Time) {
				t.Errorf("exit %+v", exit)
			}
		})
	}
}

func TestTheProgramsOutputIsTheFileItself(t *testing.T) {
	folder, started := start(t, `echo out; echo err >&2; echo "$A"; pwd; read x; exec sleep 60`)
	within(t, "output", func() bool { return strings.Count(output(t, folder), "\n") == 4 })
	if got, want := output(t, folder), "out\nerr\nb c\n"+folder+"\n"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	for _, fd := range []string{"1", "2"} {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", started.PID, fd))
		must(t, err)
		if link != filepath.Join(folder, runner.LogFile) {
			t.Errorf("descriptor %s is %s", fd, link)
		}
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", started.PID))
	must(t, err)
	if len(fds) != 3 {
		t.Errorf("the program has %d descriptors", len(fds))
	}
	p, err := runner.ReadProc(started.PID)
	must(t, err)
	if p.Session != started.PID || p.Parent != started.Keep || p.Start != started.Start {
		t.Errorf("process %+v, started %+v", p, started)
	}
	must(t, syscall.Kill(started.PID, syscall.SIGKILL))
	end(t, folder)
}

func TestAProgramIsStartedOnce(t *testing.T) {
	folder, _ := start(t, "echo once")
	end(t, folder)
	if _, err := Start(folder, exe(t), Plan{Argv: []string{"/bin/echo", "twice"}}, nil); err == nil {
		t.Error("started twice")
	}
	if got := output(t, folder); got != "once\n" {
		t.Errorf("log %q", got)
	}
	// While it lives the lock says so.
	folder, started := start(t, "exec sleep 60")
	if _, err := Start(folder, exe(t), Plan{Argv: []string{"/bin/echo", "twice"}}, nil); err == nil || !strings.Contains(err.Error(), "held") {
		t.Errorf("second keeper: %v", err)
	}
	must(t, syscall.Kill(started.PID, syscall.SIGKILL))
	end(t, folder)
}

func TestNothingStartsWithoutAWholePlan(t *testing.T) {
	whole := `{"schema":1,"argv":["/bin/sh","-c","echo ran"],"dir":"/"}`
	for _, plan := range []string{"", whole[:len(whole)-1], `{"schema":1,"argv":[]}`, `{"schema":2,"argv":["/bin/true"]}`, "\x00"} {
		folder := t.TempDir()
		cmd := exec.Command(exe(t), "keep", folder)
		cmd.Stdin = strings.NewReader(plan)
		read, write, err := os.Pipe()
		must(t, err)
		cmd.ExtraFiles = []*os.File{write}
		err = cmd.Run()
		_ = write.Close()
		_ = read.Close()
		if (err == nil) != (plan == "") { // none at all is a dismissal
			t.Errorf("%q: %v", plan, err)
		}
		if _, err := os.Stat(filepath.Join(folder, runner.StartedFile)); err == nil || runner.Held(filepath.Join(folder, runner.AliveFile)) {
			t.Errorf("%q started something", plan)
		}
	}
}

func TestAProgramThatCannotStart(t *testing.T) {
	folder := t.TempDir()
	_, err := Start(folder, exe(t), Plan{Argv: []string{"/no/such/program"}, Dir: "/"}, nil)
	if err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(folder, "/no/such/keep", Plan{Argv: []string{"/bin/true"}}, nil); err == nil {
		t.Error("no error without a keeper")
	}
}

func TestLeasesLastUntilTheEndAndStayWithTheKeeper(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slot")
	lease, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	must(t, err)
	must(t, syscall.Flock(int(lease.Fd()), syscall.LOCK_EX))
	folder, started := start(t, "exec sleep 60", lease)
	must(t, lease.Close())
	if !runner.Held(path) {
		t.Error("free although the program runs")
	}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", started.PID))
	must(t, err)
	for _, fd := range fds {
		if link, _ := os.Readlink(fd); link == path {
			t.Error("the program has the lease")
		}
	}
	must(t, syscall.Kill(started.PID, syscall.SIGKILL))
	end(t, folder)
	within(t, "the lease is free", func() bool { return !runner.Held(path) })
}

func TestWhatIsLeftBehindEndsWithTheProgram(t *testing.T) {
	// One in the same session that ignores TERM, one in a session of its own,
	// one whose parents are gone.
	folder, _ := start(t, `n=600.$$; (trap '' TERM; exec sleep $n) & setsid sleep $n & (setsid sh -c "sleep $n & echo \$!" &)
		until [ $(ps -eo args= | grep -c "^sleep $n") -ge 3 ]; do sleep 0.05; done
		ps -eo pid=,args= | grep "[0-9] sleep $n"; exit 0`)
	exit := end(t, folder)
	if exit.Code != 0 {
		t.Errorf("exit %+v", exit)
	}
	left := 0
	for line := range strings.Lines(output(t, folder)) {
		f := strings.Fields(line)
		if len(f) >= 3 {
			left++
			if cmdline, err := os.ReadFile("/proc/" + f[0] + "/cmdline"); err == nil && bytes.Contains(cmdline, []byte("600")) {
				t.Errorf("process %s lives", f[0])
			}
		}
	}
	if left < 3 {
		t.Errorf("the program left %d processes: %s", left, output(t, folder))
	}
}

func TestSignalsDoNotEndTheKeeper(t *testing.T) {
	folder, started := start(t, "until [ -e go ]; do sleep 0.02; done; exit 5")
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGUSR1} {
		must(t, syscall.Kill(started.Keep, s))
	}
	must(t, os.WriteFile(filepath.Join(folder, "go"), nil, 0o600))
	if exit := end(t, folder); exit.Code != 5 {
		t.Errorf("exit %+v", exit)
	}
}

func TestTheProgramInheritsNoIgnoredSignal(t *testing.T) {
	folder, _ := start(t, "grep SigIgn /proc/self/status")
	end(t, folder)
	got := output(t, folder)
	ignored, err := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(got, "SigIgn:")), 16, 64)
	must(t, err)
	// 32 and 33 belong to the C library, and no Go program can change them.
	if ignored &^= 1<<31 | 1<<32; ignored != 0 {
		t.Errorf("%s", got)
	}
}
