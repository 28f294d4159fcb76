package tui

import (
	"context"
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "screens" {
		os.Exit(screensMain())
	}
	tuitest.Main(m)
}

var sizes = []struct{ w, h int }{{30, 8}, {60, 20}, {80, 24}, {120, 40}, {200, 60}}

// program is a root in the clothes of a driver's subject.
type program struct{ *root }

func (p program) Update(msg tea.Msg) tea.Cmd {
	_, cmd := p.root.Update(msg)
	return cmd
}

func (p program) View() string { return p.root.View().Content }

// start opens the screens as Run does, without a terminal.
func start(t *testing.T, env *app.Env, opts Options, w, h int) (*root, *tuitest.Driver) {
	t.Helper()
	r := newRoot(context.Background(), env, opts)
	d := tuitest.DriveSubject(t, program{r})
	d.Send(tea.WindowSizeMsg{Width: w, Height: h})
	d.Do(r.Init())
	return r, d
}

// opened is a program that shows its algorithms.
func startSite(t *testing.T, w, h int) (*tuitest.Site, *root, *tuitest.Driver) {
	t.Helper()
	site := tuitest.New(t)
	r, d := start(t, site.Session.Env, Options{Session: site.Unconnected}, w, h)
	d.UntilShows("nuclei-segmentation")
	return site, r, d
}

func quits(d *tuitest.Driver) bool {
	for _, m := range d.Sent {
		if _, ok := m.(tea.QuitMsg); ok {
			return true
		}
	}
	return false
}

func TestFrameFitsEverySizeAndTab(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	d.Shows("Lung cohort", "admin", "✓ connected", "1 Algorithms", "? help")
	for _, s := range sizes {
		d.Send(tea.WindowSizeMsg{Width: s.w, Height: s.h})
		for _, tab := range []string{"1", "2", "3", "4", "1"} {
			d.Press(tab)
			d.Fits(s.w, s.h)
			if n := strings.Count(d.Text(), "\n") + 1; n != s.h {
				t.Errorf("%dx%d tab %s: %d lines", s.w, s.h, tab, n)
			}
			for _, over := range []string{"?", "ctrl+k"} {
				d.Press(over)
				d.Fits(s.w, s.h)
				d.Press("esc")
			}
		}
		r.over = newConfirm(nav.Confirm{Title: strings.Repeat("long ", 30), Text: strings.Repeat("text ", 100)})
		d.Fits(s.w, s.h)
		d.Press("esc")
	}
	for _, s := range []struct{ w, h int }{{1, 1}, {29, 20}, {80, 7}, {3, 2}} {
		d.Send(tea.WindowSizeMsg{Width: s.w, Height: s.h})
		d.Fits(s.w, s.h)
	}
}

func TestKeysOfTheRoot(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	d.Press("2")
	d.Shows("by:me")
	d.Press("4")
	d.UntilShows("this box")
	d.Press("1", "enter")
	d.Until("the form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	d.Press("2", "1")
	if len(r.tabs[nav.Algorithms].screens) != 2 {
		t.Error("switching tabs loses the form")
	}
	d.Press("1")
	if len(r.tabs[nav.Algorithms].screens) != 1 {
		t.Error("the number of the tab that is shown does not show its first screen")
	}
	d.Press("enter")
	d.Until("the form is open again", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	d.Press("q")
	if quits(d) || len(r.tabs[nav.Algorithms].screens) != 1 {
		t.Error("q in a form does not go back one screen")
	}
	d.Press("esc", "left", "backspace")
	if quits(d) {
		t.Error("going back leaves the program")
	}
	d.Press("q")
	d.Until("q leaves", func() bool { return quits(d) })
}

func TestPrintableKeysAreTextWhileOneEdits(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	d.Press("/")
	d.Type("q2?:x")
	d.Shows("/ q2?:x")
	if r.tab != nav.Algorithms || r.over != nil || quits(d) {
		t.Error("a letter of the filter was a command")
	}
	d.Press("ctrl+k")
	if r.over == nil {
		t.Error("ctrl+k does not open the palette")
	}
	d.Press("esc", "esc")
	d.UntilShows("nuclei-segmentation")
	d.Press("ctrl+c")
	d.Until("ctrl+c leaves", func() bool { return quits(d) })
}

func TestPaletteFindsAndRunsActions(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	d.Press(":")
	d.Type("mach")
	d.Press("enter")
	d.Until("the machine is shown", func() bool { return r.tab == nav.Machine })
	d.Press("1", "ctrl+k")
	d.Type("form stain")
	d.Press("enter")
	d.Until("the form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	d.Shows("stain-density")
	d.Press("esc", ":")
	d.Type("filter")
	d.Press("enter")
	d.Until("the key was pressed", func() bool { return r.top().Editing() })
	d.Press("esc", ":")
	d.Type("zzzzzz")
	d.Press("enter")
	d.Shows("nothing of that name")
}

func TestPaletteReachesOtherTabs(t *testing.T) {
	site, r, d := startSite(t, 80, 24)
	site.Run("stain-density", runner.Failed, nil, nil)
	d.Press("2")
	d.UntilShows("✗ failed")
	d.Press("1", ":")
	d.Type("rerun")
	d.Press("enter")
	d.Until("the form is open over the analyses", func() bool { return r.tab == nav.Analyses && len(r.tabs[nav.Analyses].screens) == 2 })
}

// Whatever a screen's footer offers is in the help and in the palette: they come
// from the same bindings.
func TestHelpAndPaletteShowEveryKeyThatWorks(t *testing.T) {
	_, r, d := startSite(t, 120, 60)
	for _, tab := range []string{"1", "2", "3", "4"} {
		d.Press(tab, "?")
		for _, b := range r.top().Help() {
			if b.Enabled() {
				d.Shows(b.Help().Desc)
			}
		}
		d.Press("esc", "ctrl+k")
		for _, b := range r.top().Help() {
			if b.Enabled() && !isMove(b) {
				found := false
				for _, a := range r.over.(*pick).actions {
					found = found || a.Title == b.Help().Desc
				}
				if !found {
					t.Errorf("tab %s: %q is not in the palette", tab, b.Help().Desc)
				}
			}
		}
		d.Press("esc")
	}
}

func TestKeysArePressedAsTheyAreNamed(t *testing.T) {
	for _, stroke := range []string{"a", "G", "?", ":", "/", "1", "ctrl+k", "ctrl+r", "enter", "esc", "space", "up", "pgdown", "shift+tab", "home", "backspace", "alt+x", "+"} {
		if got := keymap.Press(stroke).String(); got != stroke {
			t.Errorf("%q is pressed as %q", stroke, got)
		}
	}
}

func TestConfirmDoesNothingUnlessOneSaysSo(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	done := 0
	ask := nav.Confirm{Title: "sure?", Text: "really", Do: func() tea.Msg { done++; return nav.Toast{Text: "did it"} }}
	for _, keys := range [][]string{{"enter"}, {"esc"}, {"n"}, {"q"}, {"left", "right", "enter"}, {"x", "enter"}} {
		d.Send(ask)
		d.Press(keys...)
		if r.over != nil {
			t.Errorf("%v leaves the question open", keys)
		}
	}
	d.Send(ask)
	d.Press("right", "enter")
	d.UntilShows("did it")
	if done != 1 {
		t.Errorf("done %d times", done)
	}
}

func TestProjectIsSwitchedAfterAsking(t *testing.T) {
	site, r, d := startSite(t, 80, 24)
	d.Press("enter")
	d.Until("a form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	d.Send(nav.ChooseProject{})
	d.UntilShows("choose a project")
	d.Type("ki67")
	d.Press("enter")
	d.UntilShows("switch to Ki67 pilot?")
	d.Press("y")
	d.UntilShows("This project has no algorithms")
	d.Shows("Ki67 pilot")
	if r.session.Project.ID != site.Other.ID {
		t.Errorf("project %d", r.session.Project.ID)
	}
}

func TestProjectOfTheCommandLineThatIsNotThere(t *testing.T) {
	site := tuitest.New(t)
	_, d := start(t, site.Session.Env, Options{Session: site.Unconnected, Project: "nowhere"}, 80, 24)
	d.UntilShows(`no project "nowhere"`)
	d.Fits(80, 24)
}

func TestAlgorithmOfTheCommandLineOpensItsForm(t *testing.T) {
	site := tuitest.New(t)
	r, d := start(t, site.Session.Env, Options{Session: site.Unconnected, Algorithm: "stain-density"}, 80, 24)
	d.Until("the form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
}

func TestServerThatDoesNotAnswerIsSaid(t *testing.T) {
	site := tuitest.New(t)
	site.Run("stain-density", runner.Succeeded, nil, nil)
	site.Down()
	_, d := start(t, site.Session.Env, Options{Session: site.Unconnected}, 80, 24)
	d.UntilShows("✗ server not answering")
	d.Shows("ctrl+r tries again")
	d.Press("2")
	d.UntilShows("✓ succeeded")
	d.Fits(80, 24)
}

func TestNamesOfTheServerCannotLeaveTheirLine(t *testing.T) {
	site := tuitest.New(t)
	s := *site.Session
	s.Project.Name, s.User.Username = "evil\x1b[2J\nname\u202e", strings.Repeat("漢字", 60)
	s.Profile.URL = "https://x\x1b]0;y\x07"
	r, d := start(t, s.Env, Options{}, 80, 24)
	r.session = &s
	r.build()
	r.resize()
	d.Send(nav.Toast{Text: "evil\x1b[2J\nline " + strings.Repeat("x", 500), Tone: app.Bad})
	for _, sz := range sizes {
		d.Send(tea.WindowSizeMsg{Width: sz.w, Height: sz.h})
		d.Fits(sz.w, sz.h)
	}
}

func TestLaunchShowsTheLogOverTheList(t *testing.T) {
	site, r, d := startSite(t, 80, 24)
	d.Press("enter")
	d.Until("a form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	run := site.Run("stain-density", runner.Queued, nil, nil)
	form := r.top()
	d.Press("2") // meanwhile somebody looks elsewhere
	d.Press("1")
	d.Send(nav.Launched{Runs: []runner.Run{run}, From: form})
	if r.tab != nav.Analyses || len(r.tabs[nav.Analyses].screens) != 2 || len(r.tabs[nav.Algorithms].screens) != 1 {
		t.Fatalf("tab %d with %d screens", r.tab, len(r.tabs[nav.Analyses].screens))
	}
	d.Press("esc")
	d.UntilShows("● queued")
	d.Press("esc")
	if r.tab != nav.Algorithms {
		t.Error("back from the list does not lead to the algorithms")
	}
}

func TestALaunchClosesItsOwnFormAlone(t *testing.T) {
	site, r, d := startSite(t, 80, 24)
	d.Press("enter")
	d.Until("a form is open", func() bool { return len(r.tabs[nav.Algorithms].screens) == 2 })
	form := r.top()
	run := site.Run("stain-density", runner.Queued, nil, nil)
	d.Press("2")
	d.Send(nav.OpenLog{Analysis: app.Analysis{Run: &run}})
	log := r.top()
	d.Send(nav.Launched{Runs: []runner.Run{run, run}, From: form})
	if len(r.tabs[nav.Algorithms].screens) != 1 || r.top() != log {
		t.Error("the form stays, or the log that was read went")
	}
	d.Send(nav.Launched{Runs: []runner.Run{run, run}})
	if r.top() != log {
		t.Error("a launch without a form closes a screen")
	}
}

func TestLeavingKeepsTheDraftOfAForm(t *testing.T) {
	site, r, d := startSite(t, 80, 24)
	d.Press("enter")
	d.UntilShows("ctrl+s")
	form := r.top().(nav.Closer)
	drafts := func() []string {
		found, _ := filepath.Glob(filepath.Join(site.Session.Env.Paths.State, "drafts", "*.json"))
		return found
	}
	d.Press("/")
	d.Type("Note")
	d.Press("enter", "enter")
	// The last key: its write is not awaited by anybody.
	form.(nav.Screen).Update(keymap.Press("w"))
	if len(drafts()) > 0 {
		t.Fatal("the draft was written before")
	}
	d.Press("ctrl+c")
	d.Until("ctrl+c leaves", func() bool { return quits(d) })
	r.closeAll(10 * time.Second)
	if len(drafts()) != 1 {
		t.Error("the draft is lost")
	}
}

func TestAScreenThatDoesNotCloseIsNotWaitedFor(t *testing.T) {
	site := tuitest.New(t)
	r := newRoot(t.Context(), site.Session.Env, Options{Session: site.Session})
	r.tabs[0].screens = append(r.tabs[0].screens, &stuck{})
	begin := time.Now()
	r.closeAll(20 * time.Millisecond)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("leaving took %s", took)
	}
}

// stuck is a screen whose last write never ends.
type stuck struct{ broken }

func (*stuck) Close() tea.Cmd { return func() tea.Msg { select {} } }

func TestFirstStartLeadsToTheDemoOrALogin(t *testing.T) {
	site := tuitest.New(t)
	_, d := start(t, site.Session.Env, Options{}, 80, 24)
	d.Shows("open the demo", "log in to a server")
	d.Press("l")
	d.Type(site.Session.Profile.URL)
	d.Press("enter")
	d.Type("wrong")
	d.Press("tab")
	d.Type("keys")
	d.Hides("keys not")
	d.Shows("••••")
	d.Press("enter")
	d.UntilShows("✗ the server does not accept these keys: check both (public key")
	d.Hides("GET", "cytorun login")
	d.Fits(80, 24)
	d.Press("esc")
	d.Shows("open the demo")
}

// broken is a screen that panics where it is told to.
type broken struct{ where string }

func (b *broken) Init() tea.Cmd       { return nil }
func (b *broken) SetSize(int, int)    {}
func (b *broken) Help() []key.Binding { return nil }
func (b *broken) Title() string       { return "broken" }
func (b *broken) Editing() bool       { return false }

func (b *broken) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(tea.KeyPressMsg); !ok {
		return nil
	}
	switch b.where {
	case "update":
		panic("update")
	case "command":
		return tea.Batch(func() tea.Msg { panic("command") })
	}
	return nil
}

func (b *broken) View() string {
	if b.where == "view" {
		panic("view")
	}
	return ""
}

func TestPanicEndsInOrderAndIsSaved(t *testing.T) {
	for _, where := range []string{"update", "command", "view"} {
		t.Run(where, func(t *testing.T) {
			_, r, d := startSite(t, 80, 24)
			stopped := false
			r.stop = func() { stopped = true }
			d.Send(nav.Push{Screen: &broken{where: where}})
			d.Press("x")
			d.Until("the program ends", func() bool { _ = d.Text(); return r.crash != nil && (stopped || quits(d)) })
			dir := t.TempDir()
			err := r.crash.save(dir, "v1")
			if err == nil || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "goroutine") {
				t.Fatalf("the user reads: %v", err)
			}
			files, _ := os.ReadDir(dir)
			data, _ := os.ReadFile(dir + "/" + files[0].Name())
			if !strings.Contains(string(data), "root_test.go") {
				t.Errorf("the file holds no stack: %s", data)
			}
		})
	}
}

func TestLinkTellsALostLineFromAMissingObject(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"well":        {nil, "✓ connected"},
		"not found":   {client.ErrNotFound, "✓ connected"},
		"unreachable": {client.ErrUnreachable, "✗ server not answering"},
		"keys":        {client.ErrUnauthorised, "✗ keys not accepted"},
		"server 500":  {&client.HTTPError{Status: 500}, "✗ server not answering"},
		"other":       {errors.New("disk full"), "✓ connected"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, d := startSite(t, 80, 24)
			d.Send(nav.Link{Err: tt.err})
			d.Shows(tt.want)
		})
	}
}

func TestSinceIsSaidAtTheSecondStart(t *testing.T) {
	site := tuitest.New(t)
	env := site.Session.Env
	env.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) }
	site.Session.NoteSeen()
	env.Now = time.Now
	site.Run("stain-density", runner.Succeeded, nil, &runner.Result{})
	_, d := start(t, env, Options{Session: site.Unconnected}, 80, 24)
	d.UntilShows("1 succeeded")
	if at := site.Session.LastSeen(); time.Since(at) > time.Minute {
		t.Errorf("the next start counts from %v", at)
	}
}

func TestColoursFollowTheBackground(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	t.Cleanup(func() { style.Use(true) })
	d.Send(tea.BackgroundColorMsg{Color: color.Black})
	dark := r.View().Content
	d.Send(tea.BackgroundColorMsg{Color: color.White})
	light := r.View().Content
	if dark == light || ansi.Strip(dark) != ansi.Strip(light) {
		t.Error("a light background changes nothing, or more than colours")
	}
	d.Send(tea.BackgroundColorMsg{Color: color.Black})
	if r.View().Content != dark {
		t.Error("something keeps the colours of a light background")
	}
}

// The end of a message says what to do, so it is never cut off.
func TestLongMessageTakesMoreLines(t *testing.T) {
	_, r, d := startSite(t, 80, 24)
	d.Send(nav.Toast{Text: strings.Repeat("something went wrong ", 6) + "run this next", Tone: app.Bad})
	d.Shows("run this next", "? help")
	for _, s := range sizes {
		d.Send(tea.WindowSizeMsg{Width: s.w, Height: s.h})
		d.Fits(s.w, s.h)
		if n := strings.Count(d.Text(), "\n") + 1; n != s.h {
			t.Errorf("%dx%d: %d lines", s.w, s.h, n)
		}
	}
	d.Press("2")
	if r.toast.Text == "" {
		t.Error("an error goes with the screen")
	}
	d.Send(nav.Toast{Text: "no match"})
	d.Press("1")
	d.Hides("no match")
}

func TestHelpTellsOnlyKeysThatWork(t *testing.T) {
	site := tuitest.New(t)
	_, d := start(t, site.Session.Env, Options{}, 80, 24)
	d.Press("?")
	d.Shows("open the demo", "any key close")
	d.Hides("switch screen", "page up", "back")
	d.Press("esc", "ctrl+k")
	d.Shows("open the demo")
	d.Hides("in Analyses")

	_, r, d := startSite(t, 80, 60)
	d.Press("4")
	d.UntilShows("analyses here")
	d.Press("?")
	d.Shows("ctrl+r")
	d.Hides("page up", "in every list")
	d.Press("esc")
	d.Send(tea.WindowSizeMsg{Width: 80, Height: 9})
	d.Shows("GPUs")
	d.Press("?")
	if h := r.over.(*help); !strings.Contains(strings.Join(h.lines(80), "\n"), "page up") {
		t.Error("a list that does not fit scrolls")
	}
}
