package paramform_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/demo/program"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/supervisor"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// TestMain lets this test be the program that a launch starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		for name, run := range map[string]func([]string) int{"supervise": supervisor.Main, "keep": keep.Main, "demo-program": program.Main} {
			if os.Args[1] == name {
				os.Exit(run(os.Args[2:]))
			}
		}
	}
	os.Exit(m.Run())
}

func ptr(s string) *string { return &s }

func server(id string) descriptor.Parameter {
	return descriptor.Parameter{ID: id, Type: descriptor.String, SetByServer: true, ValueKey: "[" + strings.ToUpper(id) + "]", Flag: "--" + id}
}

// everyType is an algorithm with a parameter of each type.
func everyType(name string) *descriptor.Descriptor {
	ps := []descriptor.Parameter{
		server("cytomine_host"), server("cytomine_public_key"), server("cytomine_private_key"),
		server("cytomine_id_project"), server("cytomine_id_software"),
		{ID: "images", Name: "Images", Type: descriptor.ListDomain, URI: "/api/project/$currentProject$/imageinstance.json", URIPrint: "instanceFilename"},
		{ID: "sigma", Name: "Sigma", Type: descriptor.Number, Default: ptr("1.5"), Description: "Width of the <b>Gaussian</b>."},
		{ID: "count", Name: "Count", Type: descriptor.Number},
		{ID: "method", Name: "Method", Type: descriptor.String, Default: ptr("otsu")},
		{ID: "dark", Name: "Dark", Type: descriptor.Boolean, Default: ptr("false")},
		{ID: "since", Name: "Since", Type: descriptor.Date, Optional: true},
		{ID: "label", Name: "Label", Type: descriptor.String, Optional: true},
		{ID: "group", Name: "Group", Type: descriptor.Domain, Optional: true, URI: "/api/project/$currentProject$/nothing.json", URIPrint: "name"},
	}
	d := &descriptor.Descriptor{Name: name, Container: descriptor.Container{Image: "x"}, CommandLine: "python run.py"}
	for _, p := range ps {
		if p.ValueKey == "" {
			p.ValueKey, p.Flag = "["+strings.ToUpper(p.ID)+"]", "--"+p.ID
		}
		d.CommandLine += " " + p.ValueKey
		d.Parameters = append(d.Parameters, p)
	}
	return d
}

type fixture struct {
	*tuitest.Driver
	t      *testing.T
	site   *tuitest.Site
	a      client.Algorithm
	screen nav.Screen
}

// open shows the form of an algorithm and waits until it has been read.
func open(t *testing.T, site *tuitest.Site, a client.Algorithm, prefill []client.Value, width, height int) *fixture {
	t.Helper()
	s := paramform.New(site.Session, a, prefill, nil)
	f := &fixture{Driver: tuitest.Drive(t, s, width, height), t: t, site: site, a: a, screen: s}
	wasRead(f.Driver)
	return f
}

// wasRead waits until the form has read all of its algorithm.
func wasRead(d *tuitest.Driver) {
	d.Until("the algorithm was read", func() bool {
		return slices.ContainsFunc(d.Sent, func(m tea.Msg) bool { return fmt.Sprintf("%T", m) == "paramform.algorithmRead" })
	})
}

func newForm(t *testing.T, width, height int) *fixture {
	t.Helper()
	site := tuitest.New(t)
	a := tuitest.Register(t, site.Session, site.Session.Project.ID, everyType("every-type"))
	limits(t, site)
	site.Session.Runtime = runner.Process // a launch needs no container here
	return open(t, site, a, nil, width, height)
}

// limits gives the algorithm what a server does not keep.
func limits(t *testing.T, site *tuitest.Site) {
	t.Helper()
	folder := site.Session.Env.DescriptorFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	const text = `{"name":"every-type","inputs":[
		{"id":"sigma","type":"Number","minimum":0,"maximum":10},
		{"id":"count","type":"Number","minimum":1,"maximum":9,"integer":true},
		{"id":"method","type":"String","value-choices":["otsu","li","yen"]}]}`
	if err := os.WriteFile(filepath.Join(folder, "every.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// to moves the cursor to a field by searching it.
func (f *fixture) to(name string) {
	f.t.Helper()
	f.Press("/")
	f.Type(name)
	f.Press("enter")
	if !strings.Contains(f.row(), name) {
		f.t.Fatalf("the cursor is not on %s:\n%s", name, f.Text())
	}
}

// row is the line under the cursor.
func (f *fixture) row() string {
	for _, l := range strings.Split(f.Text(), "\n") {
		if strings.HasPrefix(l, "▌") {
			return l
		}
	}
	return ""
}

func (f *fixture) rowHas(want ...string) {
	f.t.Helper()
	for _, w := range want {
		if !strings.Contains(f.row(), w) {
			f.t.Errorf("%q is not in the row %q", w, f.row())
		}
	}
}

func TestRequiredFieldsComeFirstAndServersNever(t *testing.T) {
	f := newForm(t, 120, 40)
	text := f.Text()
	last := -1
	for _, want := range []string{"REQUIRED", "Images", "Count", "PRE-FILLED", "Sigma", "Method", "Dark", "OPTIONAL", "Since", "Label", "LAUNCH", "GPUs", "Time limit", "Note"} {
		at := strings.Index(text, want)
		if at <= last {
			t.Errorf("%s is not after what comes before it:\n%s", want, text)
		}
		last = at
	}
	f.Hides("Public key", "cytomine_id_project  ")
	f.Shows("2 to fill in", "0..10", "otsu | li | yen", "--cytomine_public_key ••••")
}

func TestLettersAreTextWhileAFieldIsEdited(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Label")
	f.Press("enter")
	if !f.screen.Editing() {
		t.Fatal("enter edits")
	}
	f.Type("xdu /Ln ?q1")
	f.rowHas("xdu /Ln ?q1")
	f.Press("enter")
	f.rowHas("xdu /Ln ?q1", "you")
	if f.screen.Editing() {
		t.Error("enter ends editing")
	}
	f.Press("x")
	f.Hides("xdu /Ln")
}

func TestEscRestoresWhatTheFieldHeld(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Sigma")
	f.Press("enter", "end")
	f.Type("e2")
	f.Shows("1.5e2", "must be at most 10")
	f.Press("esc")
	f.rowHas("1.5", "default")
	f.Hides("must be at most 10")
}

func TestTabAcceptsAndGoesOnWithTheNextField(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Since")
	f.Press("enter")
	f.Type("2024-01-31")
	f.Press("tab")
	f.Type("hello")
	f.Press("enter")
	f.rowHas("Label", "hello")
	f.Press("shift+tab")
	f.rowHas("Since", "2024-01-31", "you")
}

func TestValuesAreJudgedWhileTheyAreTyped(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Count")
	for typed, want := range map[string]string{"2.5": "must be a whole number", "12": "must be at most 9", "abc": "not a number"} {
		f.Press("enter")
		f.Press("ctrl+u")
		f.Type(typed)
		f.Shows(want)
		f.Press("enter")
		f.rowHas(typed)
		f.Shows(want)
	}
	f.Press("enter", "ctrl+u")
	f.Type("7e0")
	f.Press("enter")
	f.rowHas("7", "you")
	f.Shows("--count 7")
}

func TestEveryProblemIsSaidAtOnceAndNothingIsSent(t *testing.T) {
	f := newForm(t, 100, 40)
	f.Hides("needs a value", "choose at least one")
	f.to("Sigma")
	f.Press("enter", "ctrl+u")
	f.Type("-1")
	f.Press("enter")
	f.Press("ctrl+s")
	f.Shows("must be at least 0")
	f.Shows("✗ choose at least one", "✗ needs a value")
	if said := tuitest.UntilSent[nav.Toast](f.Driver).Text; said != "3 fields need a look: Images, Count, Sigma; n goes to the next" {
		t.Errorf("said %q", said)
	}
	f.rowHas("Images")
	f.Press("n")
	f.rowHas("Count")
	f.Press("N", "N")
	f.rowHas("Sigma")
	if runs, _ := f.site.Session.Env.Store.List(); len(runs) > 0 {
		t.Errorf("%d runs were made", len(runs))
	}
}

func TestTheOneFieldThatIsWrongIsNamed(t *testing.T) {
	f := newForm(t, 100, 30)
	f.set("Count", "3")
	f.Press("ctrl+s")
	if said := tuitest.UntilSent[nav.Toast](f.Driver).Text; said != "Images: choose at least one" {
		t.Errorf("said %q", said)
	}
}

func TestEmptyingWhatWasEmptyChangesNothing(t *testing.T) {
	f := newForm(t, 100, 30)
	f.set("Label", "x")
	f.Shows("1 changed")
	f.Press("x")
	f.Hides("changed")
	if strings.Contains(f.row(), "you") {
		t.Error(f.row())
	}
	f.to("Method")
	f.Press("x")
	f.rowHas("(none)", "you")
	f.Shows("1 changed")
}

func TestSpaceTurnsOverAndChoicesOpen(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Dark")
	f.Press("space")
	f.rowHas("true", "you")
	f.Shows("--dark true")
	f.to("Method")
	f.Press("space")
	f.rowHas("li")
	f.Press("enter")
	f.Shows("yen")
	f.Press("down", "enter")
	f.rowHas("yen", "you")
	f.Press("enter", "up", "esc")
	f.rowHas("yen")
}

func TestUndoClearDefaultAndReset(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Method")
	f.Press("x")
	f.rowHas("(none)", "you")
	f.Press("u")
	f.rowHas("otsu", "default")
	f.Press("space", "space")
	f.rowHas("yen")
	f.Press("d")
	f.rowHas("otsu", "default")
	f.Press("u")
	f.rowHas("yen")
	f.to("Dark")
	f.Press("space", "X")
	f.rowHas("false", "default")
	f.Press("u")
	f.rowHas("Method", "yen")
	f.to("Dark")
	f.rowHas("true")
}

func TestTheFormFitsEverySize(t *testing.T) {
	site := tuitest.New(t)
	d := everyType("hostile")
	d.Parameters[6].Name = "Σ\x1b[31mred\u202egnp.exe\u202c" + strings.Repeat("é🧬", 300)
	d.Parameters[6].Description = "<script>x</script>" + strings.Repeat("a\x1b]0;title\x07b ", 500)
	d.Parameters[8].Default = ptr("tab\there\x1b[2J\nnext")
	a := tuitest.Register(t, site.Session, site.Session.Project.ID, d)
	prefill := []client.Value{{Parameter: "label", Text: "\u202eabc\x1b[31m\r\nx", Origin: client.FromAnalysis}}
	for _, size := range [][2]int{{30, 3}, {40, 9}, {60, 15}, {80, 19}, {109, 30}, {120, 35}, {200, 55}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			s := paramform.New(site.Session, a, prefill, nil)
			drive := tuitest.Drive(t, s, size[0], size[1])
			drive.Fits(size[0], size[1])
			wasRead(drive)
			for range 14 {
				drive.Fits(size[0], size[1])
				drive.Press("enter")
				drive.Fits(size[0], size[1])
				drive.Type("é🧬")
				drive.Fits(size[0], size[1])
				drive.Press("esc", "esc", "down")
			}
			drive.Press("v")
			drive.Fits(size[0], size[1])
			drive.Press("esc", "ctrl+s", "/")
			drive.Type("sig")
			drive.Fits(size[0], size[1])
		})
	}
}

func TestTheFormSurvivesItsProgram(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Label")
	f.Press("enter")
	f.Type("half a wo")
	files := func() []string {
		found, _ := filepath.Glob(filepath.Join(f.site.Session.Env.Paths.State, "drafts", "*.json"))
		return found
	}
	f.Until("the draft holds what was typed", func() bool {
		for _, file := range files() {
			data, _ := os.ReadFile(file)
			if strings.Contains(string(data), "half a wo") {
				return true
			}
		}
		return false
	})
	if info, err := os.Stat(files()[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	again := open(t, f.site, f.a, nil, 100, 30)
	again.Until("the draft is restored", func() bool { return strings.Contains(again.Text(), "half a wo") })
	if toast := tuitest.UntilSent[nav.Toast](again.Driver); !strings.Contains(toast.Text, "draft of") {
		t.Errorf("said: %s", toast.Text)
	}
	again.Press("X")
	again.Hides("half a wo")
	again.Until("the draft is gone", func() bool { return len(files()) == 0 })
}

func TestAValidFormLaunches(t *testing.T) {
	site := tuitest.New(t)
	site.Session.Runtime = runner.Process
	f := open(t, site, site.Algorithm("nuclei-segmentation"), nil, 100, 30)
	f.to("Images")
	f.Press("enter")
	f.UntilShows("none to choose from")
	f.Press("t")
	f.Type("12, 13")
	f.Press("enter", "enter")
	f.rowHas("2", "12, 13", "you")
	f.to("Smoothing")
	f.Press("enter")
	f.Type("3")
	f.Press("enter")
	f.to("Note")
	f.Press("enter")
	f.Type("why not")
	f.Press("ctrl+s")
	f.UntilShows("goes back to the form")
	f.Shows("no container")
	f.Press("enter")
	launched := tuitest.UntilSent[nav.Launched](f.Driver)
	if len(launched.Runs) != 1 {
		t.Fatalf("%d runs", len(launched.Runs))
	}
	run := launched.Runs[0]
	t.Cleanup(func() { ended(t, f.site, run) })
	if run.Note != "why not" || run.Runtime != runner.Process {
		t.Errorf("note %q, runtime %s", run.Note, run.Runtime)
	}
	values := map[string]client.Value{}
	for _, v := range run.Values {
		values[v.Parameter] = v
	}
	if values["images"].Text != "12,13" || values["sigma"].Text != "3" || values["sigma"].Origin != client.FromUser || values["method"].Text != "otsu" {
		t.Errorf("values %+v", run.Values)
	}
	again := open(t, f.site, f.a, nil, 100, 30)
	again.Until("the last values are offered", func() bool {
		for _, b := range again.screen.Help() {
			if b.Enabled() && b.Help().Desc == "last used" {
				return true
			}
		}
		return false
	})
	again.Hides("12, 13")
	again.Press("L")
	again.Shows("12, 13", "last used")
	again.Press("u")
	again.Hides("12, 13")
}

func TestAFailedLaunchKeepsEverything(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Count")
	f.Press("enter")
	f.Type("3")
	f.Press("enter")
	f.to("Images")
	f.Press("enter", "t")
	f.Type("12")
	f.Press("enter", "enter")
	runs := f.site.Session.Env.Paths.Runs
	if err := os.RemoveAll(runs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(runs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Press("ctrl+s")
	f.UntilShows("goes back to the form")
	f.Press("a", "enter")
	f.UntilShows("not launched")
	f.Shows("12", "--count 3")
	f.Fits(100, 30)
}

func TestEarlierValuesKeepTheirOrigin(t *testing.T) {
	site := tuitest.New(t)
	a := tuitest.Register(t, site.Session, site.Session.Project.ID, everyType("every-type"))
	f := open(t, site, a, []client.Value{{Parameter: "sigma", Text: "4", Origin: client.FromAnalysis}, {Parameter: "gone", Text: "x", Origin: client.FromAnalysis}}, 100, 30)
	f.to("Sigma")
	f.rowHas("4", "analysis")
	f.Press("enter")
	f.Type("2")
	f.Press("enter")
	f.rowHas("2 ", "you")
	f.Press("enter", "left")
	f.Type("4")
	f.Press("enter")
	f.rowHas("42", "you")
	f.Press("enter", "backspace", "enter")
	f.rowHas("(none)")
	f.Press("d")
	f.rowHas("1.5", "default")
}

func TestTheCommandIsCopiedWithoutItsSecrets(t *testing.T) {
	f := newForm(t, 100, 30)
	f.Press("y")
	c := tuitest.UntilSent[nav.Copy](f.Driver)
	if !strings.Contains(c.Text, "--sigma 1.5") || !strings.Contains(c.Text, "--cytomine_private_key ••••") {
		t.Errorf("copied %s", c.Text)
	}
}

func TestPastedTextIsOneValue(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Label")
	f.Send(tea.PasteMsg{Content: "two\nlines\x1b[31m"})
	f.Press("enter")
	f.rowHas("two lines")
	f.Fits(100, 30)
}

func TestAListThatDoesNotLoadSaysWhy(t *testing.T) {
	f := newForm(t, 100, 30)
	f.UntilShows("the list did no")
	f.to("Group")
	f.Press("enter")
	f.UntilShows("ctrl+r tries again")
	f.Press("t")
	f.Type("77")
	f.Press("enter")
	f.rowHas("77", "you")
}

func TestNothingLeavesWhileThePickerIsOpen(t *testing.T) {
	f := newForm(t, 100, 30)
	f.to("Images")
	f.Press("enter")
	holds := f.screen.(nav.KeyHolder)
	for _, k := range []string{"esc", "left", "backspace", "q"} {
		if !holds.HoldsKey(keymap.Press(k)) {
			t.Errorf("%s would leave the form", k)
		}
	}
	f.Press("esc")
	if holds.HoldsKey(keymap.Press("esc")) {
		t.Error("esc leaves the form itself")
	}
}

// ended waits until a run has ended, so that nothing outlives the test.
func ended(t *testing.T, site *tuitest.Site, run runner.Run) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := site.Session.Wait(ctx, app.Analysis{Run: &run}, func(app.Analysis) {}); err != nil {
		t.Errorf("the run did not end: %v", err)
	}
}
