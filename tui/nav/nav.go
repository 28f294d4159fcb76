// Package nav is how the screens and the root model speak with each other.
//
// A screen is a plain struct behind the Screen interface. The root owns one
// stack of screens per tab, draws the header and the footer around the top
// one, and routes messages:
//
//   - a key goes to the top screen, unless an overlay is open or the root takes
//     it (package keymap lists its keys); while Editing, the root takes only
//     ctrl+c, ctrl+z and ctrl+k; a KeyHolder may claim more;
//   - Tick goes to the screen that is seen, twice a second, and not while the
//     terminal has no focus: it is the only clock that a screen needs;
//   - every other message goes to every screen, so that an answer arrives
//     although its screen is covered. A question therefore takes a Gen and its
//     answer carries it; a screen drops answers whose Gen it does not await.
//
// Update and View do no I/O and never block: what waits is a tea.Cmd, and a
// command touches nothing of its screen. Panics in any of them are caught by
// the root.
package nav

import (
	"sync/atomic"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Screen is one screen of the program.
type Screen interface {
	// Init is called once, after SetSize, when the screen joins a stack.
	Init() tea.Cmd
	// Update changes the screen.
	Update(msg tea.Msg) tea.Cmd
	// View draws the screen: at most the lines of SetSize, none wider.
	View() string
	// SetSize gives the area in cells; it may be as small as 30x3.
	SetSize(width, height int)
	// Help lists the keys that work right now, the most useful first. Those
	// of the root are not among them.
	Help() []key.Binding
	// Title names the screen in the line of tabs, such as "Nuclei". It may
	// come from a server; the root makes it safe.
	Title() string
	// Editing tells that printable keys are text.
	Editing() bool
}

// KeyHolder is a screen that sometimes needs a key that the root would take,
// such as left while it is scrolled to the right, or esc to clear a filter.
type KeyHolder interface {
	HoldsKey(k tea.KeyPressMsg) bool
}

// Closer is a screen that has something to give back when it leaves its stack.
type Closer interface {
	Close() tea.Cmd
}

// Action is something that the palette offers beyond the keys of a screen.
type Action struct {
	Title string // "open the form of Nuclei"; may hold server text
	Hint  string // shown beside it, such as a key
	Do    tea.Cmd
}

// Actor is a screen with actions for the palette. Those of every tab's first
// screen are offered everywhere, those of other screens while they are seen.
type Actor interface {
	Actions() []Action
}

// Tab is one of the four first screens.
type Tab int

// The tabs, in the order of their digits.
const (
	Algorithms Tab = iota
	Analyses
	Compare
	Machine
	Tabs // how many there are
)

// Gen numbers a question so that its answer can be told from older ones and
// from those of other screens.
type Gen uint64

var gens atomic.Uint64

// NewGen is a number that no other question of this process has.
func NewGen() Gen { return Gen(gens.Add(1)) }

// Tick reaches the screen that is seen twice a second, and once when it comes
// to be seen.
type Tick struct{ Now time.Time }

// ThemeChanged tells that cached views are to be drawn again.
type ThemeChanged struct{}

// Send is a command that only delivers a message.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }
