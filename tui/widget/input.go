package widget

import (
	"strconv"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/tui/style"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Input is one line of text. Its cursor does not blink, which would cost bytes
// while nothing happens, and it never asks this box for a clipboard: pasting
// comes from the user's terminal.
type Input struct {
	textinput.Model
}

// NewInput makes an input without prompt.
func NewInput(placeholder string) Input {
	m := textinput.New()
	m.Prompt = ""
	m.Placeholder = placeholder
	m.KeyMap.Paste = key.NewBinding(key.WithDisabled())
	m.KeyMap.AcceptSuggestion = key.NewBinding(key.WithDisabled())
	m.KeyMap.NextSuggestion = key.NewBinding(key.WithDisabled())
	m.KeyMap.PrevSuggestion = key.NewBinding(key.WithDisabled())
	in := Input{Model: m}
	in.Restyle()
	return in
}

// Restyle takes on the present theme; call it on nav.ThemeChanged.
func (i *Input) Restyle() {
	t := style.Now()
	state := textinput.StyleState{Text: t.Plain, Placeholder: t.Faint, Suggestion: t.Faint, Prompt: t.Accent}
	i.SetStyles(textinput.Styles{Focused: state, Blurred: state, Cursor: textinput.CursorStyle{Color: t.Caret.GetForeground(), Blink: false}})
}

// Type gives the input a key or pasted text and tells whether the value has
// changed.
func (i *Input) Type(msg tea.Msg) (changed bool) {
	before := i.Value()
	i.Model, _ = i.Update(msg)
	return i.Value() != before
}
