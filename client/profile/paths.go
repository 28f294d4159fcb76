// Package profile knows where cytorun keeps its files and which servers a
// person uses: config.toml (servers, no secrets), credentials.toml (keys, mode
// 0600), the environment, and how these and the flags of a command become one
// Profile with its Keys.
//
// Rules:
//   - a key is only ever sent to the server it was given for: keys of the
//     environment do not go to a server chosen by name, and keys of a profile
//     do not go to another address;
//   - both files are replaced in one step under a lock, so that two programs
//     never mix their writes, and settings that this version does not know are
//     kept;
//   - nothing is created before something is stored.
package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Paths are the folders that cytorun uses, all absolute. They follow the XDG
// base directories; the table [paths] of config.toml moves each but Config.
type Paths struct {
	Config string // config.toml and credentials.toml
	Data   string // presets and named selections
	State  string // drafts, stars, our own log
	Cache  string // what servers answered

	Runs       string // run folders
	Containers string // container images, large
	// Weights holds what programs download once and load in each run, such as
	// the weights of models, large.
	Weights string
	// Tmp holds what is only needed while a container is built or unpacked,
	// large. Empty means: beside the containers.
	Tmp string
	// Work holds the work folders of runs (HOME, working directory and tmp of
	// the program), large. Empty means: each inside its run folder.
	Work string
}

// DefaultPaths gives the folders of this person from XDG_CONFIG_HOME,
// XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME and the table [paths] of
// config.toml. It creates nothing.
func DefaultPaths() (Paths, error) {
	var p Paths
	for _, dir := range []struct {
		into          *string
		env, fallback string
	}{
		{&p.Config, "XDG_CONFIG_HOME", ".config"},
		{&p.Data, "XDG_DATA_HOME", ".local/share"},
		{&p.State, "XDG_STATE_HOME", ".local/state"},
		{&p.Cache, "XDG_CACHE_HOME", ".cache"},
	} {
		base := os.Getenv(dir.env)
		if !filepath.IsAbs(base) { // the specification says to ignore a relative one
			home, err := os.UserHomeDir()
			if err != nil {
				return Paths{}, fmt.Errorf("no place for cytorun's files: %w; set HOME or %s", err, dir.env)
			}
			base = filepath.Join(home, dir.fallback)
		}
		*dir.into = filepath.Join(base, "cytorun")
	}
	config, err := Load(p)
	if err != nil {
		return Paths{}, err
	}
	return config.Paths.apply(p)
}

// PathSettings is the table [paths] of config.toml. An empty field leaves the
// folder where it is. A leading ~ and $VARIABLES are replaced.
type PathSettings struct {
	Data       string `toml:"data,omitempty"`
	State      string `toml:"state,omitempty"`
	Cache      string `toml:"cache,omitempty"`
	Runs       string `toml:"runs,omitempty"`
	Containers string `toml:"containers,omitempty"`
	Weights    string `toml:"weights,omitempty"`
	Work       string `toml:"work,omitempty"`
	Tmp        string `toml:"tmp,omitempty"`
}

// Set sets one folder by its name in the file, or with an empty one leaves it
// where it is by default.
func (s *PathSettings) Set(name, folder string) error {
	fields := map[string]*string{
		"data": &s.Data, "state": &s.State, "cache": &s.Cache, "runs": &s.Runs, "containers": &s.Containers,
		"weights": &s.Weights, "work": &s.Work, "tmp": &s.Tmp,
	}
	field, ok := fields[name]
	if !ok {
		return &UsageError{fmt.Sprintf("no folder %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))}
	}
	if folder != "" {
		if _, err := Expand(folder); err != nil {
			return &UsageError{fmt.Sprintf("cannot use %s = %q: %v", name, folder, err)}
		}
	}
	*field = folder
	return nil
}

// apply gives p with the folders of s, and the ones below State and Cache.
func (s PathSettings) apply(p Paths) (Paths, error) {
	set := func(into *string, name, value string) error {
		if value == "" {
			return nil
		}
		dir, err := Expand(value)
		if err != nil {
			return fmt.Errorf("cannot use %s = %q in [paths] of %s: %w", name, value, configFile(p), err)
		}
		*into = dir
		return nil
	}
	err := errors.Join(set(&p.Data, "data", s.Data), set(&p.State, "state", s.State), set(&p.Cache, "cache", s.Cache))
	p.Runs = filepath.Join(p.State, "runs")
	p.Containers = filepath.Join(p.Cache, "containers")
	p.Weights = filepath.Join(p.Cache, "weights")
	err = errors.Join(err, set(&p.Runs, "runs", s.Runs), set(&p.Containers, "containers", s.Containers))
	if s.Containers != "" {
		// Who moves one kind of large things wants the other one there too.
		p.Weights = filepath.Join(p.Containers, "weights")
	}
	err = errors.Join(err,
		set(&p.Weights, "weights", s.Weights), set(&p.Work, "work", s.Work), set(&p.Tmp, "tmp", s.Tmp))
	if err != nil {
		return Paths{}, err
	}
	return p, nil
}

// Expand replaces a leading ~ and environment variables in a path, which must
// then be absolute.
func Expand(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = home + path[1:]
	}
	var unset string
	path = os.Expand(path, func(name string) string {
		value, ok := os.LookupEnv(name)
		if !ok {
			unset = name
		}
		return value
	})
	if unset != "" {
		return "", fmt.Errorf("the environment variable %s is not set", unset)
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("not an absolute path")
	}
	return filepath.Clean(path), nil
}

// Make creates the folders that hold settings, secrets, state and answers of
// servers, open to their owner only. Folders that exist keep their mode.
func (p Paths) Make() error {
	for _, dir := range []string{p.Config, p.Data, p.State, p.Cache, p.Runs, p.Containers, p.Work} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make a folder of cytorun: %w%s", err, hint(err))
		}
	}
	return nil
}

// hint says what to do about a folder that cannot be made or written.
func hint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "; check who owns it, or move it with [paths] in config.toml"
	}
	return ""
}
