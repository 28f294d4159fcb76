package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/cytorun/cytorun/runner"
)

// Mark is what a person noted of an analysis: it lies outside of the run folder,
// so that jobs that ran elsewhere have one too, and reading a run never depends
// on it.
type Mark struct {
	Star    bool      `json:"star,omitempty"`
	Note    string    `json:"note,omitempty"`
	Tags    []string  `json:"tags,omitempty"` // sorted, each once, in lower case
	Changed time.Time `json:"changed"`
	// Favorite tells that the job has a star on the server, where anyone of the project
	// may have given it.
	Favorite bool `json:"-"`
}

// Starred tells that it has a star, here or on the server.
func (m Mark) Starred() bool { return m.Star || m.Favorite }

// empty tells that nothing is noted.
func (m Mark) empty() bool { return !m.Star && m.Note == "" && len(m.Tags) == 0 }

// Kept tells that a person wants to keep the analysis: clean-ups leave it alone.
func (m Mark) Kept() bool { return m.Starred() || slices.Contains(m.Tags, "keep") }

// ParseTags reads tags as they are typed: words, with or without commas.
func ParseTags(s string) []string {
	tags := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '#' })
	slices.Sort(tags)
	return slices.Compact(tags)
}

// Marks are the marks of one server's analyses.
type Marks struct{ by map[string]Mark }

// Of is the mark of an analysis: of its job, else of its run.
func (m Marks) Of(a Analysis) (mark Mark) {
	for _, k := range markKeys(a) {
		if here, ok := m.by[k]; ok {
			mark = here
			break
		}
	}
	mark.Favorite = a.Job != nil && a.Job.Favorite
	return mark
}

// Tags are all tags in use, sorted.
func (m Marks) Tags() []string {
	var all []string
	for _, mark := range m.by {
		all = append(all, mark.Tags...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// markKeys are the keys under which the mark of an analysis may lie, the one to
// write first. A run that had no job yet is known by its id.
func markKeys(a Analysis) []string {
	var keys []string
	if id := a.JobID(); id != 0 {
		keys = append(keys, "job:"+idText(id))
	}
	if a.Run != nil {
		keys = append(keys, a.Run.ID)
	}
	return keys
}

// marksFile is marks.json, for all servers.
type marksFile struct {
	Schema  int                        `json:"schema"`
	Servers map[string]map[string]Mark `json:"servers"` // by URL, by key
}

func (e *Env) marksPath() string { return filepath.Join(e.Paths.State, "marks.json") }

func (e *Env) readMarks() (marksFile, error) {
	f := marksFile{Schema: runner.Schema}
	data, err := os.ReadFile(e.marksPath())
	if err == nil {
		err = json.Unmarshal(data, &f)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("cannot read the stars, notes and tags: %w", err)
	}
	if f.Servers == nil {
		f.Servers = map[string]map[string]Mark{}
	}
	return f, err
}

// Marks reads the marks of this session's server.
func (s *Session) Marks() (Marks, error) {
	f, err := s.Env.readMarks()
	return Marks{f.Servers[s.Profile.URL]}, err
}

// Mark changes the marks of analyses and gives all marks as they are then.
func (s *Session) Mark(analyses []Analysis, change func(*Mark)) (Marks, error) {
	if err := os.MkdirAll(s.Env.Paths.State, 0o700); err != nil {
		return Marks{}, fmt.Errorf("cannot keep the mark: %w", err)
	}
	lock := flock.New(s.Env.marksPath()+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return Marks{}, fmt.Errorf("cannot lock the stars, notes and tags: %w", err)
	}
	defer lock.Close()
	f, err := s.Env.readMarks()
	if err != nil {
		return Marks{}, err
	}
	if f.Schema > runner.Schema {
		return Marks{}, fmt.Errorf("cannot change %s: %w", s.Env.marksPath(), runner.ErrNewerSchema)
	}
	marks := f.Servers[s.Profile.URL]
	if marks == nil {
		marks = map[string]Mark{}
		f.Servers[s.Profile.URL] = marks
	}
	for _, a := range analyses {
		keys := markKeys(a)
		if len(keys) == 0 {
			continue
		}
		mark := Marks{marks}.Of(a)
		mark.Tags = slices.Clone(mark.Tags)
		change(&mark)
		for _, k := range keys {
			delete(marks, k)
		}
		if mark.Changed = s.Env.Now().UTC(); !mark.empty() {
			marks[keys[0]] = mark
		}
	}
	if err := runner.WriteJSON(s.Env.marksPath(), f); err != nil {
		return Marks{}, err
	}
	return Marks{marks}, nil
}
