package picker

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// Picker is the pane that chooses one or some of a List.
type Picker struct {
	title string
	many  bool // several may be chosen
	// fixed is a short list without ids, fields and typing of ids.
	fixed bool
	list  *List

	filter widget.Filter
	typing *widget.Input // the line in which ids are typed
	search *search       // what the filter finds, for query
	query  query
	shown  []int32 // what is seen, best first; nil is the whole list
	only   bool    // only the marked ones are seen
	names  []string

	cursor, top int
	moved       bool // the cursor is where somebody put it
	marks       map[client.ID]bool
	others      []string // chosen ids that are no numbers
	given       given    // what was marked at the begin
	labels      map[client.ID]string
	recent      []client.ID
	sets        []Set
	choosing    *Picker // lists the sets
	naming      bool    // what is typed is the name of a set
	setName     string
	touched     bool
	every       bool   // all options are marked, also those that come
	note        string // what the last action did

	width, height int
	gen           nav.Gen
}

// Options say what a picker is for.
type Options struct {
	Title  string // name of the parameter, untrusted
	Many   bool
	Fixed  bool
	List   *List
	Chosen []string // ids at present
	Labels []string // their names, as far as they are known
	All    bool     // instead of ids: every option there is
	// Recent are options that were chosen lately; they come first in a long list.
	Recent []client.ID
}

// End tells whether a picker goes on.
type End int

// The ends of a picker.
const (
	Open     End = iota
	Accepted     // Chosen tells what
	GivenUp      // nothing changes
	Reload       // the list should be loaded again
	Save         // the marked options should be kept as SetName
	Forget       // the set SetName should be removed
)

// New makes a picker.
func New(o Options) *Picker {
	p := &Picker{title: o.Title, many: o.Many, fixed: o.Fixed, every: o.All && o.Many, recent: o.Recent, marks: map[client.ID]bool{}, labels: map[client.ID]string{}}
	hint := "filter: words, *glob?, /regexp/, field:value"
	if o.Fixed {
		hint = "filter"
	}
	p.filter = widget.NewFilter(hint)
	for i, s := range o.Chosen {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			p.others = append(p.others, s)
			continue
		}
		p.marks[client.ID(id)] = true
		if len(o.Labels) == len(o.Chosen) {
			p.labels[client.ID(id)] = o.Labels[i]
		}
	}
	p.given = given{maps.Clone(p.marks), slices.Clone(p.others)}
	p.SetList(o.List)
	return p
}

// given is what a picker was opened with.
type given struct {
	marks  map[client.ID]bool
	others []string
}

// Changes is how many options are marked now and were not when the picker was
// opened, or the other way round.
func (p *Picker) Changes() int {
	if !p.many || !p.touched {
		return 0
	}
	was := p.given.marks
	if p.every {
		was = make(map[client.ID]bool, p.list.Len())
		for _, o := range p.list.options {
			was[o.ID] = true
		}
	}
	n := 0
	for id := range p.marks {
		if !was[id] {
			n++
		}
	}
	for id := range was {
		if !p.marks[id] {
			n++
		}
	}
	if !slices.Equal(p.others, p.given.others) {
		n++
	}
	return n
}

// restore marks what was marked when the picker was opened.
func (p *Picker) restore() {
	p.marks, p.others, p.touched = maps.Clone(p.given.marks), slices.Clone(p.given.others), false
	p.SetList(p.list) // a default of all marks them here
}

// SetList replaces the options; marks, filter and cursor stay.
func (p *Picker) SetList(l *List) {
	var at client.ID
	if o, ok := p.current(); ok && p.moved {
		at = o.ID
	}
	p.list = l
	if p.every && !p.touched {
		for _, o := range l.options {
			p.marks[o.ID] = true
		}
	}
	p.names = attributes(l.options)
	p.find()
	if p.search != nil {
		p.search.finish()
		p.show()
	}
	switch {
	case at != 0:
		p.goTo(at)
	case !p.many && !p.moved:
		for id := range p.marks {
			p.goTo(id)
		}
	}
	p.move(p.cursor)
}

// goTo puts the cursor on an option, if it is seen.
func (p *Picker) goTo(id client.ID) {
	want, ok := p.list.index[id]
	if !ok {
		return
	}
	if p.shown == nil {
		p.move(int(want))
		return
	}
	for row, i := range p.shown {
		if i == want {
			p.move(row)
			return
		}
	}
}

// perKey is how long a key may search before it lets the screen be drawn.
const perKey = 6 * time.Millisecond

// more goes on with a search that a key has begun.
type more struct{ gen nav.Gen }

// find begins to look for what the filter says.
func (p *Picker) find() tea.Cmd {
	q := parse(p.filter.Value(), func(name string) (string, bool) { return attribute(p.names, name) })
	if q.err != nil { // somebody is typing it; what was found stays
		p.query.err = q.err
		return nil
	}
	p.search = newSearch(p.list, q, p.search)
	p.query = q
	return p.goOn()
}

func (p *Picker) goOn() tea.Cmd {
	p.search.step(time.Now().Add(perKey))
	p.show()
	if p.search.done() {
		return nil
	}
	gen := nav.NewGen()
	p.gen = gen
	return nav.Send(more{gen})
}

// show takes over what the search has found so far.
func (p *Picker) show() {
	p.shown = nil
	if !p.search.all {
		p.shown = p.search.found()
		if p.shown == nil {
			p.shown = []int32{}
		}
	}
	switch {
	case p.only:
		p.keepMarked()
	case p.shown == nil && p.list.Len() > fewOptions:
		p.recentFirst()
	}
	p.move(p.cursor)
}

// fewOptions are seen at a glance: recent ones stay in their place.
const fewOptions = 20

func (p *Picker) recentFirst() {
	first := map[int32]bool{}
	var rows []int32
	for _, id := range p.recent {
		if i, ok := p.list.index[id]; ok && !first[i] {
			first[i] = true
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return
	}
	for i := range int32(p.list.Len()) {
		if !first[i] {
			rows = append(rows, i)
		}
	}
	p.shown = rows
}

func (p *Picker) keepMarked() {
	kept := []int32{}
	for row := range p.rows() {
		if i := p.at(row); p.marks[p.list.options[i].ID] {
			kept = append(kept, i)
		}
	}
	p.shown = kept
}

// Row is the place in the list of the option under the cursor, -1 for none.
func (p *Picker) Row() int {
	if p.cursor >= p.rows() {
		return -1
	}
	return int(p.at(p.cursor))
}

// settle ends a search before a key that depends on what is found.
func (p *Picker) settle() {
	if p.search != nil && !p.search.done() {
		p.search.finish()
		p.show()
	}
}

// rows is how many options are seen.
func (p *Picker) rows() int {
	if p.shown == nil {
		return p.list.Len()
	}
	return len(p.shown)
}

// at is the option in a row.
func (p *Picker) at(row int) int32 {
	if p.shown == nil {
		return int32(row)
	}
	return p.shown[row]
}

func (p *Picker) current() (client.Option, bool) {
	if p.list == nil || p.cursor >= p.rows() {
		return client.Option{}, false
	}
	return p.list.options[p.at(p.cursor)], true
}

func (p *Picker) move(to int) {
	p.cursor = max(min(to, p.rows()-1), 0)
	room := p.room()
	p.top = max(min(p.top, p.cursor), p.cursor-room+1)
	p.top = max(min(p.top, p.rows()-room), 0)
}

// Editing tells that printable keys are text.
func (p *Picker) Editing() bool {
	return p.typing != nil || p.filter.Editing() || p.choosing != nil && p.choosing.Editing()
}

// SetSize gives the area.
func (p *Picker) SetSize(width, height int) {
	p.width, p.height = width, height
	p.sizeSets()
	p.move(p.cursor)
}

// Height is how many lines a short list wants.
func (p *Picker) Height() int { return p.list.Len() + p.around() }

// Keys of the picker.
var (
	accept    = keymap.As(keymap.Open, "choose")
	giveUp    = keymap.Bind("esc", "back", "esc", "left", "backspace", "q")
	all       = keymap.Bind("a", "mark all shown", "a")
	invert    = keymap.Bind("i", "invert", "i")
	none      = keymap.Bind("c", "clear marks", "c")
	undo      = keymap.Bind("u", "marks as they were", "u")
	onlyMarks = keymap.Bind("m", "only marked", "m")
	typeIDs   = keymap.Bind("t", "type ids or names", "t")
	saveSet   = keymap.Bind("s", "save as @name", "s")
	openSet   = keymap.Bind("@", "named selection", "@")
	forget    = keymap.Bind("x", "remove it", "x")
	reload    = keymap.As(keymap.Refresh, "load again")
)

// Help lists the keys that work now.
func (p *Picker) Help() []key.Binding {
	some := p.rows() > 0
	switch {
	case p.choosing != nil:
		return append(p.choosing.Help(), forget)
	case p.typing != nil:
		return []key.Binding{keymap.Accept, keymap.Cancel}
	case p.filter.Editing() && !p.many:
		return []key.Binding{keymap.When(some, accept), keymap.Down, keymap.As(keymap.Cancel, "clear the filter")}
	case p.filter.Editing():
		return p.filter.Help()
	case p.fixed:
		return []key.Binding{keymap.When(some, accept), keymap.When(p.many, keymap.Mark), keymap.Filter}
	}
	many := some && p.many
	yes := accept
	if n := p.MarkedCount(); p.many && n > 0 {
		yes = keymap.As(accept, "choose the "+strconv.Itoa(n)+" marked")
	}
	return []key.Binding{
		keymap.When(some || p.MarkedCount() > 0, yes), keymap.When(many, keymap.Mark), keymap.Filter, keymap.When(many, all), keymap.When(many, invert),
		keymap.When(p.MarkedCount() > 0 && p.many, none), keymap.When(p.MarkedCount() > 0 && p.many, onlyMarks),
		keymap.When(p.touched && p.many, undo), keymap.When(len(p.sets) > 0, openSet), keymap.When(p.MarkedCount() > 0 && p.many, saveSet), typeIDs, reload,
	}
}

// MarkedCount is how many options are marked, also those a filter hides.
func (p *Picker) MarkedCount() int { return len(p.marks) + len(p.others) }
