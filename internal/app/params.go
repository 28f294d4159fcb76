package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
)

func quoteName(s string) string { return shellescape.Quote(text.Line(s)) }

// ReadParameters reads a parameter file, TOML or JSON; - is standard input. What
// is wrong with it is a forms.Problems error with the places in it; the values
// that could be read are returned all the same.
func ReadParameters(path string) (forms.File, error) {
	data, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return forms.File{}, client.NotFound("no parameter file %s; 'cytorun algorithms show NAME --template' prints one", text.Line(path))
	}
	if err != nil {
		return forms.File{}, fmt.Errorf("cannot read the parameter file: %w", err)
	}
	f, problems := forms.ReadFile(data)
	if len(problems) > 0 {
		return f, named(path, problems)
	}
	return f, nil
}

// readBounded reads a file, at most a little more than ReadFile accepts.
func readBounded(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, forms.MaxFile+1))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, forms.MaxFile+1))
}

// named gives problems the name of the file that they are in.
func named(path string, problems forms.Problems) forms.Problems {
	for i := range problems {
		problems[i].File = filepath.Base(path)
	}
	return problems
}

// WriteParameters writes values of an algorithm as a parameter file with a line
// and an explanation for every parameter. hints are further lines of explanation,
// by parameter.
func WriteParameters(w io.Writer, a client.Algorithm, values []client.Value, hints map[string][]string) error {
	return forms.WriteFile(w, UserParameters(a), values, forms.FileStyle{Hints: hints, Title: []string{
		fmt.Sprintf("Parameters of %s, for 'cytorun run %s --params FILE'.", a.FullName(), quoteName(a.Name)),
		`A parameter without a line has its default; "" is no value.`,
	}})
}

// Edit is a set of values in the person's own editor: a file that only the
// person can read, which lasts until the edit has come to an end.
type Edit struct {
	Path      string
	algorithm client.Algorithm
	before    []client.Value
	written   []byte // what the editor was given
}

// EditOutcome is what an editor left.
type EditOutcome struct {
	// Values are those in the file, nil while it must be edited again. Values that
	// were not touched keep their origin and labels.
	Values []client.Value
	// Again tells that something is wrong; the file says what, above each line.
	Again    bool
	Problems forms.Problems
}

// StartEdit writes the values of a form into a new file to be edited. hints are
// further lines of explanation, by parameter.
func (e *Env) StartEdit(a client.Algorithm, values []client.Value, hints map[string][]string) (*Edit, error) {
	dir := filepath.Join(e.Paths.State, "edits")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a file to edit: %w", err)
	}
	f, err := os.CreateTemp(dir, "parameters-*.toml") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("cannot make a file to edit: %w", err)
	}
	edit := &Edit{Path: f.Name(), algorithm: a, before: values}
	var b bytes.Buffer
	err = forms.WriteFile(&b, UserParameters(a), values, forms.FileStyle{Hints: hints, Title: []string{
		"Parameters of " + a.FullName() + ". Save and leave the editor to take them over.",
		`A parameter without a line gets its default; "" is no value.`,
	}})
	if err == nil {
		_, err = f.Write(b.Bytes())
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(f.Name())
		return nil, fmt.Errorf("cannot write the file to edit: %w", err)
	}
	edit.written = b.Bytes()
	return edit, nil
}

// Editor is the command line of the person's editor for a file, to be started on
// the terminal: $VISUAL, else $EDITOR, which may have arguments of their own,
// else one that is there.
func (d *Edit) Editor() (name string, args []string, err error) {
	return editor(os.Getenv, d.Path)
}

// Finish reads the file after the editor has ended. A file that has mistakes
// comes back with Again, each mistake as a comment above its line and nothing
// else changed; leaving the editor once more without a change gives what can be
// read, or, where that is nothing, an error that names the file. Otherwise the
// file is removed.
func (d *Edit) Finish() (EditOutcome, error) {
	data, err := readBounded(d.Path)
	if err != nil {
		return EditOutcome{}, fmt.Errorf("cannot read what was edited: %w", err)
	}
	unchanged := bytes.Equal(data, d.written)
	plain := forms.WithoutNotes(data)
	file, problems := forms.ReadFile(plain)
	broken := len(problems) > 0
	if !broken {
		parameters := UserParameters(d.algorithm)
		single, _, found := forms.Sweeps(parameters, file.Values) // a form takes sweeps too
		for _, p := range file.Place(append(forms.Validate(parameters, single), found...)) {
			if p.Line > 0 && !p.Warning { // what is missing is for the form to ask for
				problems = append(problems, p)
			}
		}
	}
	switch {
	case len(problems) > 0 && !unchanged:
		d.written = forms.Annotate(plain, problems)
		if err := os.WriteFile(d.Path, d.written, 0o600); err != nil {
			return EditOutcome{}, fmt.Errorf("cannot say in the file what is wrong: %w", err)
		}
		return EditOutcome{Again: true, Problems: problems}, nil
	case broken:
		return EditOutcome{}, fmt.Errorf("%w; what you wrote is kept in %s", problems, d.Path)
	}
	os.Remove(d.Path)
	return EditOutcome{Values: d.merged(file.Values), Problems: problems}, nil
}

// Discard gives the edit up and removes the file.
func (d *Edit) Discard() { os.Remove(d.Path) }

// merged gives values that were not touched their origin and labels back.
func (d *Edit) merged(values []client.Value) []client.Value {
	before := map[string]client.Value{}
	for _, f := range forms.New(UserParameters(d.algorithm), d.before).Fields {
		before[f.Parameter.ID] = client.Value{Text: f.Text, Origin: f.Origin, Labels: f.Labels}
	}
	var out []client.Value
	for _, v := range values {
		was, known := before[v.Parameter]
		switch {
		case known && was.Text == v.Text && was.Origin == "":
			continue // still no value
		case known && was.Text == v.Text:
			v.Origin, v.Labels = was.Origin, was.Labels
		default:
			v.Origin = client.FromUser
		}
		out = append(out, v)
	}
	return out
}

func editor(env func(string) string, path string) (string, []string, error) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if command := strings.TrimSpace(env(name)); command != "" {
			// As git does: the words of the variable are for a shell, the path is not.
			return "sh", []string{"-c", command + ` "$1"`, command, path}, nil
		}
	}
	for _, name := range []string{"sensible-editor", "nano", "vim", "vi"} {
		if found, err := exec.LookPath(name); err == nil {
			return found, []string{path}, nil
		}
	}
	return "", nil, errors.New("no editor: set EDITOR to the one that you like, such as EDITOR=nano")
}
