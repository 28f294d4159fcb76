// Package apptainer runs containers with the apptainer (or singularity)
// command and keeps them in a cache.
//
// It does three things:
//   - Find looks for the command and learns what it can do;
//   - Ensure turns a reference into a checked SIF file in the cache;
//   - Command is the argv and environment that execute such a file, and
//     Explain says what its exit means.
//
// It starts no container itself: that is the keeper's work. Values reach the
// program byte for byte and never pass through a shell. The layers of an image
// are fetched from the registry in this process, because the command shows no
// progress; it only turns them into a SIF.
package apptainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client/profile"
)

// ErrMissing tells that neither apptainer nor singularity is on this box, or none
// that says its version.
var ErrMissing = errors.New("no apptainer or singularity works here; set it up with 'cytorun doctor --install'")

// Apptainer is an installed command.
type Apptainer struct {
	Path    string // absolute
	Name    string // "apptainer", "singularity" or "singularity-ce"
	Version string // such as "1.4.5", without a suffix of the distribution

	// Tmp is a folder for what is only needed while a container is built or
	// unpacked, such as [paths] tmp; empty leaves it beside the containers.
	Tmp string
	// Cache is a folder for the command's own cache; empty leaves it where the
	// command has it.
	Cache string

	noEval    bool   // --no-eval is known
	fastBuild bool   // --mksquashfs-args is known
	limits    bool   // --memory and --cpus are known
	unsquash  bool   // SIF files must be unpacked, as /dev/fuse is closed to us
	conf      string // the site's configuration
	suid      bool   // the starter runs as root, and so the site's limits hold
}

// Find looks in PATH, then where `cytorun doctor --install` puts the command:
// $XDG_DATA_HOME/cytorun/apptainer/bin and /opt/apptainer/bin. apptainer is
// preferred to singularity.
func Find() (*Apptainer, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	if data := dataHome(); data != "" {
		dirs = append(dirs, filepath.Join(data, "cytorun", "apptainer", "bin"))
	}
	dirs = append(dirs, "/opt/apptainer/bin")
	var broken error
	for _, name := range []string{"apptainer", "singularity"} {
		for _, dir := range dirs {
			if !filepath.IsAbs(dir) {
				continue
			}
			path := filepath.Join(dir, name)
			if st, err := os.Stat(path); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
				continue
			}
			a, err := probe(path)
			if err == nil {
				return a, nil
			}
			if broken == nil {
				broken = err
			}
		}
	}
	if broken != nil {
		return nil, fmt.Errorf("%w (%w)", broken, ErrMissing)
	}
	return nil, missing()
}

// FindFor is Find, and lets the command keep its files where a person wants them.
func FindFor(paths profile.Paths) (*Apptainer, error) {
	a, err := Find()
	if err != nil {
		return nil, err
	}
	a.Tmp, a.Cache = paths.Tmp, filepath.Join(paths.Containers, "apptainer")
	return a, nil
}

// dataHome is $XDG_DATA_HOME or its default, "" without a home.
func dataHome() string {
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return d
	}
	if h := os.Getenv("HOME"); h != "" {
		return filepath.Join(h, ".local", "share")
	}
	return ""
}

// atLeast compares the version.
func (a *Apptainer) atLeast(major, minor int) bool {
	parts := strings.SplitN(a.Version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	ma, err1 := strconv.Atoi(parts[0])
	mi, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return false
	}
	return ma > major || ma == major && mi >= minor
}

// prefix is what the names of the command's own environment variables begin
// with.
func (a *Apptainer) prefix() string {
	if a.Name == "apptainer" {
		return "APPTAINER"
	}
	return "SINGULARITY"
}

// fuseOpens tells whether we may mount a SIF with squashfuse.
func fuseOpens() bool {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
