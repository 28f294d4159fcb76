package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// Doctor looks at everything that this box needs to run analyses, and names the
// command that mends what is missing.
func (e *Env) Doctor(ctx context.Context) []Check {
	checks := []Check{}
	checks = append(checks, e.checkApptainer(ctx)...)
	checks = append(checks, e.checkPaths()...)
	checks = append(checks, e.checkLocks(), checkGPUs(ctx), checkLogout(), checkProc())
	return checks
}

func (e *Env) checkApptainer(ctx context.Context) []Check {
	a, err := apptainer.Find()
	if err != nil {
		return []Check{{Name: "Apptainer", Text: err.Error(), Next: "cytorun doctor --install"}}
	}
	checks := []Check{{Name: "Apptainer", OK: true, Text: fmt.Sprintf("%s in %s", a.Version, a.Path)}}
	for _, p := range a.Check(ctx) {
		checks = append(checks, Check{Name: "containers", OK: !p.Fatal, Warn: true, Text: p.What, Next: p.Fix})
	}
	return checks
}

func (e *Env) checkPaths() []Check {
	var checks []Check
	for _, p := range []struct{ name, dir string }{
		{"runs", e.Paths.Runs}, {"containers", e.Paths.Containers}, {"work", e.Paths.Work}, {"config", e.Paths.Config},
	} {
		if p.dir == "" {
			continue
		}
		checks = append(checks, checkFolder(p.name, p.dir))
	}
	return checks
}

// checkFolder looks at the space of a folder, which may not exist yet.
func checkFolder(name, dir string) Check {
	there := dir
	for there != "/" {
		if _, err := os.Stat(there); err == nil {
			break
		}
		there = filepath.Dir(there)
	}
	if err := unix.Access(there, unix.W_OK|unix.X_OK); err != nil {
		return Check{Name: name, Text: fmt.Sprintf("cannot write to %s: %v", there, err), Next: "set [paths] in config.toml to a folder of yours"}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(there, &fs); err != nil {
		return Check{Name: name, Text: fmt.Sprintf("cannot look at %s: %v", there, err), Next: "set [paths] in config.toml to a folder of yours"}
	}
	free := int64(fs.Bavail) * int64(fs.Bsize)
	c := Check{Name: name, OK: true, Text: fmt.Sprintf("%s, %s free", dir, text.Bytes(free))}
	if free < minFree {
		c.Warn, c.Next = true, "free some space, or move it with [paths] in config.toml"
	}
	return c
}

// checkLocks tries the lock that run folders rely on; some network file systems
// accept it without locking anything.
func (e *Env) checkLocks() Check {
	path := filepath.Join(e.Paths.Runs, ".doctor-lock")
	defer os.Remove(path)
	a, b := flock.New(path), flock.New(path)
	defer a.Close()
	defer b.Close()
	got, err := a.TryLock()
	if err != nil || !got {
		return Check{Name: "locks", Text: fmt.Sprintf("cannot lock files in %s: %v", e.Paths.Runs, err), Next: "set [paths] state to a folder on a local disk"}
	}
	if twice, err := b.TryLock(); err != nil || twice {
		return Check{Name: "locks", Text: e.Paths.Runs + " gives one lock to two: its file system does not lock", Next: "set [paths] state to a folder on a local disk"}
	}
	return Check{Name: "locks", OK: true, Text: "files lock in " + e.Paths.Runs}
}

func checkGPUs(ctx context.Context) Check {
	devices, err := gpu.Discover(ctx)
	switch {
	case errors.Is(err, gpu.ErrMissing):
		return Check{Name: "GPUs", OK: true, Warn: true, Text: err.Error(), Next: "install the NVIDIA driver where this box has a GPU"}
	case err != nil:
		return Check{Name: "GPUs", Text: err.Error(), Next: "nvidia-smi says why; a new driver often needs a restart"}
	}
	var names []string
	for _, d := range devices {
		names = append(names, d.Name+", "+text.Bytes(d.Total))
	}
	return Check{Name: "GPUs", OK: true, Text: strings.Join(names, "; ")}
}

// checkLogout finds out whether runs survive the end of the last login.
func checkLogout() Check {
	if kills := supervisor.LogoutKills(); kills != "" {
		return Check{Name: "logout", OK: true, Warn: true, Text: "this box ends your processes when you log out (KillUserProcesses=yes), runs too", Next: "loginctl enable-linger"}
	}
	return Check{Name: "logout", OK: true, Text: "runs go on after you log out"}
}

// checkProc tells whether other users see the command lines of runs, which
// carry the keys of their jobs.
func checkProc() Check {
	b, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return Check{Name: "privacy", OK: true, Warn: true, Text: fmt.Sprintf("cannot read /proc/mounts: %v", err)}
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) > 3 && f[1] == "/proc" && (strings.Contains(f[3], "hidepid=2") || strings.Contains(f[3], "hidepid=invisible") || strings.Contains(f[3], "hidepid=1")) {
			return Check{Name: "privacy", OK: true, Text: "other users do not see your command lines (hidepid)"}
		}
	}
	return Check{Name: "privacy", OK: true, Warn: true, Text: "every user of this box sees command lines in /proc, those of runs hold the keys of their jobs", Next: "an administrator can mount /proc with hidepid=2"}
}
