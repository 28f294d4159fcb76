// Package resultview is the screen of what analyses wrote: annotations by term and
// image, result files, and the measures that a server keeps.
//
// Everything is read from the server when the screen opens, the parts one after the
// other, and shown as it comes. What fails says so in its own part.
package resultview

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// Screen is the results of one analysis, or of several.
type Screen struct {
	session  *app.Session
	analyses []app.Analysis
	load     loading
	part     part
	by       by
	lines    []line
	table    widget.Table
	preview  preview
	prompt   prompt

	width, height int
	split         widget.Split
}

// part is what is seen of the results.
type part int

const (
	annotations part = iota
	files
	metrics
	parts
)

var partNames = [parts]string{"annotations", "files", "metrics"}

// by is how annotations are summed up.
type by int

const (
	byTerm by = iota
	byImage
	byBoth
	byNothing
	bys
)

var byNames = [bys]string{"by term", "by image", "by image and term", "in all"}

func (b by) image() bool { return b == byImage || b == byBoth }
func (b by) term() bool  { return b == byTerm || b == byBoth }

var (
	nextPart = keymap.Bind("tab", "files, metrics", "tab")
	prevPart = keymap.Bind("shift+tab", "back", "shift+tab")
	byKey    = keymap.Bind("b", "by term, image", "b")
	look     = keymap.Bind("enter", "look into it", "enter")
	saveKey  = keymap.Bind("s", "save the file", "s")
	sumKey   = keymap.Bind("H", "checksum", "H")
	exportTo = keymap.Bind("e", "export", "e")
	openLog  = keymap.Bind("l", "log", "l")
)

// New makes the screen.
func New(s *app.Session, analyses []app.Analysis) *Screen {
	m := &Screen{session: s, analyses: analyses, load: newLoading(len(analyses))}
	m.table.Key = func(i int) string { return m.lines[i].key }
	m.table.Cell = m.cell
	m.arrange()
	return m
}

// Init reads the results.
func (m *Screen) Init() tea.Cmd { return m.load.start(m.session, m.analyses) }

// Close stops what is still being read.
func (m *Screen) Close() tea.Cmd {
	m.load.stop()
	m.preview.stop()
	return nil
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case drawnRead, filesRead, metricsRead:
		mine, ask := m.load.take(msg)
		if mine {
			m.arrange()
		}
		return ask
	case previewRead:
		m.preview.take(msg)
	case summed:
		return m.tookSum(msg)
	case written:
		return m.prompt.written(msg)
	case nav.Connected:
		m.session = msg.Session
	case nav.Tick:
		if m.load.busy() {
			m.arrange() // how far it is
		}
	case nav.ThemeChanged:
		m.table.Touch()
	case tea.PasteMsg:
		if m.prompt.kind != noPrompt {
			m.prompt.input.Type(tea.PasteMsg{Content: text.Line(msg.Content)})
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return nil
}

func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if m.prompt.kind != noPrompt {
		return m.answerPrompt(k)
	}
	switch {
	case keymap.Is(k, nextPart):
		m.show((m.part + 1) % parts)
	case keymap.Is(k, prevPart):
		m.show((m.part + parts - 1) % parts)
	case keymap.Is(k, keymap.Refresh):
		m.load.stop()
		m.load = newLoading(len(m.analyses))
		m.arrange()
		return m.Init()
	case keymap.Is(k, byKey):
		m.part, m.by = annotations, (m.by+1)%bys
		m.arrange()
	case keymap.Is(k, exportTo):
		m.askExport()
	case keymap.Is(k, openLog) && len(m.analyses) == 1:
		return nav.Send(nav.OpenLog{Analysis: m.analyses[0]})
	case m.preview.scroll(k):
	case m.table.Update(k):
		m.preview.clear()
	default:
		return m.fileKey(k)
	}
	return nil
}

func (m *Screen) show(p part) {
	m.part = p
	m.preview.clear()
	m.arrange()
}

// HoldsKey keeps every key while something is typed.
func (m *Screen) HoldsKey(tea.KeyPressMsg) bool { return m.prompt.kind != noPrompt }

// Editing tells that printable keys are text.
func (m *Screen) Editing() bool { return m.prompt.kind != noPrompt }

// Title names the screen.
func (m *Screen) Title() string {
	if len(m.analyses) == 1 {
		return "results of " + m.analyses[0].Title()
	}
	return "results of " + text.Count(len(m.analyses)) + " analyses"
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	if m.prompt.kind != noPrompt {
		return []key.Binding{keymap.As(keymap.Accept, "write the file"), keymap.Cancel}
	}
	file, _ := m.file()
	next := keymap.As(nextPart, partNames[(m.part+1)%parts])
	keys := []key.Binding{
		keymap.When(file != nil, look), keymap.When(file != nil, saveKey), keymap.When(file != nil && file.SHA256 == "", sumKey),
		next, keymap.When(m.part == annotations, byKey), exportTo, keymap.When(len(m.analyses) == 1, openLog), keymap.Refresh,
		keymap.When(m.part == files, prevPart),
	}
	return append(keys, m.preview.help()...)
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width, m.height = max(width, 1), max(height, 1)
	m.split = widget.SplitFor(width, max(height-m.headHeight(), 1))
	m.resize()
}

// headHeight is the lines above the table: what it is about, and the parts.
func (m *Screen) headHeight() int {
	if m.height < 8 {
		return 1
	}
	return 2 + len(m.facts())
}

// resize gives the table the area that the preview leaves.
func (m *Screen) resize() {
	if m.preview.shown() && m.split.DetailHeight > 0 {
		m.table.SetSize(m.split.ListWidth, m.split.ListHeight)
		return
	}
	m.table.SetSize(m.width, max(m.height-m.headHeight(), 1))
}
