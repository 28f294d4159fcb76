package algorithms

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

var sizes = []struct{ w, h int }{{60, 15}, {80, 19}, {120, 35}, {200, 55}, {30, 3}, {40, 8}}

func TestListShowsWhatTheBoxKnows(t *testing.T) {
	site := tuitest.New(t)
	site.Run("nuclei-segmentation", runner.Failed, nil, &runner.Result{Reason: "exit code 1", FirstError: "out of memory"})
	site.Run("stain-density", runner.Succeeded, nil, nil)
	d := tuitest.Drive(t, New(site.Session), 120, 35)
	d.UntilShows("nuclei-segmentation")
	d.Shows("✗ failed", "✓ succeeded", "none here", "to fetch", "parameters", "exit code 1")
	for _, s := range sizes {
		m := New(site.Session)
		d := tuitest.Drive(t, m, s.w, s.h)
		d.Until("the list is there", func() bool { return m.loaded })
		d.Fits(s.w, s.h)
	}
}

func TestFilterNarrowsAndEscapeWidens(t *testing.T) {
	site := tuitest.New(t)
	m := New(site.Session)
	d := tuitest.Drive(t, m, 80, 20)
	d.UntilShows("stain-density")
	d.Press("/")
	if !m.Editing() {
		t.Fatal("keys are not text after /")
	}
	d.Type("nuclei-s")
	d.Shows("1 of 3")
	d.Press("enter")
	d.Hides("stain-density")
	if m.Editing() {
		t.Error("keys are text after enter")
	}
	d.Press("esc")
	d.Shows("stain-density")
	d.Press("/")
	d.Type("qqqqq")
	d.Shows("No algorithm matches")
}

func TestEnterOpensTheFormOfTheRowUnderTheCursor(t *testing.T) {
	site := tuitest.New(t)
	d := tuitest.Drive(t, New(site.Session), 80, 20)
	d.UntilShows("stain-density")
	d.Press("end", "enter")
	form := tuitest.UntilSent[nav.OpenForm](d)
	if form.Algorithm.Name != "stain-density" {
		t.Errorf("the form of %s", form.Algorithm.Name)
	}
	if whole := site.Algorithm("stain-density"); len(form.Algorithm.Parameters) != len(whole.Parameters) {
		t.Errorf("the form gets %d parameters of %d", len(form.Algorithm.Parameters), len(whole.Parameters))
	}
}

func TestLastAnalysisIsKeptUpToDate(t *testing.T) {
	site := tuitest.New(t)
	m := New(site.Session)
	d := tuitest.Drive(t, m, 100, 30)
	d.UntilShows("none here")
	run := site.Run("stain-density", runner.Running, nil, nil)
	now := time.Now()
	d.Send(nav.Tick{Now: now})
	d.UntilShows("● running")
	site.Move(run, runner.Succeeded, nil)
	d.Send(nav.Tick{Now: now.Add(time.Second)})
	d.UntilShows("✓ succeeded")
	d.Until("the list was read again", func() bool { return m.loading == 0 && m.rows[2].Typical > 0 })
}

func TestHOpensTheAnalysesOfTheRow(t *testing.T) {
	site := tuitest.New(t)
	d := tuitest.Drive(t, New(site.Session), 80, 20)
	d.UntilShows("nuclei-segmentation")
	d.Press("h")
	if m := tuitest.UntilSent[nav.OpenAnalyses](d); m.Filter != "algorithm:nuclei-segmentation" {
		t.Errorf("filter %q", m.Filter)
	}
}

func TestDetailFollowsWhenTheCursorRests(t *testing.T) {
	site := tuitest.New(t)
	m := New(site.Session)
	d := tuitest.Drive(t, m, 120, 30)
	d.UntilShows("parameters")
	before := m.detail.View()
	d.Press("down")
	if m.detail.View() != before {
		t.Error("the detail moves with the cursor")
	}
	d.Until("the detail follows", func() bool { return strings.Contains(m.detail.View(), "pixel-classifier-training") })
}

func TestServerThatIsGoneIsSaidAndRetried(t *testing.T) {
	site := tuitest.New(t)
	site.Down()
	d := tuitest.Drive(t, New(site.Session), 80, 20)
	d.UntilShows("ctrl+r tries again")
	if link := tuitest.UntilSent[nav.Link](d); link.Err == nil {
		t.Error("the root is not told")
	}
	d.Fits(80, 20)
}

func TestUnconnectedScreenWaitsForItsSession(t *testing.T) {
	site := tuitest.New(t)
	d := tuitest.Drive(t, New(site.Unconnected), 80, 20)
	d.Shows("connecting to")
	d.Send(nav.Connected{Session: site.Session})
	d.UntilShows("nuclei-segmentation")
	d.Send(nav.Connected{Session: site.Session.WithProject(site.Other)})
	d.UntilShows("This project has no algorithms")
	d.Hides("nuclei-segmentation")
}

func TestHostileTextStaysText(t *testing.T) {
	site := tuitest.New(t)
	evil := "evil\x1b]0;title\x07\x1b[2J\r\nname \u202e reversed 漢字"
	tuitest.Register(t, site.Session, site.Session.Project.ID, &descriptor.Descriptor{
		Name: evil, Description: "<b>" + evil + "</b><script>x</script>", CommandLine: "run X",
		Parameters: []descriptor.Parameter{{ID: "X", Name: evil, Type: descriptor.String, Choices: []string{evil}, Optional: true}},
	})
	for _, s := range sizes {
		m := New(site.Session)
		d := tuitest.Drive(t, m, s.w, s.h)
		d.Until("the list is there", func() bool { return m.loaded })
		d.Press("/")
		d.Type("evil")
		d.Press("enter")
		m.detail.Follow()
		d.Fits(s.w, s.h)
	}
}

func TestWhereNoParameterNamesImagesTheDetailSaysSo(t *testing.T) {
	site := tuitest.New(t)
	tuitest.Register(t, site.Session, site.Session.Project.ID, &descriptor.Descriptor{
		Name: "aaa", CommandLine: "run X", Parameters: []descriptor.Parameter{{ID: "X", Type: descriptor.Number, Optional: true}},
	})
	d := tuitest.Drive(t, New(site.Session), 120, 30)
	d.UntilShows("takes all images of the project")
}

// many is a screen with 100,000 algorithms, at the size of the numbers to reach.
func many(t testing.TB) *Screen {
	site := tuitest.New(t)
	m := New(site.Session)
	m.SetSize(120, 35)
	m.Init()
	rows := make([]app.AlgorithmRow, 100_000)
	for i := range rows {
		rows[i].ID = client.ID(i + 1)
		rows[i].Name = fmt.Sprintf("Algorithm_%06d", i)
		rows[i].Description = "<p>Segments nuclei in tiles of a whole slide image.</p>"
	}
	m.Update(loaded{gen: m.loading, rows: rows})
	m.View()
	return m
}

// BenchmarkKeys100000 measures the slowest key from press to view.
func BenchmarkKeys100000(b *testing.B) {
	m := many(b)
	for b.Loop() {
		var all []time.Duration
		for range 5 {
			worst := time.Duration(0)
			for _, k := range []string{"down", "pgdown", "end", "up", "home", "/", "a", "l", "g", "9", "backspace", "esc"} {
				start := time.Now()
				m.Update(keymap.Press(k))
				m.View()
				worst = max(worst, time.Since(start))
			}
			all = append(all, worst)
		}
		slices.Sort(all)
		bench.Report(b, "algorithms/worst-key-100k", float64(all[len(all)/2].Microseconds())/1000, "ms", 16, true)
	}
}

func TestCursorStaysWithItsRowWhenTheFilterIsCleared(t *testing.T) {
	s := New(tuitest.New(t).Session)
	d := tuitest.Drive(t, s, 80, 24)
	d.UntilShows("stain-density")
	first, _ := s.current()
	d.Press("/")
	d.Type("stain")
	d.Press("enter")
	found, _ := s.current()
	if found.ID == first.ID {
		t.Fatal("the filter finds the first row, which shows nothing")
	}
	d.Press("esc")
	if now, _ := s.current(); now.ID != found.ID || s.filter.Value() != "" {
		t.Errorf("the cursor is on %q with the filter %q", now.Name, s.filter.Value())
	}
}
