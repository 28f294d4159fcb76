package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

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
	checks = append(checks, e.checkPlaces(ctx)...)
	checks = append(checks, e.checkState(), checkGPUs(ctx), checkLogout(), checkProc())
	return checks
}

func (e *Env) checkApptainer(ctx context.Context) []Check {
	a, err := apptainer.FindFor(e.Paths)
	if err != nil {
		return []Check{{Name: "Apptainer", Text: err.Error(), Next: "cytorun doctor --install"}}
	}
	checks := []Check{{Name: "Apptainer", OK: true, Text: fmt.Sprintf("%s, in %s", a.Kind(), a.Path)}}
	for _, p := range a.Check(ctx, e.Paths.Containers) {
		checks = append(checks, Check{Name: "containers", OK: !p.Fatal, Warn: true, Text: p.What, Next: p.Fix})
	}
	limits := Check{Name: "limits", OK: true, Text: "memory and processors of a container can be limited"}
	if err := a.Limits(); err != nil {
		limits.Warn, limits.Text = true, err.Error()
	}
	checks = append(checks, limits)
	if site := apptainer.SiteCache(); site != "" {
		checks = append(checks, checkSite(site))
	}
	return checks
}

// checkSite looks at the containers that the site keeps for everybody.
func checkSite(dir string) Check {
	c := Check{Name: "site", OK: true, Text: "containers of the site are read from " + dir}
	if _, err := os.ReadDir(dir); err != nil {
		c.Warn, c.Text, c.Next = true, fmt.Sprintf("the containers of the site cannot be read: %v", err), "chmod -R a+rX "+dir+", or mend [containers] site in config.toml"
	}
	return c
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
