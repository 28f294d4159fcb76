package apptainer

import (
	"cmp"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client/profile"
)

// SiteCache is a folder of containers that a site keeps for all its users and
// that they only read: CYTORUN_SITE_CONTAINERS, or [containers] site of
// config.toml; "" where there is none. It is made by fetching into it, and by
// chmod -R a+rX.
func SiteCache() string {
	return cmp.Or(os.Getenv("CYTORUN_SITE_CONTAINERS"), settings().Site)
}

// Patience is how long a run waits for a registry that is away:
// CYTORUN_REGISTRY_WAIT, or [containers] wait of config.toml, such as "8h"; an
// hour where nothing is said.
func Patience() time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv("CYTORUN_REGISTRY_WAIT"), settings().Wait))
	if err != nil {
		return time.Hour
	}
	return d
}

// containerSettings is the table [containers] of config.toml.
type containerSettings struct {
	Site string `toml:"site"`
	Wait string `toml:"wait"`
}

// settings reads the table; a file that cannot be read has none.
func settings() containerSettings {
	var config struct {
		Containers containerSettings `toml:"containers"`
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return config.Containers
	}
	if _, err := toml.DecodeFile(filepath.Join(paths.Config, "config.toml"), &config); err != nil {
		return containerSettings{}
	}
	return config.Containers
}

// fromSite gives the site's file of a container. What this user learned of it
// by reading it lies in the own cache, so that each file is read once a week and
// not at each start.
func (c cache) fromSite(digest string, progress func(string)) (path string, ok bool) {
	dir := SiteCache()
	if dir == "" {
		return "", false
	}
	site := cache{dir}
	var r, known record
	if !readJSON(site.recordPath(digest), &r) || r.Digest != digest {
		return "", false
	}
	if readJSON(c.recordPath(digest), &known) && known.SHA256 == r.SHA256 && known.Checked.After(r.Checked) {
		r.ModTime, r.Checked = known.ModTime, known.Checked
	}
	before := r
	if ok, err := check(site.sif(digest), &r, progress); err != nil || !ok {
		return "", false
	}
	if r != before {
		_ = writeJSON(c.recordPath(digest), r) // else it is read again next time
	}
	return site.sif(digest), true
}
