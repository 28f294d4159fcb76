package analyses

import (
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestMain(m *testing.M) { tuitest.Main(m) }

var sizes = []struct{ w, h int }{{60, 15}, {80, 19}, {120, 35}, {200, 55}, {30, 3}, {40, 8}}

// with gives a run a value of one parameter and an age.
func with(sigma string, age time.Duration) func(*runner.Spec) {
	return func(s *runner.Spec) {
		s.Values = []client.Value{{Parameter: "sigma", Text: sigma}}
		s.Created = time.Now().Add(-age)
	}
}

// full is a site with an analysis in every state of interest.
func full(t *testing.T) *tuitest.Site {
	site := tuitest.New(t)
	site.Run("nuclei-segmentation", runner.Succeeded, with("1", 5*time.Hour), nil)
	site.Run("nuclei-segmentation", runner.Succeeded, with("3", 4*time.Hour), nil)
	site.Run("nuclei-segmentation", runner.Failed, with("1", 3*time.Hour), &runner.Result{Reason: "exit code 1", FirstError: "CUDA out of memory"})
	site.Run("stain-density", runner.Running, with("1", 2*time.Minute), nil)
	return site
}

func open(t *testing.T, site *tuitest.Site, w, h int) (*Screen, *tuitest.Driver) {
	t.Helper()
	m := New(site.Session)
	d := tuitest.Drive(t, m, w, h)
	d.Until("the server has answered", func() bool { return m.feed.answered && m.feed.runs == 0 && m.feed.page == 0 && m.feed.opening == 0 })
	return m, d
}

func TestRunsAndTheirStatesAreListedNewestFirst(t *testing.T) {
	site := full(t)
	_, d := open(t, site, 120, 30)
	d.Shows("● running", "✗ failed", "✓ succeeded", "CUDA out of memory", "#1", "#3")
	text := d.Text()
	if strings.Index(text, "● running") > strings.Index(text, "✗ failed") {
		t.Errorf("the newest is not first:\n%s", text)
	}
	for _, s := range sizes {
		_, d := open(t, site, s.w, s.h)
		d.Fits(s.w, s.h)
	}
}

func TestRunsAreListedWithoutTheServer(t *testing.T) {
	site := full(t)
	site.Down()
	d := tuitest.Drive(t, New(site.Session), 80, 20)
	d.UntilShows("runs of this box only")
	d.Shows("✗ failed", "● running")
}

func TestANewRunAndANewStateAppearByThemselves(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 100, 25)
	run := site.Run("stain-density", runner.Queued, nil, nil)
	d.Send(nav.Tick{Now: time.Now().Add(time.Minute)})
	d.UntilShows("● queued")
	site.Move(run, runner.Succeeded, nil)
	d.Send(nav.Tick{Now: time.Now().Add(2 * time.Minute)})
	d.Until("the run has ended", func() bool { return !strings.Contains(d.Text(), "● queued") })
	if m.feed.list.Len() != 5 {
		t.Errorf("%d analyses", m.feed.list.Len())
	}
}

func TestFilterByFields(t *testing.T) {
	site := full(t)
	for filter, want := range map[string]int{
		"state:failed":                    1,
		"state:succ algorithm:nuclei":     2,
		"by:me":                           4,
		"by:somebody":                     0,
		"stain":                           1,
		"cuda":                            1,
		"state:live":                      1,
		"algorithm:\"nuclei-segmentation": 3,
		"":                                4,
	} {
		m, d := open(t, site, 80, 20)
		d.Send(nav.OpenAnalyses{Filter: filter})
		if got := m.view.shown; got != want {
			t.Errorf("%q leaves %d, want %d", filter, got, want)
		}
	}
}

func TestMarkedAnalysesAreCompared(t *testing.T) {
	_, d := open(t, full(t), 80, 20)
	d.Press("c")
	if toast := tuitest.UntilSent[nav.Toast](d); !strings.Contains(toast.Text, "mark two") {
		t.Errorf("c without marks says %q", toast.Text)
	}
	d.Press("down", "space", "space", "c")
	m := tuitest.UntilSent[nav.OpenCompare](d)
	if len(m.Analyses) != 2 || m.Analyses[0].State().Word != "succeeded" || m.Analyses[1].State().Word != "failed" {
		t.Errorf("compared: %v", m.Analyses)
	}
	d.Shows("2 marked")
}

func TestEnterOpensTheLog(t *testing.T) {
	for _, key := range []string{"enter", "l"} {
		_, d := open(t, full(t), 80, 20)
		d.Press(key)
		if m := tuitest.UntilSent[nav.OpenLog](d); m.Analysis.State().Word != "running" {
			t.Errorf("%s opens the log of %s", key, m.Analysis.Title())
		}
	}
}

func TestRerunOpensTheFormWithTheValues(t *testing.T) {
	_, d := open(t, full(t), 80, 20)
	d.Press("down", "r")
	m := tuitest.UntilSent[nav.OpenForm](d)
	if m.Algorithm.Name != "nuclei-segmentation" || len(m.Values) != 1 || m.Values[0].Text != "1" || m.Values[0].Origin != client.FromAnalysis {
		t.Errorf("form of %s with %v", m.Algorithm.Name, m.Values)
	}
}

func TestCancelAsksAndWritesTheRequest(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 80, 20)
	a, _ := m.current()
	d.Press("x")
	ask := tuitest.UntilSent[nav.Confirm](d)
	if !strings.Contains(ask.Title, a.Title()) || !strings.Contains(ask.Text, "It has run for") {
		t.Errorf("asks %q %q", ask.Title, ask.Text)
	}
	if _, asked := runner.CancelRequested(a.Run.Folder); asked {
		t.Fatal("cancelled before the answer")
	}
	d.Do(ask.Do)
	if toast := tuitest.UntilSent[nav.Toast](d); toast.Tone == app.Bad {
		t.Error(toast.Text)
	}
	if _, asked := runner.CancelRequested(a.Run.Folder); !asked {
		t.Error("nothing was asked for")
	}
	d.Until("its supervisor is done", func() bool {
		run, err := runner.ReadFolder(a.Run.Folder)
		return err == nil && run.State.Ended() && !runner.Supervised(a.Run.Folder)
	})
	d.Press("down", "x")
	d.Until("it has ended", func() bool {
		toast, ok := d.Sent[len(d.Sent)-1].(nav.Toast)
		return ok && strings.Contains(toast.Text, "has ended already")
	})
}

func TestDComparesWithTheNearestSuccess(t *testing.T) {
	_, d := open(t, full(t), 80, 20)
	d.Press("down", "d") // the failed one, sigma 1
	m := tuitest.UntilSent[nav.OpenCompare](d)
	if len(m.Analyses) != 2 || m.Analyses[0].Number() != 1 || m.Analyses[1].Number() != 3 {
		t.Errorf("compared: %s and %s", m.Analyses[0].Title(), m.Analyses[1].Title())
	}
}

func TestDetailTellsWhyAndWithWhichValues(t *testing.T) {
	_, d := open(t, full(t), 120, 30)
	d.Press("down")
	d.UntilShows("sigma")
	d.Shows("CUDA out of memory", "exit code 1", "launched")
}

func TestLaunchedRunGetsTheCursor(t *testing.T) {
	site := full(t)
	m, d := open(t, site, 80, 20)
	d.Press("end")
	run := site.Run("stain-density", runner.Queued, nil, nil)
	d.Send(nav.Launched{Runs: []runner.Run{run}})
	d.Until("the cursor is on the new run", func() bool {
		a, ok := m.current()
		return ok && a.Run != nil && a.Run.ID == run.ID
	})
}

func TestHostileTextStaysText(t *testing.T) {
	site := tuitest.New(t)
	evil := "evil\x1b]0;t\x07\x1b[2J\r\n\u202e漢字 " + strings.Repeat("x", 300)
	site.Run("stain-density", runner.Failed, func(s *runner.Spec) {
		s.Algorithm.Name, s.Person, s.Note = evil, evil, evil
		s.Values = []client.Value{{Parameter: evil, Text: evil, Labels: []string{evil}}}
	}, &runner.Result{Reason: evil, FirstError: evil + "2", Warnings: []string{evil}, Advice: evil})
	for _, s := range sizes {
		m, d := open(t, site, s.w, s.h)
		d.Press("m") // it is somebody else's
		d.Until("values are read", func() bool { return m.split.DetailHeight == 0 || m.about.list != nil })
		d.Fits(s.w, s.h)
		d.Press("ctrl+d")
		d.Fits(s.w, s.h)
	}
}
