package apptainer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// schema is the version of the JSON files of the cache.
const schema = 1

// recheck is how long the checksum of a file that did not change is trusted.
const recheck = 7 * 24 * time.Hour

// cache is the folder of containers:
//
//	sha256-HEX.sif    a container, by the digest of the image it was made from
//	sha256-HEX.json   what is known of it (record); its time is the last use
//	refs/HEX.json     what a reference meant when it was last asked (meaning)
//	locks/HEX.lock    held while that digest is fetched
//	tmp/HEX/          layers on their way; kept when a fetch is cut off
type cache struct{ dir string }

// record is what is known of one container file.
type record struct {
	Schema    int       `json:"schema"`
	Digest    string    `json:"digest"`
	Reference string    `json:"reference"` // the first one that it was fetched by
	Size      int64     `json:"size"`
	ModTime   time.Time `json:"mod_time"`
	SHA256    string    `json:"sha256"`
	Fetched   time.Time `json:"fetched"`
	Checked   time.Time `json:"checked"`
}

// meaning is what a reference stands for.
type meaning struct {
	Schema    int    `json:"schema"`
	Reference string `json:"reference"`
	// Asked is what the registry called the reference: the digest of an index
	// of several architectures, or of the image.
	Asked  string `json:"asked,omitempty"`
	Digest string `json:"digest"` // of the image, or of a file
	// Size and ModTime are those of a file on this box when its digest was taken.
	Size     int64     `json:"size,omitempty"`
	ModTime  time.Time `json:"mod_time,omitzero"`
	Resolved time.Time `json:"resolved"`
}

func (c cache) sif(digest string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(digest, ":", "-")+".sif")
}

func (c cache) lockPath(digest string) string {
	return filepath.Join(c.dir, "locks", strings.TrimPrefix(digest, "sha256:")+".lock")
}

func (c cache) recordPath(digest string) string {
	return strings.TrimSuffix(c.sif(digest), ".sif") + ".json"
}

func (c cache) meaningPath(reference string) string {
	h := sha256.Sum256([]byte(reference))
	return filepath.Join(c.dir, "refs", hex.EncodeToString(h[:16])+".json")
}

// meaning reads what a reference meant last.
func (c cache) meaning(reference string) (meaning, bool) {
	var m meaning
	if c.dir == "" {
		return m, false
	}
	return m, readJSON(c.meaningPath(reference), &m) && m.Reference == reference && validDigest(m.Digest)
}

func (c cache) setMeaning(m meaning) error {
	m.Schema, m.Resolved = schema, time.Now().UTC()
	return writeJSON(c.meaningPath(m.Reference), m)
}

// whole tells whether the container of digest is here, complete, and the one
// that was fetched. A file that changed or was not looked at for a week is read
// and compared with its checksum.
func (c cache) whole(digest string, progress func(string)) (bool, error) {
	var r record
	if !readJSON(c.recordPath(digest), &r) || r.Digest != digest {
		return false, nil
	}
	before := r
	ok, err := check(c.sif(digest), &r, progress)
	if !ok {
		return false, err
	}
	if r != before {
		return true, writeJSON(c.recordPath(digest), r)
	}
	// The time of the record tells when it was used.
	now := time.Now()
	_ = os.Chtimes(c.recordPath(digest), now, now)
	return true, nil
}

// check compares a container with its record, and renews the record where it
// had to read the whole file.
func check(path string, r *record, progress func(string)) (bool, error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if st.Size() != r.Size {
		return false, nil
	}
	if !st.ModTime().Equal(r.ModTime) || time.Since(r.Checked) > recheck {
		progress("checking the container")
		sum, err := sumFile(path)
		if err != nil {
			return false, err
		}
		if sum != r.SHA256 {
			return false, nil
		}
		r.ModTime, r.Checked = st.ModTime(), time.Now().UTC()
	}
	return checkSIF(path) == nil, nil
}

// adopt moves a new container file into the cache.
func (c cache) adopt(tmp, digest, reference string) error {
	if err := checkSIF(tmp); err != nil {
		os.Remove(tmp)
		return err
	}
	sum, err := sumFile(tmp)
	if err != nil {
		return fileError("read the new container", err)
	}
	if err := syncFile(tmp); err != nil {
		return fileError("write the container", err)
	}
	st, err := os.Stat(tmp)
	if err != nil {
		return fileError("read the new container", err)
	}
	path := c.sif(digest)
	if err := os.Rename(tmp, path); err != nil {
		return fileError("move the container into the cache", err)
	}
	now := time.Now().UTC()
	return writeJSON(c.recordPath(digest), record{
		Schema: schema, Digest: digest, Reference: reference,
		Size: st.Size(), ModTime: st.ModTime(), SHA256: sum, Fetched: now, Checked: now,
	})
}

// Cached tells whether the container of a reference is on this box, and its
// size in bytes, without asking anybody.
func Cached(cacheDir, reference string) (Container, int64, bool) {
	src, err := parse(reference)
	if err != nil {
		return Container{}, 0, false
	}
	if src.kind == fromFile {
		st, err := os.Stat(src.path)
		if err != nil || st.IsDir() {
			return Container{}, 0, false
		}
		return Container{Path: src.path, Reference: reference}, st.Size(), true
	}
	for _, c := range []cache{{cacheDir}, {SiteCache()}} {
		if c.dir == "" {
			continue
		}
		m, ok := c.meaning(reference)
		if exact, is := src.ref.(name.Digest); !ok && is && validDigest(exact.DigestStr()) {
			m.Digest, ok = exact.DigestStr(), true
		}
		if !ok {
			continue
		}
		if st, err := os.Stat(c.sif(m.Digest)); err == nil {
			return Container{Path: c.sif(m.Digest), Digest: m.Digest, Reference: reference}, st.Size(), true
		}
	}
	return Container{}, 0, false
}

// Meant is the digest that a reference had when it was last asked for, "" where
// it never was. Nobody is asked.
func Meant(cacheDir, reference string) string {
	src, err := parse(reference)
	if err != nil {
		return ""
	}
	for _, c := range []cache{{cacheDir}, {SiteCache()}} {
		if m, ok := c.meaning(reference); ok {
			return m.Digest
		}
	}
	if exact, is := src.ref.(name.Digest); is && validDigest(exact.DigestStr()) {
		return exact.DigestStr()
	}
	return ""
}

// validDigest keeps what a file of ours says from naming another path.
func validDigest(d string) bool {
	h, ok := strings.CutPrefix(d, "sha256:")
	return ok && len(h) == 64 && strings.Trim(h, "0123456789abcdef") == ""
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// readJSON tells whether path held JSON of a schema that we know.
func readJSON(path string, v any) bool {
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var s struct {
		Schema int `json:"schema"`
	}
	return json.Unmarshal(data, &s) == nil && s.Schema == schema && json.Unmarshal(data, v) == nil
}

// writeJSON replaces path at once.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fileError("write the container cache", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return fileError("write the container cache", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fileError("write the container cache", fmt.Errorf("%s: %w", path, err))
	}
	return nil
}
