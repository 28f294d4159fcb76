package paramform

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/tui/keymap"
)

// Keys of the form.
var (
	editKey       = keymap.As(keymap.Open, "change")
	turnKey       = keymap.Bind("space", "next choice", "space")
	nextField     = keymap.Bind("tab", "next", "tab")
	previousField = keymap.Bind("shift+tab", "previous", "shift+tab")
	findKey       = keymap.Bind("/", "find", "/")
	clearKey      = keymap.Bind("x", "clear", "x", "delete")
	defaultKey    = keymap.Bind("d", "default", "d")
	undoKey       = keymap.Bind("u", "undo", "u")
	resetKey      = keymap.Bind("X", "reset all", "X")
	lastKey       = keymap.Bind("L", "last used", "L")
	copyKey       = keymap.As(keymap.Copy, "copy command")
	commandKey    = keymap.Bind("v", "whole command", "v")
	editorKey     = keymap.Bind("E", "edit all in $EDITOR", "E")
	presetsKey    = keymap.Bind("p", "presets", "p")
	nextProblem   = keymap.Bind("n", "next problem", "n")
	prevProblem   = keymap.Bind("N", "previous problem", "N")
	launchKey     = keymap.Bind("ctrl+s", "launch", "ctrl+s")
	refreshKey    = keymap.As(keymap.Refresh, "load lists again")
	anywayKey     = keymap.Bind("a", "launch anyway", "a")
	backKey       = keymap.Bind("esc", "back to the form", "esc", "left", "backspace", "q")
)

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	switch {
	case m.picking != nil:
		return m.picking.pane.Help()
	case m.presets != nil:
		return m.presetsHelp()
	case m.command != nil:
		return []key.Binding{copyKey, keymap.Down, keymap.Up}
	case m.stage == asking:
		yes := keymap.As(keymap.Open, "launch")
		if m.blocked() {
			yes = anywayKey
		}
		return append([]key.Binding{yes, keymap.As(keymap.Refresh, "check again")}, noList()...)
	case m.stage != filling:
		return noList()
	case m.jump != nil:
		return []key.Binding{keymap.As(keymap.Accept, "go there"), keymap.Down, keymap.Up, keymap.Cancel}
	case m.edit != nil:
		return []key.Binding{keymap.Accept, nextField, keymap.As(keymap.Cancel, "restore"), launchKey}
	}
	f := m.field(m.here())
	if f == nil {
		return []key.Binding{launchKey}
	}
	// What differs from field to field comes last: a footer that changes with
	// every step of the cursor costs more than the cursor.
	p := f.Parameter
	turns := p.Type == descriptor.Boolean || len(p.Choices) > 0 && !p.Type.IsList()
	wrong := len(m.complaints()) > 0
	return append([]key.Binding{
		editKey, launchKey, keymap.When(len(m.undo) > 0, undoKey), keymap.When(m.last != nil, lastKey),
		findKey, nextField, previousField, presetsKey, editorKey, copyKey, commandKey,
		keymap.When(wrong, nextProblem), keymap.When(wrong, prevProblem), keymap.When(len(m.changed()) > 0, resetKey), refreshKey,
		keymap.When(turns, turnKey), keymap.When(f.Text != "", clearKey), keymap.When(differs(f) && p.Default != nil, defaultKey),
	}, m.detail.Help()...)
}

// noList are the keys of lists, where there is none.
func noList() []key.Binding {
	keys := []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End}
	for i := range keys {
		keys[i].SetEnabled(false)
	}
	return keys
}

// Editing tells that printable keys are text.
func (m *Screen) Editing() bool {
	if p := m.presets; p != nil {
		return p.input != nil || p.pane != nil && p.pane.Editing()
	}
	return m.edit != nil || m.jump != nil || m.picking != nil && m.picking.pane.Editing()
}

// HoldsKey keeps what would leave the form while something lies over it.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool {
	if m.stage == launching { // a moment in which the form must stay where it is
		return true
	}
	over := m.picking != nil || m.presets != nil || m.command != nil || m.stage != filling
	return over && keymap.Is(k, backKey)
}
