package compareview

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
)

// screen is a comparison of n analyses with rows parameters, of which the even
// ones differ, already read.
func screen(t testing.TB, n, rows int) *Screen {
	t.Helper()
	in := inputs(t, n, rows)
	var as []app.Analysis
	for _, c := range in {
		run := &runner.Run{}
		run.ID = c.Key
		as = append(as, app.Analysis{Run: run})
	}
	m := New(&app.Session{Env: &app.Env{Now: time.Now}}, as)
	m.SetSize(80, 20)
	m.table, m.loaded = compare.New(in), true
	m.arrange()
	return m
}

// inputs are n analyses with rows parameters, of which the even ones differ.
func inputs(t testing.TB, n, rows int) []compare.Input {
	t.Helper()
	var in []compare.Input
	for i := range n {
		c := compare.Input{Key: fmt.Sprint("run-", i), Title: fmt.Sprintf("Nuclei \x1b[31m#%d\u202e", i)}
		for r := range rows {
			v := fmt.Sprint(r)
			if r%2 == 0 {
				v = fmt.Sprint(r * (n - i))
			}
			value, err := descriptor.ParseValue(descriptor.Number, v)
			if err != nil {
				t.Fatal(err)
			}
			c.Entries = append(c.Entries, compare.Entry{Section: compare.Section(r * 3 / rows), Key: fmt.Sprint("p", r), Label: fmt.Sprint("Parameter ", r, "\n"), Value: value})
		}
		in = append(in, c)
	}
	return in
}

func press(m *Screen, keys ...string) {
	for _, k := range keys {
		m.Update(keymap.Press(k))
	}
}

func TestEveryLineFitsAtEverySize(t *testing.T) {
	m := screen(t, 7, 40)
	for _, size := range [][2]int{{60, 14}, {80, 18}, {120, 34}, {200, 54}, {30, 3}} {
		for _, keys := range [][]string{{}, {"="}, {"t"}, {"end"}, {"right", "right", "right"}, {"/"}, {"esc"}, {"e"}, {"esc"}} {
			press(m, keys...)
			m.SetSize(size[0], size[1])
			view := m.View()
			lines := strings.Split(view, "\n")
			if len(lines) != size[1] {
				t.Errorf("%v after %v: %d lines", size, keys, len(lines))
			}
			for _, l := range lines {
				if w := text.Width(l); w > size[0] {
					t.Errorf("%v after %v: a line of %d cells: %q", size, keys, w, l)
				}
			}
			if plain := text.Strip(view); strings.ContainsAny(plain, "\x1b\u202e") {
				t.Errorf("%v after %v: server text reaches the terminal: %q", size, keys, plain)
			}
		}
	}
}

func TestEqualRowsAreHiddenUntilAsked(t *testing.T) {
	m := screen(t, 3, 10)
	if len(m.rows) != 4 { // p0 is 0 everywhere
		t.Errorf("%d rows differ", len(m.rows))
	}
	press(m, "=")
	if len(m.rows) != 10 {
		t.Errorf("%d rows after =", len(m.rows))
	}
	press(m, "home", "]", "]")
	if r, _ := m.rowIndex(); m.table.Rows[r].Key != "p4" {
		t.Errorf("second difference is %s", m.table.Rows[r].Key)
	}
	press(m, "[")
	if r, _ := m.rowIndex(); m.table.Rows[r].Key != "p2" {
		t.Errorf("difference before is %s", m.table.Rows[r].Key)
	}
}

func TestTheCursorStaysOnItsCellWhenTheTableIsTurned(t *testing.T) {
	m := screen(t, 5, 10)
	press(m, "down", "down", "right")
	r, _ := m.rowIndex()
	c, _ := m.analysisIndex()
	press(m, "t")
	r2, _ := m.rowIndex()
	c2, _ := m.analysisIndex()
	if r != r2 || c != c2 {
		t.Errorf("cell %d,%d became %d,%d", r, c, r2, c2)
	}
}

func TestSortingGoesUpThenDownThenBack(t *testing.T) {
	m := screen(t, 3, 6)
	want := []string{"[2 1 0]", "[0 1 2]", "[0 1 2]"}
	for i, w := range want {
		press(m, "s")
		if got := fmt.Sprint(m.cols); got != w {
			t.Errorf("press %d: order %s, want %s", i+1, got, w)
		}
	}
}

func TestBaselineIsPinnedAndReleased(t *testing.T) {
	m := screen(t, 3, 6)
	press(m, "right", "b")
	if m.baseline != 1 || !strings.Contains(m.View(), "◆") {
		t.Errorf("baseline is %d", m.baseline)
	}
	press(m, "b")
	if m.baseline != -1 {
		t.Error("b on the baseline must release it")
	}
}

func TestLeftIsHeldOnlyWhileThereIsSomethingToTheLeft(t *testing.T) {
	m := screen(t, 3, 6)
	if m.HoldsKey(keymap.Press("left")) {
		t.Error("left in the first column must go back")
	}
	press(m, "right")
	if !m.HoldsKey(keymap.Press("left")) {
		t.Error("left in another column must move")
	}
}

func TestLettersAreTextWhileAFilterIsTyped(t *testing.T) {
	m := screen(t, 3, 10)
	press(m, "=", "/", "r", "t", "8")
	if m.filter.Value() != "rt8" || m.transpose {
		t.Fatalf("filter is %q", m.filter.Value())
	}
	press(m, "esc", "/", "8", "enter")
	if len(m.rows) != 1 || m.Editing() {
		t.Errorf("%d rows are called 8", len(m.rows))
	}
}

func TestExportWritesWhatIsShownAndNeverOverwrites(t *testing.T) {
	m := screen(t, 3, 10)
	path := filepath.Join(t.TempDir(), "c.csv")
	export := func() written {
		press(m, "e")
		m.export.input.SetValue(path)
		cmd := m.Update(keymap.Press("enter"))
		msg, ok := cmd().(written)
		if !ok {
			t.Fatalf("enter gave %T", msg)
		}
		m.Update(msg)
		return msg
	}
	if w := export(); w.err != nil || m.export.open {
		t.Fatal(w.err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if recs, err := csv.NewReader(f).ReadAll(); err != nil || len(recs) != 5 || len(recs[0]) != 7 {
		t.Errorf("file holds %v, %v", recs, err)
	}
	if w := export(); w.err == nil || !m.export.open {
		t.Error("a file that is there must stay, and so must the question")
	}
	press(m, "esc", "e")
	m.export.input.SetValue("x.xls")
	if cmd := m.Update(keymap.Press("enter")); cmd == nil {
		t.Error("an unknown ending must be said")
	}
}

func TestAnEmptyComparisonSaysHowToGetOne(t *testing.T) {
	m := New(&app.Session{Env: &app.Env{Now: time.Now}}, nil)
	m.SetSize(80, 20)
	if m.Init() != nil || !strings.Contains(m.View(), "space") {
		t.Errorf("it says %q", m.View())
	}
	for _, k := range []string{"=", "t", "s", "b", "e", "x", "enter", "l", "y", "]", "down"} {
		press(m, k)
		_ = m.View()
	}
}

func TestColumnsAreOldestFirstAndTheFirstIsTheBaseline(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	of := func(id string, hours int) app.Analysis {
		return app.Analysis{Run: &runner.Run{Spec: runner.Spec{ID: id, Created: at.Add(time.Duration(hours) * time.Hour)}}}
	}
	m := New(&app.Session{Env: &app.Env{Now: time.Now}}, []app.Analysis{of("good", 3), of("new", 5), of("old", 1)})
	if m.analyses[0].Key() != "old" || m.analyses[2].Key() != "new" || m.baseline != 1 {
		t.Errorf("%s first, baseline %d", m.analyses[0].Key(), m.baseline)
	}
}

func TestADirectionCanBeGivenToARow(t *testing.T) {
	m := screen(t, 3, 6)
	press(m, "w")
	r, _ := m.rowIndex()
	if row := m.table.Rows[r]; row.Better != compare.Lower || len(row.Best) != 1 {
		t.Errorf("%v is better, best %v", row.Better, row.Best)
	}
	if !strings.Contains(m.View(), "★") {
		t.Error("the best one has no star")
	}
}

func TestAResultIsPlottedAgainstAParameter(t *testing.T) {
	m := screen(t, 5, 12)
	press(m, "p")
	if !m.plot.on || !strings.Contains(text.Strip(m.View()), "against") {
		t.Fatal("nothing is plotted")
	}
	for _, size := range [][2]int{{60, 14}, {80, 18}, {200, 54}, {30, 3}} {
		m.SetSize(size[0], size[1])
		for _, k := range []string{"x", "y", "Y", "right", "down"} {
			press(m, k)
			lines := strings.Split(m.View(), "\n")
			if len(lines) != size[1] {
				t.Errorf("%v: %d lines", size, len(lines))
			}
			for _, l := range lines {
				if text.Width(l) > size[0] || strings.ContainsAny(text.Strip(l), "\x1b\u202e") {
					t.Errorf("%v: %q", size, l)
				}
			}
		}
	}
	if !m.HoldsKey(keymap.Press("esc")) {
		t.Error("esc must lead back to the table")
	}
	press(m, "esc")
	if m.plot.on {
		t.Error("it is still a plot")
	}
}

// BenchmarkOpen1000x200 is from the entries of the analyses to a drawn table.
func BenchmarkOpen1000x200(b *testing.B) {
	in := inputs(b, 1000, 200)
	var all []time.Duration
	for b.Loop() {
		began := time.Now()
		m := New(&app.Session{Env: &app.Env{Now: time.Now}}, make([]app.Analysis, 1000))
		m.SetSize(200, 54)
		m.Update(compared{gen: m.loading, table: compare.New(in)})
		_ = m.View()
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	bench.Report(b, "compare/open-1000x200", ms(all[len(all)/2]), "ms", 150, true)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func BenchmarkScroll1000x200(b *testing.B) {
	m := screen(b, 1000, 200)
	m.SetSize(200, 54)
	keys := []tea.KeyPressMsg{keymap.Press("right"), keymap.Press("down"), keymap.Press("pgdown"), keymap.Press("end"), keymap.Press("home"), keymap.Press("t")}
	var all []time.Duration
	for b.Loop() {
		for i := range 60 {
			began := time.Now()
			m.Update(keys[i%len(keys)])
			_ = m.View()
			all = append(all, time.Since(began))
		}
	}
	slices.Sort(all)
	bench.Report(b, "compare/scroll-1000x200", ms(all[len(all)*95/100]), "ms", 16, true)
}
