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
	"unicode"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// OptionSet is a named selection of options, such as the images @cohort-a. It
// belongs to one project, and is a file of the person.
type OptionSet struct {
	Name string `json:"name"` // without the @
	// URI is the list that it was chosen from, as in the descriptor.
	URI    string    `json:"uri,omitempty"`
	IDs    []string  `json:"ids"`
	Labels []string  `json:"labels,omitempty"` // as many as IDs, or none
	Saved  time.Time `json:"saved"`

	Schema  int       `json:"schema"`
	Server  string    `json:"server"`
	Project client.ID `json:"project"`
}

// isSavedName tells whether a person may choose a name for a file so.
func isSavedName(name string) bool {
	if name == "" || utf8.RuneCountInString(name) > 64 || strings.ContainsRune("_.+-", rune(name[0])) {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("_.+-", r)
	}) < 0
}

func checkName(what, name string) error {
	if !isSavedName(name) {
		return fmt.Errorf("%q is no name for a %s; use up to 64 letters, digits, - and _, and begin with a letter or a digit", text.Line(name), what)
	}
	return nil
}

// optionSetFolder is where the selections of the session's project lie.
func (s *Session) optionSetFolder() string {
	project := s.Project.ID
	if project == 0 {
		project = s.Profile.Project // not connected yet: the one used last
	}
	host := strings.NewReplacer("https://", "", "http://", "", "/", "_", ":", "_").Replace(s.Profile.URL)
	return filepath.Join(s.Env.Paths.Data, "selections", host, idText(project))
}

func (s *Session) optionSetPath(name string) (string, error) {
	name = strings.TrimPrefix(name, "@")
	if err := checkName("selection", name); err != nil {
		return "", err
	}
	return filepath.Join(s.optionSetFolder(), name+".json"), nil
}

// OptionSets lists the selections of the project by name; with a uri only those
// that were chosen from that list.
func (s *Session) OptionSets(uri string) ([]OptionSet, error) {
	files, err := filepath.Glob(filepath.Join(s.optionSetFolder(), "*.json"))
	if err != nil {
		return nil, err
	}
	var sets []OptionSet
	for _, file := range files {
		set, err := readOptionSet(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if uri == "" || set.URI == "" || set.URI == uri {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b OptionSet) int { return strings.Compare(a.Name, b.Name) })
	return sets, nil
}

// OptionSet reads one selection, with or without the @ before its name.
func (s *Session) OptionSet(name string) (OptionSet, error) {
	path, err := s.optionSetPath(name)
	if err != nil {
		return OptionSet{}, err
	}
	set, err := readOptionSet(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = client.NotFound("no selection @%s in project %s%s", strings.TrimPrefix(name, "@"), text.Line(s.Project.Name), s.otherSets())
	}
	return set, err
}

func (s *Session) otherSets() string {
	sets, err := s.OptionSets("")
	if err != nil || len(sets) == 0 {
		return "; 'cytorun options ALGORITHM PARAMETER --save @NAME' makes one"
	}
	var names []string
	for _, set := range sets[:min(len(sets), 8)] {
		names = append(names, "@"+set.Name)
	}
	return "; there are " + strings.Join(names, ", ")
}

func readOptionSet(path string) (OptionSet, error) {
	var set OptionSet
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &set)
	}
	if err != nil {
		return OptionSet{}, fmt.Errorf("cannot read the selection %s: %w", path, err)
	}
	set.Name = strings.TrimSuffix(filepath.Base(path), ".json")
	if len(set.Labels) != len(set.IDs) {
		set.Labels = nil
	}
	return set, nil
}

// SaveOptionSet keeps a selection for the project; one of the same name is
// replaced.
func (s *Session) SaveOptionSet(set OptionSet) error {
	set.Name = strings.TrimPrefix(set.Name, "@")
	path, err := s.optionSetPath(set.Name)
	if err != nil {
		return err
	}
	if len(set.IDs) == 0 {
		return fmt.Errorf("the selection @%s would be empty; choose some options first", set.Name)
	}
	set.Schema, set.Server, set.Project, set.Saved = runner.Schema, s.Profile.URL, s.Project.ID, s.Env.Now().UTC()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot keep the selection: %w", err)
	}
	return runner.WriteJSON(path, set)
}

// DeleteOptionSet forgets a selection.
func (s *Session) DeleteOptionSet(name string) error {
	path, err := s.optionSetPath(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return client.NotFound("no selection @%s in this project", strings.TrimPrefix(name, "@"))
	} else if err != nil {
		return fmt.Errorf("cannot remove the selection: %w", err)
	}
	return nil
}

// expandSets puts the ids of selections in the place of their names. labels are
// the names of all ids where the selections know them all.
func (s *Session) expandSets(p descriptor.Parameter, value string) (ids string, labels []string, err error) {
	if !strings.Contains(value, "@") || p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
		return value, nil, nil
	}
	var words []string
	complete := true
	seen := map[string]bool{}
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		if !strings.HasPrefix(word, "@") {
			words, complete = append(words, word), false
			continue
		}
		set, err := s.OptionSet(word)
		if err != nil {
			return "", nil, forms.Problems{{Parameter: p.ID, Message: err.Error()}}
		}
		complete = complete && set.Labels != nil
		for i, id := range set.IDs {
			if seen[id] {
				continue
			}
			seen[id] = true
			words = append(words, id)
			if set.Labels != nil {
				labels = append(labels, set.Labels[i])
			}
		}
	}
	if !complete {
		labels = nil
	}
	return strings.Join(words, ","), labels, nil
}
