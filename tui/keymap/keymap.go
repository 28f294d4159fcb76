// Package keymap holds the keys that mean the same on every screen, and turns
// bindings into key presses and back.
//
// A key exists once: the binding that a screen dispatches on is the one that
// its footer, the full help and the palette show. So each screen keeps its
// bindings in one struct, matches with Is, and returns from Help those that
// work at this moment.
package keymap

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Bind makes a binding: how help writes the key, what it does in a word or
// two, and the keystrokes themselves as tea.KeyPressMsg.String gives them.
func Bind(shown, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, does))
}

// Keys of the root, which work on every screen while no text is edited.
var (
	Tabs    = Bind("1-4", "switch screen", "1", "2", "3", "4")
	Help    = Bind("?", "help", "?")
	Palette = Bind("ctrl+k", "find an action", "ctrl+k", ":")
	Back    = Bind("esc", "back", "esc", "left", "backspace", "q")
	Quit    = Bind("q", "leave", "q")
	Leave   = Bind("ctrl+c", "leave at once", "ctrl+c")
	Suspend = Bind("ctrl+z", "suspend", "ctrl+z")
)

// Keys that lists share.
var (
	Up       = Bind("↑", "up", "up", "k")
	Down     = Bind("↓", "down", "down", "j")
	PageUp   = Bind("pgup", "page up", "pgup", "ctrl+b")
	PageDown = Bind("pgdn", "page down", "pgdown", "ctrl+f")
	Home     = Bind("home", "first", "home", "g")
	End      = Bind("end", "last", "end", "G")
	Open     = Bind("enter", "open", "enter")
	Mark     = Bind("space", "mark", "space")
	Filter   = Bind("/", "filter", "/")
	Refresh  = Bind("ctrl+r", "refresh", "ctrl+r")
	Copy     = Bind("y", "copy", "y")
)

// Keys while a line of text is edited.
var (
	Accept = Bind("enter", "accept", "enter")
	Cancel = Bind("esc", "give up", "esc")
)

// Is tells whether a key press means one of the bindings.
func Is(k tea.KeyPressMsg, b ...key.Binding) bool { return key.Matches(k, b...) }

// As is a binding with another word for what it does here.
func As(b key.Binding, does string) key.Binding {
	b.SetHelp(b.Help().Key, does)
	return b
}

// When is a binding that works, and is shown, only if on.
func When(on bool, b key.Binding) key.Binding {
	b.SetEnabled(on)
	return b
}

var named = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "space": tea.KeySpace, "tab": tea.KeyTab,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
}

// Press is the key press that a keystroke like "ctrl+r", "enter" or "G"
// stands for. The palette runs an action by pressing its key.
func Press(stroke string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for {
		mod, rest, found := strings.Cut(stroke, "+")
		if !found || rest == "" {
			break
		}
		switch mod {
		case "ctrl":
			k.Mod |= tea.ModCtrl
		case "alt":
			k.Mod |= tea.ModAlt
		case "shift":
			k.Mod |= tea.ModShift
		}
		stroke = rest
	}
	if code, ok := named[stroke]; ok {
		k.Code = code
		if code == tea.KeySpace && k.Mod == 0 {
			k.Text = " "
		}
		return k
	}
	for _, r := range stroke {
		k.Code = r
		break
	}
	if k.Mod&^tea.ModShift == 0 {
		k.Text = stroke
	}
	return k
}
