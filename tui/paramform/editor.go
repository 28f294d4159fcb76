package paramform

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
)

// The whole form in the person's own editor: the values are written as a
// commented file, the editor has the terminal, and what comes back is read. A
// file that cannot be read goes back into the editor with what is wrong above
// the line; one that is left like that changes nothing and stays on disk.

// fileReady tells that the file for the editor is written.
type fileReady struct {
	gen  nav.Gen
	path string
	err  error
}

// editorLeft tells that the editor has ended.
type editorLeft struct {
	gen  nav.Gen
	path string
	err  error
}

// fileRead answers readFile.
type fileRead struct {
	gen  nav.Gen
	path string
	data []byte
	err  error
}

// editFile opens the editor.
func (m *Screen) editFile() tea.Cmd {
	var b bytes.Buffer
	if err := forms.WriteFile(&b, m.params.Parameters(), m.fileValues(), m.fileStyle()); err != nil {
		return nav.Fail(err)
	}
	m.editorFile = b.Bytes()
	path := strings.TrimSuffix(m.drafts.draft, ".json") + ".toml"
	return m.toEditor(path, b.Bytes())
}

// fileValues are the values of every field.
func (m *Screen) fileValues() []client.Value {
	var vs []client.Value
	for _, f := range m.params.Fields {
		vs = append(vs, client.Value{Parameter: f.Parameter.ID, Text: f.Text, Origin: f.Origin, Labels: f.Labels})
	}
	return vs
}

// mostHints is how many options of a list the file names.
const mostHints = 12

func (m *Screen) fileStyle() forms.FileStyle {
	style := forms.FileStyle{
		Title: []string{
			"Values for " + m.algorithm.FullName() + ". Save and leave to take them into the form.",
			"An empty string is no value; a line that is taken out leaves its value as it is.",
		},
		Hints: map[string][]string{},
	}
	for _, f := range m.params.Fields {
		if l := m.lists[sourceKey(f.Parameter)]; l != nil && hasOptions(f.Parameter) {
			style.Hints[f.Parameter.ID] = l.Hints(mostHints)
		}
	}
	return style
}

// toEditor writes the file and then asks for the terminal.
func (m *Screen) toEditor(path string, data []byte) tea.Cmd {
	gen := nav.NewGen()
	m.editorGen = gen
	return func() tea.Msg {
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		return fileReady{gen, path, err}
	}
}

func (m *Screen) fileIsReady(msg fileReady) tea.Cmd {
	if msg.gen != m.editorGen {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("cannot write the file for the editor: %w", msg.err))
	}
	editor := editorCommand(os.Getenv, exec.LookPath)
	if editor == "" {
		return nav.Fail(fmt.Errorf("no editor found: set EDITOR, such as EDITOR=nano"))
	}
	// EDITOR may hold arguments, and is a line for the shell as everywhere else.
	cmd := exec.Command("sh", "-c", editor+` "$1"`, "editor", msg.path)
	return tea.ExecProcess(cmd, func(err error) tea.Msg { return editorLeft{msg.gen, msg.path, err} })
}

// editorCommand is the person's editor, else one that is there.
func editorCommand(getenv func(string) string, look func(string) (string, error)) string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if e := strings.TrimSpace(getenv(name)); e != "" {
			return e
		}
	}
	for _, e := range []string{"nano", "vim", "vi"} {
		if _, err := look(e); err == nil {
			return e
		}
	}
	return ""
}

func (m *Screen) editorWasLeft(msg editorLeft) tea.Cmd {
	if msg.gen != m.editorGen {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("the editor ended with an error, so nothing is changed: %w", msg.err))
	}
	return func() tea.Msg {
		info, err := os.Stat(msg.path)
		if err == nil && info.Size() > forms.MaxFile {
			err = fmt.Errorf("%s has %s, that is no file of values", msg.path, text.Bytes(info.Size()))
		}
		if err != nil {
			return fileRead{msg.gen, msg.path, nil, err}
		}
		data, err := os.ReadFile(msg.path)
		return fileRead{msg.gen, msg.path, data, err}
	}
}

func (m *Screen) fileWasRead(msg fileRead) tea.Cmd {
	if msg.gen != m.editorGen {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	if bytes.Equal(msg.data, m.editorFile) {
		return tea.Batch(removeFile(msg.path), nav.Say("nothing was changed"))
	}
	cmd, problems := m.takeFile(msg.data)
	if len(problems) == 0 {
		return tea.Batch(cmd, removeFile(msg.path))
	}
	noted := forms.Annotate(forms.WithoutNotes(msg.data), problems)
	if bytes.Equal(noted, msg.data) { // it was left with what is wrong in it
		return nav.Send(nav.Toast{Text: fmt.Sprintf("nothing is changed: %s; the file stays in %s", problems[0].Message, msg.path), Tone: app.Warn})
	}
	m.editorFile = nil
	return m.toEditor(msg.path, noted)
}

func removeFile(path string) tea.Cmd {
	return func() tea.Msg {
		_ = os.Remove(path) // it has been taken over; nobody misses it
		return nil
	}
}

// takeFile takes the values of a file into the form, unless there are problems
// that the form itself cannot show: a line that cannot be read, a parameter that
// does not exist.
func (m *Screen) takeFile(data []byte) (tea.Cmd, forms.Problems) {
	file, problems := forms.ReadFile(forms.WithoutNotes(data))
	for _, p := range file.Place(forms.Validate(m.params.Parameters(), file.Values)) {
		if m.params.Field(p.Parameter) == nil && !p.Warning {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	spots := make([]spot, 0, len(file.Values))
	for _, v := range file.Values {
		spots = append(spots, spot{id: v.Parameter})
	}
	return m.alter(spots, func() {
		for _, v := range file.Values {
			s := state{spot{id: v.Parameter}, v.Text, typed, nil}
			if before := m.state(s.at); sameValue(m.params.Field(v.Parameter), before.text, v.Text) {
				continue
			}
			m.set(s)
		}
	}), nil
}

// sameValue tells whether two texts mean the same to a field.
func sameValue(f *forms.Field, a, b string) bool {
	if a == b {
		return true
	}
	x, errX := descriptor.ParseValue(f.Parameter.Type, a)
	y, errY := descriptor.ParseValue(f.Parameter.Type, b)
	return errX == nil && errY == nil && x.Equal(y)
}
