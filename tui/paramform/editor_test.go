package paramform

import (
	"os"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/tui/paramform/picker"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func small(t *testing.T) *Screen {
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
	m := New(site.Session, a, nil, nil).(*Screen)
	m.SetSize(80, 24)
	return m
}

// begin writes the file for the editor.
func begin(t *testing.T, m *Screen) editReady {
	t.Helper()
	ready := m.editFile()().(editReady)
	if ready.err != nil {
		t.Fatal(ready.err)
	}
	return ready
}

// leave is what an editor does that writes text and ends.
func leave(t *testing.T, m *Screen, ready editReady, change func(string) string) any {
	t.Helper()
	data, err := os.ReadFile(ready.edit.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ready.edit.Path, []byte(change(string(data))), 0o600); err != nil {
		t.Fatal(err)
	}
	return m.editorWasLeft(editorLeft{ready.gen, ready.edit, nil})()
}

func TestAFileThatWasEditedIsTakenIntoTheForm(t *testing.T) {
	m := small(t)
	done := leave(t, m, begin(t, m), func(s string) string {
		return strings.Replace(strings.Replace(s, `label = ""`, `label = "a \"b\""`, 1), "sigma = 1.5", "sigma = 1.50", 1)
	})
	m.Update(done)
	for id, want := range map[string]string{"sigma": "1.5 default", "label": `a "b" you`, "dark": " "} {
		f := m.params.Field(id)
		if got := f.Text + " " + string(f.Origin); got != want {
			t.Errorf("%s is %q", id, got)
		}
	}
	m.undoLast()
	if m.params.Field("label").Text != "" {
		t.Error("undo takes the whole file back")
	}
}

func TestABadFileGoesBackToTheEditorWithItsMistake(t *testing.T) {
	m := small(t)
	ready := begin(t, m)
	again, ok := leave(t, m, ready, func(string) string { return "label = \"x\nsigma = 2\n" }).(editReady)
	if !ok {
		t.Fatal("it does not go back")
	}
	data, err := os.ReadFile(again.edit.Path)
	if err != nil || !strings.Contains(string(data), "#!! ") || !strings.Contains(string(data), "sigma = 2") {
		t.Errorf("the editor gets %q, %v", data, err)
	}
	left := leave(t, m, again, func(s string) string { return s })
	m.Update(left)
	if m.params.Field("sigma").Text != "1.5" {
		t.Error("a file left with its mistake changes the form")
	}
	if data, err := os.ReadFile(again.edit.Path); err != nil || !strings.Contains(string(data), "sigma = 2") {
		t.Errorf("what was written is lost: %v", err)
	}
}

func TestASweepGoesThroughTheEditor(t *testing.T) {
	m := small(t)
	done, ok := leave(t, m, begin(t, m), func(s string) string {
		return strings.Replace(s, "sigma = 1.5", `sigma = "1, 2"`, 1)
	}).(edited)
	if !ok || done.err != nil {
		t.Fatalf("%+v", done)
	}
	m.Update(done)
	if m.several.runs != 2 {
		t.Errorf("%d runs of %q", m.several.runs, m.params.Field("sigma").Text)
	}
	if _, ok := leave(t, m, begin(t, m), func(s string) string { return s }).(edited); !ok {
		t.Error("an untouched sweep is a mistake")
	}
}

func TestTheFileTellsWhatThereIsToChooseFrom(t *testing.T) {
	site := tuitest.New(t)
	p := descriptor.Parameter{ID: "term", Type: descriptor.Domain, URI: "/api/term.json", URIPrint: "name"}
	m := New(site.Session, client.Algorithm{ID: 1, Name: "x", CommandLine: "x", Parameters: []client.Parameter{{Parameter: p}}}, nil, nil).(*Screen)
	m.SetSize(80, 24)
	m.lists[sourceKey(p)] = picker.NewList(p, []client.Option{{ID: 7, Fields: client.MakeFields(map[string]string{"name": "Tumour"})}}, true, nil)
	data, err := os.ReadFile(begin(t, m).edit.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "# 7  Tumour\n") {
		t.Errorf("%s", data)
	}
}
