package gpu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheKilledLeaveNothing(t *testing.T) {
	b := newBox(t, 1)
	holder := b.start(child{Run: "holder", Request: Request{Count: 1}, Hold: time.Hour})
	b.await("holder", "has", "")
	waiter := b.start(child{Run: "waiter", Request: Request{Count: 1}, Hold: time.Hour})
	b.await("waiter", "waits", "run holder")
	b.start(child{Run: "last", Request: Request{Count: 1}})
	b.await("last", "waits", "1 before it, first waiter")
	must(t, waiter.Process.Signal(syscall.SIGKILL))
	b.await("last", "waits", "run holder")
	must(t, holder.Process.Signal(syscall.SIGKILL))
	b.await("last", "ends", uuid(0))
	within(t, 5*time.Second, "nothing is left", func() bool {
		return len(leases(b.leases())) == 0 && len(slotHolders(b.leases())) == 0 && len(tickets(b.leases())) == 0
	})
	take(t, "next", Request{Count: 1})
}

func TestALeaseFolderThatCannotBeUsedIsNotReplaced(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(dir string) error
		root bool
		says string
	}{
		{"a file", func(dir string) error { return os.WriteFile(dir, nil, 0o666) }, false, "is no folder"},
		{"a symbolic link", func(dir string) error { return os.Symlink("/tmp", dir) }, false, "is no folder"},
		{"of another user", func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o777), os.Chmod(dir, 0o777), os.Chown(dir, 65534, 65534))
		}, true, "chmod 1777 "},
		{"below nothing", func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) }, false, "set CYTORUN_LEASES"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.root && os.Getuid() != 0 {
				t.Skip("needs root to give a folder away")
			}
			newBox(t, 1)
			dir := filepath.Join(t.TempDir(), "below", "leases")
			must(t, os.Mkdir(filepath.Dir(dir), 0o755))
			must(t, c.make(dir))
			t.Setenv("CYTORUN_LEASES", dir)
			_, err := Open("a", nil)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		newBox(t, 1)
		dir := filepath.Join(t.TempDir(), "leases")
		t.Setenv("CYTORUN_LEASES", dir)
		old := syscall.Umask(0o077)
		defer syscall.Umask(old)
		take(t, "a", Request{Count: 1})
		st, err := os.Stat(dir)
		must(t, err)
		if st.Mode().Perm() != 0o777 || st.Mode()&os.ModeSticky == 0 {
			t.Errorf("mode %v", st.Mode())
		}
		for _, name := range fileNames(dir) {
			if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().Perm() != 0o666 {
				t.Errorf("%s has mode %v", name, st.Mode())
			}
		}
	})
}

func TestFilesThatAreNotOursAreNotTouched(t *testing.T) {
	var victim string
	for _, c := range []struct {
		name string
		make func(path string) error
		says string
	}{
		{"a symbolic link", func(p string) error { return os.Symlink(victim, p) }, "is a symbolic link; remove it"},
		{"a second name", func(p string) error { return os.Link(victim, p) }, "has a second name; remove it"},
		{"a pipe", func(p string) error { return syscall.Mkfifo(p, 0o666) }, "is no file; remove it"},
		{"a folder", func(p string) error { return os.Mkdir(p, 0o777) }, "is no file; remove it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, 2)
			victim = filepath.Join(b.leases(), "victim")
			must(t, os.WriteFile(victim, []byte("keep me"), 0o666))
			must(t, c.make(filepath.Join(b.leases(), leaseName(uuid(0), 1))))
			// The other GPU can still be had.
			g := take(t, "a", Request{Count: 1})
			if g.UUIDs()[0] != uuid(1) {
				t.Errorf("got %v", g.UUIDs())
			}
			b.start(child{Run: "b", Request: Request{Names: []string{"0"}}})
			b.await("b", "waits", c.says)
			must(t, os.Remove(filepath.Join(b.leases(), leaseName(uuid(0), 1))))
			b.await("b", "has", uuid(0))
			if got, _ := os.ReadFile(victim); string(got) != "keep me" {
				t.Errorf("another file was overwritten: %q", got)
			}
		})
	}
}

func TestALeaseFileThatIsReplacedLocksNothing(t *testing.T) {
	b := newBox(t, 1)
	g := take(t, "a", Request{Count: 1})
	path := filepath.Join(b.leases(), leaseName(uuid(0), 1))
	must(t, os.Rename(path, path+".old"))
	f, err := lockShared(path, false)
	must(t, err)
	defer f.Close()
	if !same(f, path) || same(g.files[1], path) {
		t.Error("a renamed file still counts")
	}
}

func TestContentOfOthersIsNotTrusted(t *testing.T) {
	b := newBox(t, 1)
	path := filepath.Join(b.leases(), leaseName(uuid(0), 1))
	for _, content := range []string{"", "\x00\x00", "{", `{"schema":1,"run":"a\u001b[31mb\nc"}`, `{"schema":99}`, strings.Repeat("x", 1<<20)} {
		must(t, os.WriteFile(path, []byte(content), 0o666))
		f, err := lockShared(path, false)
		must(t, err)
		ls := leases(b.leases())[uuid(0)]
		if len(ls) != 1 || ls[0].Memory != 0 || strings.ContainsAny(ls[0].String(), "\x1b\n") {
			t.Errorf("%q is read as %+v", content, ls)
		}
		must(t, f.Close())
	}
	take(t, "a", Request{Count: 1})
}

func TestAGPUThatVanishes(t *testing.T) {
	b := newBox(t, 2)
	t.Setenv("CYTORUN_SLOTS", "9")
	take(t, "a", Request{Names: []string{"0"}})
	one := b.start(child{Run: "one", Request: Request{Names: []string{"0"}}})
	b.await("one", "waits", "GPU 0 has run a")
	// Its place is taken by the other one.
	ds := devices(2)[1:]
	ds[0].Index = 0
	b.devices(ds)
	b.start(child{Run: "two", Request: Request{Count: 1}})
	must(t, os.Remove(filepath.Join(b.leases(), leaseName(uuid(0), 1)))) // wakes nobody
	must(t, one.Process.Signal(syscall.SIGKILL))
	b.await("two", "ends", uuid(1))
	three := b.start(child{Run: "three", Request: Request{Count: 2}})
	if e := b.await("three", "fails", ""); !strings.Contains(e.more, "2 GPUs asked for, it has 1") {
		t.Errorf("%q", e.more)
	}
	_ = three.Wait()
	b.write("gpus", "0, "+uuid(1)+", NVIDIA A10, [GPU is lost], [GPU is lost], [GPU is lost], 550\n")
	b.start(child{Run: "four", Request: Request{Count: 1}})
	if e := b.await("four", "fails", ""); !strings.Contains(e.more, "1 do not answer") {
		t.Errorf("%q", e.more)
	}
	b.start(child{Run: "five", Request: Request{Names: []string{"0"}}})
	if e := b.await("five", "fails", ""); !strings.Contains(e.more, "GPU 0 does not answer; restart the box") {
		t.Errorf("%q", e.more)
	}
}

func TestAGPUThatVanishesWhileARunWaitsForIt(t *testing.T) {
	b := newBox(t, 2)
	g := take(t, "a", Request{Names: []string{"1"}})
	b.start(child{Run: "b", Request: Request{Names: []string{"1"}}})
	b.await("b", "waits", "waiting for GPU 1: GPU 1 has run a")
	b.devices(devices(1))
	g.Close()
	if e := b.await("b", "fails", ""); !strings.Contains(e.more, "no GPU "+uuid(1)) {
		t.Errorf("%q", e.more)
	}
}

func TestNvidiaSmiThatFails(t *testing.T) {
	for said, next := range map[string]string{
		"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n\n": "sudo modprobe nvidia",
		"Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54\n":                                                          "restart the box",
		"Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.  Reboot the system to recover this GPU\n":                                   "restart the box",
		"\x1b[31mwhat\x1b[0m\n": "run it to see why",
	} {
		b := newBox(t, 1)
		b.write("fail", said)
		_, err := Discover(t.Context())
		if !errors.Is(err, ErrTool) || !strings.Contains(err.Error(), next) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q is told as %v", said, err)
		}
		// A run waits, and goes on when the driver is well again.
		b.start(child{Run: "a", Request: Request{Count: 1}})
		b.await("a", "waits", next)
		b.start(child{Run: "b", Request: Request{}})
		b.await("b", "waits", "1 before it")
		b.remove("fail")
		b.await("a", "ends", uuid(0))
		b.await("b", "ends", "")
	}
}

func TestNvidiaSmiThatHangs(t *testing.T) {
	b := newBox(t, 1)
	defer func(d time.Duration) { toolTimeout = d }(toolTimeout)
	toolTimeout = 200 * time.Millisecond
	b.write("hang", "")
	began := time.Now()
	_, err := Discover(t.Context())
	if !errors.Is(err, ErrTool) || !strings.Contains(err.Error(), "no answer") {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	within(t, 5*time.Second, "the tool is gone", func() bool {
		out, _ := exec.Command("pgrep", "-f", "^sleep 1000$").Output()
		for pid := range strings.FieldsSeq(string(out)) {
			if cwd, err := os.Readlink(fmt.Sprintf("/proc/%s/cwd", pid)); err == nil && cwd == b.dir {
				return false
			}
		}
		return true
	})
	// One that cannot be killed is not joined by more.
	hanging := make(chan struct{})
	stuck.Lock()
	stuck.ended = map[chan struct{}]bool{hanging: true}
	stuck.Unlock()
	b.remove("hang")
	if _, err := Discover(t.Context()); !errors.Is(err, ErrTool) || !strings.Contains(err.Error(), "still hangs") {
		t.Error(err)
	}
	close(hanging)
	if ds, err := Discover(t.Context()); err != nil || len(ds) != 1 {
		t.Error(ds, err)
	}
}

func TestModesThatKeepOthersOut(t *testing.T) {
	b := newBox(t, 1)
	b.asNobody()
	path := filepath.Join(b.leases(), leaseName(uuid(0), 1))
	for _, mode := range []fs.FileMode{0o600, 0o644} {
		must(t, os.WriteFile(path, nil, mode))
		must(t, os.Chmod(path, mode))
		run := fmt.Sprintf("a%o", mode)
		b.start(child{Run: run, Request: Request{Count: 1}})
		if e := b.await(run, "waits", ""); !strings.Contains(e.more, fmt.Sprintf("belongs to root and has mode %04o", mode)) || !strings.Contains(e.more, "chmod 666 "+path) {
			t.Errorf("%q", e.more)
		}
		must(t, os.Chmod(path, 0o666))
		b.await(run, "ends", uuid(0))
		must(t, os.Remove(path))
	}
	must(t, os.Chmod(b.leases(), 0o755))
	b.start(child{Run: "b", Request: Request{}})
	if e := b.await("b", "fails", ""); !strings.Contains(e.more, "chmod 1777") {
		t.Errorf("%q", e.more)
	}
}

// asNobody makes children of the box run as another user.
func (b *box) asNobody() {
	b.t.Helper()
	if os.Getuid() != 0 {
		b.t.Skip("needs root to become another user")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		b.t.Skip("needs setpriv (util-linux)")
	}
	self, err := os.Executable()
	must(b.t, err)
	bin, err := os.ReadFile(self)
	must(b.t, err)
	copied := filepath.Join(b.dir, "tests")
	must(b.t, os.WriteFile(copied, bin, 0o755))
	b.argv = []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copied}
}

func TestTwoUsersShareTheBox(t *testing.T) {
	b := newBox(t, 1)
	root := b.argv
	b.asNobody()
	nobody := b.argv
	b.start(child{Run: "theirs", Request: Request{Count: 1}, Hold: time.Hour, Umask: 0o077})
	b.await("theirs", "has", uuid(0))
	b.argv = root
	ours := b.start(child{Run: "ours", Request: Request{Count: 1}, Hold: time.Hour, Umask: 0o077})
	b.await("ours", "waits", "GPU 0 has run theirs of nobody since ")
	b.argv = nobody
	b.start(child{Run: "again", Request: Request{Count: 1}, Umask: 0o077})
	b.await("again", "waits", "1 before it, first ours of root")
	box := Look(t.Context())
	if len(box.GPUs) != 1 || len(box.GPUs[0].Leases) != 1 || box.GPUs[0].Leases[0].User != "nobody" || len(box.Waiting) != 2 || box.Waiting[1].User != "nobody" {
		t.Errorf("%+v", box)
	}
	pid := box.GPUs[0].Leases[0].PID
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	b.await("ours", "has", uuid(0))
	b.await("again", "waits", "GPU 0 has run ours of root")
	must(t, ours.Process.Signal(syscall.SIGTERM))
	b.await("again", "ends", uuid(0))
	for _, name := range fileNames(b.leases()) {
		if st, err := os.Stat(filepath.Join(b.leases(), name)); err == nil && st.Mode().Perm() != 0o666 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
	}
}
