package apptainer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// probeAge is how long what a command said of itself is believed: behind a file
// that does not change another one may be exchanged.
const probeAge = 24 * time.Hour

// probed is what a command said of itself, kept in a file so that one box asks
// once.
type probed struct {
	Schema  int       `json:"schema"`
	Path    string    `json:"path"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mod_time"`
	Inode   uint64    `json:"inode"`
	Asked   time.Time `json:"asked"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	// Conf is the file of the site's configuration, and SUID tells whether the
	// starter runs as root; see buildcfg.
	Conf string `json:"conf,omitempty"`
	SUID bool   `json:"suid,omitempty"`
}

// probeFile keeps what the commands of this box said, "" where there is no
// place for it.
func probeFile(path string) string {
	base := os.Getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		if base = os.Getenv("HOME"); base == "" {
			return ""
		}
		base = filepath.Join(base, ".cache")
	}
	return filepath.Join(base, "cytorun", "runtime"+strings.ReplaceAll(path, "/", "-")+".json")
}

// probe learns what a command is, from what it said the last time or from
// itself.
func probe(path string) (*Apptainer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	now := probed{Schema: schema, Path: path, Size: st.Size(), ModTime: st.ModTime().UTC(), Asked: time.Now().UTC()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		now.Inode = sys.Ino
	}
	var known probed
	file := probeFile(path)
	if age := time.Duration(0); file != "" && readJSON(file, &known) {
		age = now.Asked.Sub(known.Asked)
		if known.Path == path && known.Size == now.Size && known.ModTime.Equal(now.ModTime) && known.Inode == now.Inode && age >= 0 && age < probeAge {
			return known.apptainer(), nil
		}
	}
	if err := now.ask(); err != nil {
		return nil, err
	}
	if file != "" {
		_ = writeJSON(file, now) // the next one asks again
	}
	return now.apptainer(), nil
}

// ask gets the version, "apptainer version 1.4.5-2", "singularity version
// 3.8.7", "singularity-ce version 3.11.4-jammy", and how it was built.
func (p *probed) ask() error {
	out, err := words(p.Path, "--version")
	if err != nil {
		return err
	}
	name, version, ok := strings.Cut(strings.TrimSpace(out), " version ")
	if !ok || !(name == "apptainer" || strings.HasPrefix(name, "singularity")) {
		return fmt.Errorf("%s is no apptainer: it says %q", p.Path, oneLine(out))
	}
	version, _, _ = strings.Cut(strings.TrimSpace(version), "-")
	version, _, _ = strings.Cut(version, "+")
	p.Name, p.Version = name, version
	// Without an answer nothing is known of the site, and the container itself
	// will tell.
	if out, err := words(p.Path, "buildcfg"); err == nil {
		p.buildcfg(out)
	}
	return nil
}

// buildcfg reads how the command was built: NAME=VALUE in each line.
func (p *probed) buildcfg(out string) {
	lib, flavour := "", "apptainer"
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if !filepath.IsAbs(value) {
			continue
		}
		switch key {
		case "APPTAINER_CONF_FILE":
			p.Conf = value
		case "SINGULARITY_CONF_FILE":
			p.Conf, flavour = value, "singularity"
		case "LIBEXECDIR":
			lib = value
		}
	}
	if lib != "" {
		st, err := os.Stat(filepath.Join(lib, flavour, "bin", "starter-suid"))
		p.SUID = err == nil && st.Mode()&os.ModeSetuid != 0
	}
}

// words runs a command that only says something.
func words(path string, args ...string) (string, error) {
	cmd := exec.Command(path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("%s does not start: %w", path, err)
	}
	stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s does not say its version: %w: %s", path, err, refusal(stderr.String()))
	}
	return stdout.String(), nil
}

// apptainer is what follows from what the command said.
func (p probed) apptainer() *Apptainer {
	a := &Apptainer{Path: p.Path, Name: p.Name, Version: p.Version, conf: p.Conf, suid: p.SUID}
	// --no-eval came with Apptainer 1.1 and SingularityCE 3.10, limits for all
	// users with Apptainer 1.1 and SingularityCE 3.10.
	if a.Name == "apptainer" {
		a.noEval = a.atLeast(1, 1)
		a.fastBuild = a.atLeast(1, 2)
	} else {
		a.noEval = a.atLeast(3, 10)
	}
	a.limits = a.noEval
	a.unsquash = os.Geteuid() != 0 && !fuseOpens()
	return a
}

// others are programs that run containers and that cytorun does not use.
var others = []struct{ command, why string }{
	{"podman", "podman is here but does not help: it knows no SIF files"},
	{"docker", "docker is here but does not help: its containers run as root under its daemon, so that a run would not be yours"},
}

// missing says what to do without any apptainer.
func missing() error {
	for _, o := range others {
		if _, err := exec.LookPath(o.command); err == nil {
			return fmt.Errorf("%w (%s)", ErrMissing, o.why)
		}
	}
	return ErrMissing
}
