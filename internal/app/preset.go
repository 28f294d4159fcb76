package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Preset is a set of values of an algorithm under a name. It is a parameter file
// of its own, so that it can be edited, copied and sent to a colleague; a file
// that is put into the folder of its algorithm is a preset.
type Preset struct {
	Name, Algorithm string
	Path            string
	Saved           time.Time
	Values          []client.Value // with the origin client.FromPreset
}

const presetSuffix = ".toml"

func (e *Env) presetFolder(algorithm string) string {
	name := url.PathEscape(algorithm)
	if strings.HasPrefix(name, ".") {
		name = "%2E" + name[1:]
	}
	return filepath.Join(e.Paths.Data, "presets", name)
}

func (e *Env) presetPath(algorithm, name string) (string, error) {
	if err := checkName("preset", name); err != nil {
		return "", err
	}
	return filepath.Join(e.presetFolder(algorithm), name+presetSuffix), nil
}

// Presets lists the presets of an algorithm by name, or of all algorithms where
// none is named, without their values. Part of a name will do where it is the
// name of one algorithm only.
func (e *Env) Presets(algorithm string) ([]Preset, error) {
	pattern := filepath.Join(e.Paths.Data, "presets", "*", "*"+presetSuffix)
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var presets []Preset
	algorithm, _, _ = strings.Cut(strings.ToLower(algorithm), "@")
	exact := false
	for _, file := range files {
		of, err := url.PathUnescape(filepath.Base(filepath.Dir(file)))
		if err != nil || !strings.Contains(strings.ToLower(of), algorithm) {
			continue
		}
		exact = exact || strings.EqualFold(of, algorithm)
		p := Preset{Name: strings.TrimSuffix(filepath.Base(file), presetSuffix), Algorithm: of, Path: file}
		if info, err := os.Stat(file); err == nil {
			p.Saved = info.ModTime()
		}
		presets = append(presets, p)
	}
	if exact {
		presets = slices.DeleteFunc(presets, func(p Preset) bool { return !strings.EqualFold(p.Algorithm, algorithm) })
	}
	slices.SortFunc(presets, func(a, b Preset) int {
		if n := strings.Compare(a.Algorithm, b.Algorithm); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return presets, nil
}

// Preset reads a preset of an algorithm. A file that cannot be read as one is a
// forms.Problems error.
func (e *Env) Preset(algorithm, name string) (Preset, error) {
	all, err := e.Presets(algorithm)
	if err != nil {
		return Preset{}, err
	}
	for i := range all {
		if all[i].Algorithm != all[0].Algorithm {
			return Preset{}, &ErrAmbiguous{What: "algorithms", Name: algorithm, Candidates: []string{all[0].Algorithm, all[i].Algorithm}}
		}
	}
	i := slices.IndexFunc(all, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		var names []string
		for _, p := range all {
			names = append(names, p.Name)
		}
		hint := "; there are none"
		if len(names) > 0 {
			hint = "; there are " + strings.Join(names, ", ")
		}
		return Preset{}, client.NotFound("no preset %q of %s%s", text.Line(name), text.Line(algorithm), hint)
	}
	p := all[i]
	file, err := ReadParameters(p.Path)
	p.Values = file.Values
	for k := range p.Values {
		p.Values[k].Origin = client.FromPreset
	}
	return p, err
}

// SavePreset keeps values of an algorithm under a name; a preset of the same name
// is replaced. Values that are just the algorithm's defaults stay out, so that a
// later version of it may have others.
func (e *Env) SavePreset(a client.Algorithm, name string, values []client.Value) (Preset, error) {
	path, err := e.presetPath(a.Name, name)
	if err != nil {
		return Preset{}, err
	}
	values = slices.DeleteFunc(slices.Clone(values), func(v client.Value) bool { return v.Origin == client.FromDefault })
	if len(values) == 0 {
		return Preset{}, fmt.Errorf("the preset %s would be empty: all values are the defaults of %s", name, text.Line(a.Name))
	}
	var b bytes.Buffer
	err = forms.WriteFile(&b, UserParameters(a), values, forms.FileStyle{ChosenOnly: true, Title: []string{
		fmt.Sprintf("Preset %s of %s, for 'cytorun run %s --preset %s'.", name, a.FullName(), quoteName(a.Name), name),
		"A line that begins with # counts for nothing; take it away to set the value. What is not set has its default.",
	}})
	if err != nil {
		return Preset{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Preset{}, fmt.Errorf("cannot keep the preset: %w", err)
	}
	if err := runner.WriteFile(path, b.Bytes()); err != nil {
		return Preset{}, err
	}
	return Preset{Name: name, Algorithm: a.Name, Path: path, Saved: e.Now(), Values: values}, nil
}

// DeletePreset forgets a preset.
func (e *Env) DeletePreset(algorithm, name string) error {
	p, err := e.Preset(algorithm, name)
	var problems forms.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	if err := os.Remove(p.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the preset: %w", err)
	}
	return nil
}

// LastUsed gives the values of the newest run of an algorithm in this project,
// whatever its version, and when it was launched; run folders keep them.
func (s *Session) LastUsed(algorithm string) (values []client.Value, at time.Time, ok bool) {
	runs, err := s.runs()
	if err != nil {
		return nil, time.Time{}, false
	}
	for _, light := range runs { // newest first
		if light.Algorithm.Name != algorithm || light.Person != s.User.Username {
			continue
		}
		run, err := runner.ReadFolder(light.Folder)
		if err != nil {
			continue
		}
		for _, v := range run.Values {
			if v.Origin != client.FromDefault {
				v.Origin = client.FromLast
			}
			values = append(values, v)
		}
		return values, run.Created, true
	}
	return nil, time.Time{}, false
}
