package scripts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeApptainer answers like one that works, and works like one that knows no containers.
const fakeApptainer = `case $1 in version) echo 9.9 ;; esac`

// machine is a box of another distribution as far as install-apptainer can see: the real
// shell and tools, another os-release, and some commands that answer what is told here.
type machine struct {
	osRelease string
	commands  map[string]string // name to body of a shell script; $LOG takes what it was called with
}

// install runs the embedded script on the machine, in a mount namespace of its own, and
// through a pipe, as the program does that carries it.
func (m machine) install(t *testing.T, args ...string) (stdout, stderr, log string, code int) {
	t.Helper()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("needs mount namespaces: unshare -rm: %v %s", err, out)
	}
	for _, c := range []string{"/usr/bin/apptainer", "/usr/bin/singularity"} {
		if _, err := os.Stat(c); err == nil {
			t.Skipf("%s would be found", c)
		}
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	release := write("os-release", m.osRelease)
	for name, body := range m.commands {
		write("bin/"+name, "#!/bin/sh\n"+body+"\n")
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	inside := `mount --bind "$1" /etc/os-release && mount -t tmpfs none /opt && shift && exec bash -s -- "$@"`
	cmd := exec.Command("unshare", append([]string{"-rm", "sh", "-c", inside, "sh", release}, args...)...)
	logFile := filepath.Join(dir, "log")
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin:/usr/sbin:/sbin", "LOG=" + logFile, "BIN=" + filepath.Join(dir, "bin")}
	cmd.Stdin = strings.NewReader(InstallApptainer)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(logFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), string(text), cmd.ProcessState.ExitCode()
}

// installing is a package manager that puts a working apptainer in PATH.
const installing = `cat >/dev/null # what reads its input must not eat the script
echo "$0 $*" | sed 's|.*/||' >>"$LOG"
case "$*" in *"install"*)
  printf '#!/bin/sh\n%s\n' '` + fakeApptainer + `' >"$BIN/apptainer"
  chmod 755 "$BIN/apptainer" ;;
esac`

const asUser = `[ "$1" = -u ] && echo 1000 || exec /usr/bin/id "$@"`

func TestInstallOnOtherDistributions(t *testing.T) {
	tests := map[string]struct {
		machine
		args      []string
		code      int
		out, says string // part of stdout and stderr
		log       string // a line of what was called
	}{
		"what is there and works is left alone": {
			machine{"ID=fedora", map[string]string{"apptainer": fakeApptainer, "dnf": installing}},
			nil, 0, "apptainer 9.9 ", "", ""},
		"fedora takes its own package": {
			machine{"ID=fedora\nVERSION_ID=44", map[string]string{"dnf": installing}},
			nil, 0, "apptainer 9.9 ", "dnf install apptainer", "dnf -y -q install apptainer"},
		"a prefix does not confuse the distribution's package": {
			machine{"ID=fedora\nVERSION_ID=44", map[string]string{"dnf": installing}},
			[]string{"--prefix", "/opt/elsewhere"}, 0, "apptainer 9.9 ", "", "dnf -y -q install apptainer"},
		"a rebuild of RHEL without EPEL is told of it": {
			machine{"ID=rocky\nID_LIKE=\"rhel centos fedora\"", map[string]string{"dnf": "exit 1"}},
			nil, 1, "", "EPEL", ""},
		"fedora needs root": {
			machine{"ID=fedora", map[string]string{"dnf": installing, "id": asUser}},
			nil, 1, "", "sudo dnf install apptainer", ""},
		"ubuntu takes its own package": {
			machine{"ID=ubuntu\nID_LIKE=debian", map[string]string{"apt-get": installing, "apt-cache": `echo "  Candidate: 1.4.5-2"`}},
			nil, 0, "apptainer 9.9 ", "apt-get install apptainer", "apt-get install -y -qq apptainer"},
		"ubuntu without a package is told of the project's own": {
			machine{"ID=ubuntu\nVERSION_ID=24.04", map[string]string{"apt-get": installing, "apt-cache": "true"}},
			nil, 1, "", "the archive of Ubuntu 24.04 has no apptainer", "apt-get update"},
		"an ordinary user of ubuntu is told of apparmor": {
			machine{"ID=ubuntu\nVERSION_ID=24.04", map[string]string{"id": asUser, "unshare": "exit 1",
				"cat": `case $1 in */apparmor_restrict_unprivileged_userns) echo 1 ;; *) exec /usr/bin/cat "$@" ;; esac`}},
			nil, 1, "", "kernel.apparmor_restrict_unprivileged_userns=1", ""},
		"an unknown distribution is refused": {
			machine{"ID=gentoo", nil},
			nil, 1, "", "cannot install Apptainer on gentoo", ""},
		"check installs nothing": {
			machine{"ID=fedora", map[string]string{"dnf": installing}},
			[]string{"--check"}, 1, "", "no apptainer here", ""},
		"one that cannot run containers is not taken for one that can": {
			machine{"ID=gentoo", map[string]string{"apptainer": `[ "$1" = version ] && echo 1.0 || { echo "FATAL: no way" >&2; exit 255; }`}},
			nil, 1, "", "cannot run a container: FATAL: no way", ""},
		"an unknown argument is refused": {
			machine{"ID=fedora", nil},
			[]string{"--prefxi=/x"}, 2, "", "usage:", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, says, log, code := tt.install(t, tt.args...)
			if code != tt.code || !strings.HasPrefix(out, tt.out) || (tt.out == "") != (out == "") {
				t.Errorf("exit %d with %q, want %d with %q", code, out, tt.code, tt.out)
			}
			if !strings.Contains(says, tt.says) {
				t.Errorf("said %q, not %q", says, tt.says)
			}
			if !strings.Contains(log, tt.log) || tt.log == "" && log != "" {
				t.Errorf("called %q, want %q", log, tt.log)
			}
		})
	}
}

// TestInstalledApptainerIsFound asks the machine that the tests run on.
func TestInstalledApptainerIsFound(t *testing.T) {
	if _, err := exec.LookPath("apptainer"); err != nil {
		t.Skip("no apptainer in PATH")
	}
	cmd := exec.Command("bash", "-s", "--", "--check")
	cmd.Stdin = strings.NewReader(InstallApptainer)
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "apptainer ") {
		t.Errorf("said %q: %v", out, err)
	}
}
