// Package paramform is the screen that fills the parameters of an algorithm and
// launches it.
//
// Everything on it is a field of a forms.Form: one form for the parameters of
// the algorithm, one for how to launch it. The forms are the truth and they are
// pure; this package moves a cursor over their fields, edits one at a time, and
// draws. What is typed is in the form at every key, so that problems, command
// and draft are always those of what is seen.
//
//   - paramform.go, update.go: the screen and its messages;
//   - change.go: every way to change a field, and back;
//   - edit.go, choose.go: one field in the hands of the person;
//   - options.go, sets.go: the lists that a server gives to choose from, and
//     what the person keeps of them;
//   - launch.go, block.go, resources.go, several.go: from ctrl+s to one run or several;
//   - draft.go: what was typed survives;
//   - editor.go, presets.go: all values at once, as a file in the person's
//     editor or kept under a name;
//   - draw.go, field.go, command.go: what is seen.
package paramform

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform/picker"
	"github.com/cytorun/cytorun/tui/widget"
)

// Screen is the form of one algorithm.
type Screen struct {
	session   *app.Session
	algorithm client.Algorithm
	prefill   []client.Value
	like      *runner.Resources
	now       func() time.Time

	// whole tells that the algorithm has all its parameters, also those that
	// only the launch fills; without them nothing can be launched.
	whole   bool
	reading nav.Gen
	readErr error

	params, block *forms.Form
	// base and blockBase are the forms as they were opened.
	base, blockBase *forms.Form
	spots           []spot          // in the order of the screen
	helps           map[spot]string // the begin of the help of each, in one line
	cursor          int
	strict          bool // a launch was asked for: say also what is still missing
	undo            []change

	edit               *editing
	picking            *picking
	left               map[spot]*picking // pickers with marks that were not taken
	jump               *jump
	command            *commandView
	sources            map[string]*picker.Source
	lists              map[string]*picker.List
	recent             map[string][]client.ID // options that were chosen lately, by uri
	recentGen, setsGen nav.Gen
	// absent are chosen ids that the server's list does not have.
	absent map[string][]string

	several   several
	preview   app.Preview
	words     []string        // of the preview
	own       *runner.Develop // of the analysis that it is of, nil for most
	cache     []string        // folders of the container to keep for later runs
	container string          // to run in place of the algorithm\'s
	stage     stage
	wait      nav.Gen // of the stage
	checks    []app.Check
	// question is what the checks ask although nothing is wrong.
	question string
	request  []app.LaunchRequest
	failure  error // of the last launch

	editing nav.Gen // of the whole form in an editor

	drafts  draftFiles
	last    *draft
	presets *presets

	area   area
	lines  []line // of the list, see makeLines
	cols   columns
	top    int // first line that is seen
	detail widget.Detail
	rest   widget.Rest
	told   spot // the field that the detail is about
}

// spot is the place of a field: in the launch block or among the parameters.
type spot struct {
	launch bool
	id     string
}

// New makes the form of an algorithm, with its defaults and over them earlier
// values. like is what the analysis that they are of was given of the box; nil
// where there is none, and then the GPUs are as in the algorithm's last run. The
// algorithm may come from a list that lacks some of it; Init reads the rest.
func New(s *app.Session, a client.Algorithm, prefill []client.Value, like *runner.Resources) nav.Screen {
	m := &Screen{
		session: s, prefill: prefill, like: like, now: s.Env.Now,
		block: newBlock(s, a), blockBase: newBlock(s, a),
		sources: map[string]*picker.Source{}, lists: map[string]*picker.List{}, absent: map[string][]string{}, left: map[spot]*picking{},
	}
	if like != nil {
		m.startWith(*like, client.FromAnalysis)
	}
	m.drafts = newDraftFiles(s, a, prefill, like)
	m.take(a)
	m.cursor = m.firstToFill()
	m.detail.About = m.about
	m.told = m.here()
	return m
}

// Again makes the form of an analysis that is launched again, with what it had of
// a person's own: the look before the launch tells of it.
func Again(s *app.Session, f nav.OpenForm) nav.Screen {
	m := New(s, f.Algorithm, f.Values, f.Resources).(*Screen)
	m.own, m.container, m.cache = f.Develop, f.Container, f.Cache
	m.whole = m.whole || m.own != nil && m.own.Descriptor != nil
	return m
}

// take uses an algorithm that was read, and keeps what was filled in.
func (m *Screen) take(a client.Algorithm) {
	at, old := m.here(), m.params
	m.algorithm = a
	ps := app.UserParameters(a)
	m.params, m.base = forms.New(ps, m.prefill), forms.New(ps, m.prefill)
	if old != nil {
		for _, f := range old.Fields {
			if f.Origin != "" && f.Origin != client.FromDefault {
				m.params.Set(f.Parameter.ID, f.Text, f.Origin, f.Labels...)
			}
		}
	}
	for i := range m.params.Fields {
		m.judgeSweep(&m.params.Fields[i])
	}
	for _, p := range a.Parameters {
		m.whole = m.whole || p.IsServerInput()
	}
	m.count()
	m.collect()
	m.helps = make(map[spot]string, len(m.spots))
	for _, f := range m.params.Fields {
		m.helps[spot{id: f.Parameter.ID}] = text.Truncate(text.Line(text.HTML(f.Parameter.Description)), 120)
	}
	for _, f := range m.block.Fields {
		m.helps[spot{true, f.Parameter.ID}] = f.Parameter.Description
	}
	if m.edit != nil && m.field(m.edit.at) == nil {
		m.edit = nil
	}
	if m.picking != nil && m.field(m.picking.at) == nil {
		m.picking = nil
	}
	m.jump = nil // its places have moved
	m.cursor = min(m.cursor, len(m.spots)-1)
	m.goTo(at)
	m.refresh()
}

// collect lists the fields that are seen, in their order.
func (m *Screen) collect() {
	m.spots = nil
	for _, f := range m.params.Fields {
		m.spots = append(m.spots, spot{id: f.Parameter.ID})
	}
	for _, f := range m.block.Fields {
		if f.Parameter.ID != blockSweeps || len(m.several.sweeps) > 1 {
			m.spots = append(m.spots, spot{launch: true, id: f.Parameter.ID})
		}
	}
}

// here is the field under the cursor.
func (m *Screen) here() spot {
	if len(m.spots) == 0 {
		return spot{}
	}
	return m.spots[m.cursor]
}

// field is the field at a spot; nil when it has gone.
func (m *Screen) field(s spot) *forms.Field {
	if s.launch {
		return m.block.Field(s.id)
	}
	return m.params.Field(s.id)
}

// form is the one that a spot belongs to.
func (m *Screen) form(s spot) *forms.Form {
	if s.launch {
		return m.block
	}
	return m.params
}

// firstToFill is the first field that needs a value, or the first one.
func (m *Screen) firstToFill() int {
	for i, s := range m.spots {
		if f := m.field(s); f.Group == forms.Required && f.Text == "" {
			return i
		}
	}
	return 0
}

// refresh brings what is derived from the fields up to date.
func (m *Screen) refresh() {
	sweeps := len(m.several.sweeps)
	m.count()
	if (sweeps > 1) != (len(m.several.sweeps) > 1) { // a field comes or goes, below the others
		at := m.here()
		m.collect()
		m.cursor = min(m.cursor, len(m.spots)-1)
		m.goTo(at)
	}
	first := m.launchRequest()
	first.Values = m.firstValues()
	m.preview = m.session.Preview(first)
	m.words = shownWords(m.preview)
	m.detail.Refresh()
	m.relayout()
}

// goTo moves the cursor to a field, if it is there.
func (m *Screen) goTo(s spot) {
	for i := range m.spots {
		if m.spots[i] == s {
			m.move(i)
			return
		}
	}
}

// move puts the cursor on a field.
func (m *Screen) move(to int) tea.Cmd {
	to = max(min(to, len(m.spots)-1), 0)
	if to == m.cursor {
		m.scroll()
		return nil
	}
	m.cursor = to
	m.scroll()
	return m.rest.Move()
}

// Title names the screen.
func (m *Screen) Title() string { return m.algorithm.Name }

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.area = areaFor(width, height)
	m.detail.SetSize(m.area.detailWidth, m.area.detailHeight)
	m.sizePicker()
	m.relayout()
}
