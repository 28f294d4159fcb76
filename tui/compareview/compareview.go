// Package compareview is the screen that puts analyses side by side: analyses
// are columns and what is known of them rows, or the other way round.
package compareview

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// within bounds the reading of everything that is compared.
const within = 2 * time.Minute

// Screen is one comparison.
type Screen struct {
	session  *app.Session
	analyses []app.Analysis
	table    compare.Table
	loaded   bool
	loading  nav.Gen
	stop     context.CancelFunc // of the reading
	done     *atomic.Int64      // analyses that have been read
	opening  nav.Gen
	err      error

	equal     bool // rows in which all agree are shown too
	transpose bool
	baseline  int    // index into the table's columns, -1 for none
	sortKey   string // key of the row that orders the analyses, "" for none
	descend   bool

	rows []int // of the table, as they are shown
	cols []int // of the table, as they are shown

	grid   grid
	filter widget.Filter
	export exporter
	plot   plotter

	width, height int
}

// keys of this screen.
var (
	left        = keymap.Bind("←", "left", "left", "h")
	right       = keymap.Bind("→", "right", "right")
	equal       = keymap.Bind("=", "hide equal rows", "=")
	nextDiff    = keymap.Bind("]", "next difference", "]")
	prevDiff    = keymap.Bind("[", "previous difference", "[")
	baseline    = keymap.Bind("b", "baseline", "b")
	turn        = keymap.Bind("t", "turn the table", "t")
	sortBy      = keymap.Bind("s", "sort by this row", "s")
	whichBetter = keymap.Bind("w", "which is better", "w")
	openForm    = keymap.As(keymap.Open, "form with these values")
	openLog     = keymap.Bind("l", "log", "l")
	remove      = keymap.Bind("x", "leave this one out", "x")
	exportTo    = keymap.Bind("e", "export", "e")
)

// New makes the screen. The first analysis is the baseline; the columns are in the
// order of time, the oldest first.
func New(s *app.Session, analyses []app.Analysis) *Screen {
	m := &Screen{session: s, analyses: slices.Clone(analyses), baseline: -1, done: &atomic.Int64{}}
	slices.SortStableFunc(m.analyses, func(a, b app.Analysis) int { return a.Created().Compare(b.Created()) })
	if len(analyses) > 1 {
		first := analyses[0].Key()
		m.baseline = slices.IndexFunc(m.analyses, func(a app.Analysis) bool { return a.Key() == first })
	}
	m.filter = widget.NewFilter("filter rows by name")
	m.export = newExporter()
	return m
}

// compared answers load.
type compared struct {
	gen   nav.Gen
	table compare.Table
	err   error
}

// Init starts reading what is to be compared.
func (m *Screen) Init() tea.Cmd { return m.load() }

func (m *Screen) load() tea.Cmd {
	if len(m.analyses) == 0 {
		return nil
	}
	gen, s, as, done := nav.NewGen(), m.session, slices.Clone(m.analyses), &atomic.Int64{}
	m.Close()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	m.loading, m.done, m.stop = gen, done, cancel
	return func() tea.Msg {
		defer cancel()
		t, err := s.Compare(ctx, as, func(n int) { done.Store(int64(n)) })
		return compared{gen, t, err}
	}
}

// Close ends a reading that nobody waits for any more.
func (m *Screen) Close() tea.Cmd {
	if m.stop != nil {
		m.stop()
	}
	return nil
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case compared:
		if msg.gen != m.loading {
			return nil
		}
		m.loading, m.err = 0, msg.err
		if msg.err == nil {
			m.table, m.loaded = msg.table, true
			m.arrange()
		}
	case nav.Connected:
		m.session = msg.Session
	case again:
		return m.openedForm(msg)
	case written:
		return m.export.done(msg)
	case nav.ThemeChanged:
		m.filter.Input.Restyle()
		m.export.input.Restyle()
	case tea.PasteMsg:
		if m.export.open {
			m.export.input.Type(msg)
		} else if _, changed := m.filter.Update(msg); changed {
			m.arrange()
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return nil
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if m.export.open {
		t, base := m.shownTable()
		return m.export.key(k, t, base)
	}
	if m.plot.on {
		m.plotKeys(k)
		return nil
	}
	if used, changed := m.filter.Update(k); used {
		if changed {
			m.arrange()
		}
		return nil
	}
	if !m.loaded {
		if keymap.Is(k, keymap.Refresh) {
			return m.load()
		}
		return nil
	}
	switch {
	case m.move(k):
	case keymap.Is(k, equal):
		m.equal = !m.equal
		m.arrange()
	case keymap.Is(k, nextDiff):
		m.toDifference(1)
	case keymap.Is(k, prevDiff):
		m.toDifference(-1)
	case keymap.Is(k, baseline):
		m.setBaseline()
	case keymap.Is(k, turn):
		m.transpose = !m.transpose
		m.grid.turn()
		m.arrange()
	case keymap.Is(k, sortBy):
		m.sort()
	case keymap.Is(k, whichBetter):
		return m.turnDirection()
	case keymap.Is(k, plotKey):
		return m.startPlot()
	case keymap.Is(k, openForm):
		return m.form()
	case keymap.Is(k, openLog):
		if a, ok := m.analysis(); ok {
			return nav.Send(nav.OpenLog{Analysis: a})
		}
	case keymap.Is(k, remove):
		return m.leaveOut()
	case keymap.Is(k, exportTo):
		m.export.start(m.session.Env.Now())
	case keymap.Is(k, keymap.Copy):
		if t, ok := m.cellText(); ok {
			return nav.Send(nav.Copy{Text: t, What: "the cell"})
		}
	case keymap.Is(k, keymap.Refresh):
		return m.load()
	}
	return nil
}

// HoldsKey claims left while there is something to the left, and esc while a
// filter is to be cleared.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool {
	return m.export.open || m.plot.on && (k.String() == "esc" || k.String() == "left") || m.filter.HoldsKey(k) || k.String() == "left" && m.grid.col > 0
}

// Editing tells that printable keys are text.
func (m *Screen) Editing() bool { return m.filter.Editing() || m.export.open }

// Title names the screen.
func (m *Screen) Title() string {
	if len(m.analyses) == 0 {
		return "Compare"
	}
	return "Compare " + itoa(len(m.analyses))
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	switch {
	case m.export.open:
		return []key.Binding{keymap.As(keymap.Accept, "write the file"), keymap.Cancel}
	case m.filter.Editing():
		return m.filter.Help()
	case m.plot.on:
		return []key.Binding{plotX, plotY, plotBack, plotEnd}
	case !m.loaded:
		return []key.Binding{keymap.When(m.err != nil, keymap.Refresh)}
	}
	hide := equal
	if !m.equal {
		hide = keymap.As(equal, "show equal rows")
	}
	return []key.Binding{openForm, hide, nextDiff, prevDiff, baseline, turn, sortBy, plotKey, openLog, keymap.Filter,
		exportTo, whichBetter, remove, keymap.Copy, keymap.Up, keymap.Down, left, right, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End, keymap.Refresh}
}

// analysisIndex is the table's column under the cursor.
func (m *Screen) analysisIndex() (int, bool) {
	i := m.grid.col
	if m.transpose {
		i = m.grid.row
	}
	if i < 0 || i >= len(m.cols) {
		return 0, false
	}
	return m.cols[i], true
}

// rowIndex is the table's row under the cursor.
func (m *Screen) rowIndex() (int, bool) {
	i := m.grid.row
	if m.transpose {
		i = m.grid.col
	}
	if i < 0 || i >= len(m.rows) {
		return 0, false
	}
	return m.rows[i], true
}

func (m *Screen) analysis() (app.Analysis, bool) {
	i, ok := m.analysisIndex()
	if !ok || i >= len(m.analyses) {
		return app.Analysis{}, false
	}
	return m.analyses[i], true
}

func (m *Screen) cellText() (string, bool) {
	r, okR := m.rowIndex()
	c, okC := m.analysisIndex()
	if !okR || !okC {
		return "", false
	}
	return m.table.Rows[r].Cells[c].Text, true
}

func (m *Screen) setBaseline() {
	i, ok := m.analysisIndex()
	if !ok {
		return
	}
	if m.baseline == i {
		m.baseline = -1
	} else {
		m.baseline = i
	}
	m.arrange()
}

// turnDirection changes in which direction the row under the cursor is good.
func (m *Screen) turnDirection() tea.Cmd {
	r, ok := m.rowIndex()
	if !ok {
		return nil
	}
	m.table = m.table.Turn(r)
	m.fit()
	name := text.Line(m.table.Rows[r].Label)
	switch m.table.Rows[r].Better {
	case compare.Lower:
		return nav.Say("less is better: " + name)
	case compare.Higher:
		return nav.Say("more is better: " + name)
	}
	return nav.Say("neither is better: " + name)
}

// leaveOut takes the analysis under the cursor out of the comparison.
func (m *Screen) leaveOut() tea.Cmd {
	i, ok := m.analysisIndex()
	if !ok || len(m.analyses) <= 1 {
		return nav.Say("one analysis has to stay")
	}
	m.analyses = slices.Delete(slices.Clone(m.analyses), i, i+1)
	switch {
	case m.baseline == i:
		m.baseline = 0
	case m.baseline > i:
		m.baseline--
	}
	m.loaded = false
	return m.load()
}

// again answers form.
type again struct {
	gen       nav.Gen
	algorithm client.Algorithm
	values    []client.Value
	resources *runner.Resources
	of        app.Analysis
	err       error
}

// form opens the form with the values of the analysis under the cursor.
func (m *Screen) form() tea.Cmd {
	a, ok := m.analysis()
	if !ok {
		return nil
	}
	gen, s := nav.NewGen(), m.session
	m.opening = gen
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		algorithm, values, err := s.Again(ctx, a)
		return again{gen, algorithm, values, s.ResourcesOf(a), a, err}
	}
}

func (m *Screen) openedForm(msg again) tea.Cmd {
	if msg.gen != m.opening {
		return nil
	}
	m.opening = 0
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	return nav.Send(nav.OpenForm{Algorithm: msg.algorithm, Values: msg.values, Resources: msg.resources, Develop: app.DevelopOf(msg.of), Container: app.OtherContainer(msg.of), Cache: app.CacheOf(msg.of)})
}

// shownTable is the table as it is on the screen, for exports.
func (m *Screen) shownTable() (compare.Table, int) {
	t := compare.Table{}
	base := -1
	for i, c := range m.cols {
		t.Columns = append(t.Columns, m.table.Columns[c])
		if c == m.baseline {
			base = i
		}
	}
	for _, r := range m.rows {
		row := m.table.Rows[r]
		cells := make([]compare.Cell, len(m.cols))
		var best []int
		for i, c := range m.cols {
			cells[i] = row.Cells[c]
			if slices.Contains(row.Best, c) {
				best = append(best, i)
			}
		}
		row.Cells, row.Best = cells, best
		t.Rows = append(t.Rows, row)
	}
	return t, base
}

// arrange works out which rows and columns are shown, in which order.
func (m *Screen) arrange() {
	want := strings.Fields(strings.ToLower(m.filter.Value()))
	m.rows = m.rows[:0]
	for i, r := range m.table.Rows {
		if !m.equal && !r.Differs && len(m.table.Columns) > 1 {
			continue
		}
		name := strings.ToLower(r.Label + " " + r.Key + " " + r.Section.String())
		if !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(name, w) }) {
			m.rows = append(m.rows, i)
		}
	}
	m.cols = m.cols[:0]
	for i := range m.table.Columns {
		m.cols = append(m.cols, i)
	}
	m.order()
	m.fit()
}
