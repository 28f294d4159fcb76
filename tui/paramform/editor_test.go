package paramform

import (
	"errors"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func edited(t *testing.T) *Screen {
	t.Helper()
	site := tuitest.New(t)
	low, def := "0", "1.5"
	a := client.Algorithm{ID: 1, Name: "x", CommandLine: "x"}
	for _, p := range []descriptor.Parameter{
		{ID: "sigma", Type: descriptor.Number, Minimum: &low, Default: &def},
		{ID: "label", Type: descriptor.String, Optional: true},
		{ID: "dark", Type: descriptor.Boolean, Optional: true},
	} {
		a.Parameters = append(a.Parameters, client.Parameter{Parameter: p})
	}
	m := New(site.Session, a, nil).(*Screen)
	m.SetSize(80, 24)
	return m
}

func TestAFileThatWasEditedIsTakenIntoTheForm(t *testing.T) {
	m := edited(t)
	_, problems := m.takeFile([]byte("sigma = 1.50\nlabel = \"a \\\"b\\\"\"\ndark = true\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for id, want := range map[string]string{"sigma": "1.5 default", "label": `a "b" you`, "dark": "true you"} {
		f := m.params.Field(id)
		if got := f.Text + " " + string(f.Origin); got != want {
			t.Errorf("%s is %s", id, got)
		}
	}
	m.undoLast()
	if m.params.Field("label").Text != "" || m.params.Field("dark").Text != "" {
		t.Error("undo takes the whole file back")
	}
	if _, problems := m.takeFile([]byte("sigma = -3\n")); len(problems) > 0 || len(m.params.Field("sigma").Problems) != 1 {
		t.Errorf("a value that is not good is shown by the form: %v", problems)
	}
}

func TestAFileThatCannotBeReadChangesNothing(t *testing.T) {
	for _, text := range []string{"sigma = = 2\nlabel = \"x\"", "label = \"x\"\nsigmo = 3"} {
		m := edited(t)
		_, problems := m.takeFile([]byte(text))
		if len(problems) == 0 || problems[0].Line == 0 {
			t.Errorf("%q: problems %v", text, problems)
		}
		if m.params.Field("label").Text != "" {
			t.Errorf("%q: the form changed", text)
		}
	}
}

func TestABadFileGoesBackToTheEditorOnce(t *testing.T) {
	m := edited(t)
	cmd := m.editFile()
	ready := cmd().(fileReady)
	if ready.err != nil || !strings.Contains(string(m.editorFile), "sigma = 1.5") {
		t.Fatalf("%v, %s", ready.err, m.editorFile)
	}
	bad := []byte("label = \"x\nsigma = 2\n")
	again := m.fileWasRead(fileRead{m.editorGen, ready.path, bad, nil})().(fileReady)
	back := m.editorWasLeft(editorLeft{m.editorGen, again.path, nil})().(fileRead)
	if !strings.Contains(string(back.data), "#!! ") || !strings.Contains(string(back.data), "sigma = 2") {
		t.Errorf("the editor gets %q", back.data)
	}
	m.Update(back)
	if m.params.Field("sigma").Text != "1.5" {
		t.Error("a file left with its mistake changes the form")
	}
}

func TestTheEditorIsThePersonsOwn(t *testing.T) {
	none := func(string) (string, error) { return "", errors.New("not found") }
	vim := func(name string) (string, error) {
		if name == "vim" {
			return "/usr/bin/vim", nil
		}
		return none(name)
	}
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for want, got := range map[string]string{
		"code -w": editorCommand(env("VISUAL", "code -w", "EDITOR", "ed"), vim),
		"ed":      editorCommand(env("EDITOR", "ed"), vim),
		"vim":     editorCommand(env(), vim),
		"":        editorCommand(env(), none),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
