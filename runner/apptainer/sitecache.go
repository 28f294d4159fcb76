package apptainer

import (
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client/profile"
)

// SiteCache is a folder of containers that a site keeps for all its users and
// that they only read: CYTORUN_SITE_CONTAINERS, or [containers] site of
// config.toml; "" where there is none. It is made by fetching into it, and by
// chmod -R a+rX.
func SiteCache() string {
	if dir := os.Getenv("CYTORUN_SITE_CONTAINERS"); dir != "" {
		return dir
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return ""
	}
	var config struct {
		Containers struct {
			Site string `toml:"site"`
		} `toml:"containers"`
	}
	if _, err := toml.DecodeFile(filepath.Join(paths.Config, "config.toml"), &config); err != nil {
		return ""
	}
	return config.Containers.Site
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
