package widget

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/style"
)

// Filter is the line above a list that narrows it while one types. "/" starts
// it, enter or an arrow goes back to the list and keeps it, esc empties it.
type Filter struct {
	Input   Input
	editing bool
}

// NewFilter makes an empty filter; hint says what can be typed.
func NewFilter(hint string) Filter { return Filter{Input: NewInput(hint)} }

// Value is what to filter by.
func (f *Filter) Value() string { return f.Input.Value() }

// Set replaces the text.
func (f *Filter) Set(s string) { f.Input.SetValue(s); f.Input.CursorEnd() }

// Editing tells that keys are text.
func (f *Filter) Editing() bool { return f.editing }

// Start begins editing.
func (f *Filter) Start() {
	f.editing = true
	f.Input.Focus()
}

// Stop ends editing and keeps the text.
func (f *Filter) Stop() {
	f.editing = false
	f.Input.Blur()
}

// HoldsKey claims esc while there is a filter to clear. See nav.KeyHolder.
func (f *Filter) HoldsKey(k tea.KeyPressMsg) bool {
	return !f.editing && f.Value() != "" && k.String() == "esc"
}

// Update takes a key or a paste. used tells that it was for the filter,
// changed that the list must be narrowed anew. An arrow ends editing and is
// not used, so that it moves the list.
func (f *Filter) Update(msg tea.Msg) (used, changed bool) {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		if !f.editing {
			return false, false
		}
		return true, f.Input.Type(tea.PasteMsg{Content: text.Line(msg.Content)})
	case tea.KeyPressMsg:
		if !f.editing {
			switch {
			case keymap.Is(msg, keymap.Filter):
				f.Start()
				return true, false
			case f.HoldsKey(msg):
				f.Set("")
				return true, true
			}
			return false, false
		}
		switch msg.String() {
		case "enter", "tab":
			f.Stop()
			return true, false
		case "esc":
			changed = f.Value() != ""
			f.Set("")
			f.Stop()
			return true, changed
		case "up", "down", "pgup", "pgdown":
			f.Stop()
			return false, false
		}
		return true, f.Input.Type(msg)
	}
	return false, false
}

var clearFilter = keymap.Bind("esc", "clear the filter", "esc")

// Keys lists the keys of the filter while the list has them.
func (f *Filter) Keys() []key.Binding {
	return []key.Binding{keymap.Filter, keymap.When(!f.editing && f.Value() != "", clearFilter)}
}

// Help lists the keys of the filter while it is edited.
func (f *Filter) Help() []key.Binding {
	return []key.Binding{keymap.As(keymap.Accept, "keep the filter"), keymap.As(keymap.Cancel, "clear it"), keymap.Down}
}

// View draws the filter in width cells, with a note (already safe) at its
// right end.
func (f *Filter) View(note string, width int) string {
	t := style.Now()
	noteWidth := text.Width(note)
	room := width - 3 - noteWidth - 2
	if room < 8 {
		note, room = "", width-3
	}
	var left string
	switch {
	case f.editing:
		f.Input.SetWidth(max(room-1, 4))
		left = t.Accent.Render(" / ") + f.Input.View()
	case f.Value() != "":
		left = t.Accent.Render(" / ") + text.Truncate(text.Line(f.Value()), room)
	default:
		left = t.Faint.Render(" / " + text.Truncate(f.Input.Placeholder, room))
	}
	return Ends(left, t.Faint.Render(note), width)
}
