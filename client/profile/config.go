package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client"
)

// Profile is a server that a person uses, without the keys.
type Profile struct {
	// Name is what the person calls it. Empty when it comes from the
	// environment or from flags.
	Name string      `toml:"-"`
	Kind client.Kind `toml:"kind"`
	URL  string      `toml:"url"`          // without a trailing slash
	CA   string      `toml:"ca,omitempty"` // a PEM file with certificates to trust for this server
	// User is the user name that the keys belonged to at login.
	User string `toml:"user,omitempty"`
	// Project is the one opened last.
	Project client.ID `toml:"project,omitzero"`
	// SignaturePrefix tells whether the path of URL (for a site below
	// https://host/path) is part of what requests sign. Login finds out.
	SignaturePrefix bool `toml:"signature_prefix,omitempty"`
	// Trust is the SHA-256 fingerprint of the server's certificate (64
	// lower-case hex digits) that the person chose to trust as it is.
	Trust string `toml:"trust,omitempty"`
}

// Config is config.toml.
type Config struct {
	// Current names the profile used last.
	Current  string             `toml:"current,omitempty"`
	Paths    PathSettings       `toml:"paths,omitempty"`
	Profiles map[string]Profile `toml:"profiles,omitempty"`

	// rest is the whole file as it was read, so that writing keeps what this
	// version does not know.
	rest map[string]any
}

func configFile(p Paths) string { return filepath.Join(p.Config, "config.toml") }

// Load reads config.toml. No file is an empty Config.
func Load(p Paths) (Config, error) {
	config := Config{Profiles: map[string]Profile{}}
	data, err := os.ReadFile(configFile(p))
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("cannot read the settings: %w", err)
	}
	if err := decode(configFile(p), data, &config); err != nil {
		return Config{}, err
	}
	if err := decode(configFile(p), data, &config.rest); err != nil {
		return Config{}, err
	}
	for name, profile := range config.Profiles {
		profile.Name = name
		if profile.Kind == "" {
			profile.Kind = client.Cytomine
		}
		profile.URL = strings.TrimRight(profile.URL, "/")
		config.Profiles[name] = profile
	}
	if config.Profiles == nil {
		config.Profiles = map[string]Profile{}
	}
	return config, nil
}

// decode reads TOML and names the line of a mistake.
func decode(file string, data []byte, into any) error {
	err := toml.Unmarshal(data, into)
	var mistake toml.ParseError
	if errors.As(err, &mistake) {
		return fmt.Errorf("%s:%d: %s; mend the file or move it away", file, mistake.Position.Line, mistake.Message)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; mend the file or move it away", file, err)
	}
	return nil
}

// Update changes config.toml: it reads the file, lets change edit it, and
// replaces it in one step while no other program does the same. Comments in
// the file are not kept.
func Update(p Paths, change func(*Config) error) error {
	return locked(p, func() error {
		config, err := Load(p)
		if err != nil {
			return err
		}
		if err := change(&config); err != nil {
			return err
		}
		data, err := config.encode()
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", configFile(p), err)
		}
		return writeFile(configFile(p), data)
	})
}

// encode writes the known settings over the ones that were read.
func (c Config) encode() ([]byte, error) {
	known, err := marshal(c)
	if err != nil {
		return nil, err
	}
	var fresh map[string]any
	if err := toml.Unmarshal(known, &fresh); err != nil {
		return nil, err
	}
	all := map[string]any{}
	maps.Copy(all, c.rest)
	for _, name := range []string{"current", "paths", "profiles"} {
		delete(all, name)
	}
	maps.Copy(all, fresh)
	keepUnknown(all, c.rest, "paths")
	if profiles, ok := all["profiles"].(map[string]any); ok {
		if old, ok := c.rest["profiles"].(map[string]any); ok {
			for name := range profiles {
				keepUnknown(profiles, old, name)
			}
		}
	}
	return marshal(all)
}

// keepUnknown adds to table[name] what old[name] has and no field of ours
// holds.
func keepUnknown(table, old map[string]any, name string) {
	now, _ := table[name].(map[string]any)
	before, _ := old[name].(map[string]any)
	for key, value := range before {
		if slices.Contains(knownKeys, key) {
			continue
		}
		if now == nil {
			now = map[string]any{}
			table[name] = now
		}
		now[key] = value
	}
}

// knownKeys are the settings in [paths] and in a profile that this version
// writes itself, so that an emptied one does not come back.
var knownKeys = []string{
	"data", "state", "cache", "runs", "containers", "weights", "work", "tmp",
	"kind", "url", "ca", "user", "project", "signature_prefix", "trust",
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := toml.NewEncoder(&b)
	encoder.Indent = ""
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Remember notes the server and the project used last. A profile without a
// name (from the environment) is not remembered; a project of 0 leaves the
// remembered one.
func Remember(p Paths, name string, project client.ID) error {
	if name == "" {
		return nil
	}
	config, err := Load(p)
	if err != nil {
		return err
	}
	known, ok := config.Profiles[name]
	if ok && config.Current == name && (project == 0 || known.Project == project) {
		return nil // nothing new: the file stays untouched
	}
	return Update(p, func(c *Config) error {
		known, ok := c.Profiles[name]
		if !ok {
			return fmt.Errorf("no server named %q; see 'cytorun profile'", name)
		}
		c.Current = name
		if project != 0 {
			known.Project = project
			c.Profiles[name] = known
		}
		return nil
	})
}
