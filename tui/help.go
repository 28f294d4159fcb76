package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// help shows every key of a screen, from the same bindings as its footer.
type help struct {
	sections []helpSection
	top      int
	page     int  // lines that are seen
	more     bool // there are others
}

type helpSection struct {
	title string
	keys  []key.Binding
}

// helpBack shows every key that goes back.
var helpBack = keymap.Bind("esc ← q", "back", "esc ← q")

// newHelp is the help of the screen that is seen. Keys of every list are told
// unless the screen has them among its own, maybe switched off.
func (r *root) newHelp() *help {
	s := r.top()
	own := s.Help()
	if r.session == nil {
		return &help{sections: []helpSection{
			{s.Title(), own}, {"everywhere", []key.Binding{keymap.Palette, keymap.Quit, keymap.Leave, keymap.Suspend, keymap.Help}},
		}}
	}
	told := map[string]bool{}
	for _, b := range own { // also what does nothing there at present
		for _, k := range b.Keys() {
			told[k] = true
		}
	}
	var lists []key.Binding
	for _, b := range []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End} {
		if !told[b.Keys()[0]] {
			lists = append(lists, b)
		}
	}
	sections := []helpSection{{s.Title(), own}}
	if len(lists) > 0 {
		sections = append(sections, helpSection{"in every list", lists})
	}
	back := keymap.Quit
	if r.canGoBack() {
		back = helpBack
	}
	return &help{sections: append(sections, helpSection{"everywhere", []key.Binding{
		keymap.Tabs, keymap.Palette, back, keymap.Leave, keymap.Suspend, keymap.Help,
	}})}
}

// Update scrolls, any other key closes.
func (h *help) Update(msg tea.Msg) (tea.Cmd, bool) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch {
	case keymap.Is(k, keymap.Down):
		h.top++
	case keymap.Is(k, keymap.Up):
		h.top = max(h.top-1, 0)
	case h.more && keymap.Is(k, keymap.PageDown, keymap.Mark):
		h.top += h.page
	case h.more && keymap.Is(k, keymap.PageUp):
		h.top = max(h.top-h.page, 0)
	default:
		return nil, true
	}
	return nil, false
}

// View draws as many lines as fit, from where it is scrolled to.
func (h *help) View(width, height int) string {
	w := boxWidth(width, 84)
	lines := h.lines(w - 4)
	room := max(height-2, 1)
	h.top = max(min(h.top, len(lines)-room), 0)
	shown := lines[h.top:min(h.top+room, len(lines))]
	h.page, h.more = room, len(lines) > room
	title := "keys"
	if h.more {
		title = fmt.Sprintf("keys %d-%d of %d, ↓ for more", h.top+1, h.top+len(shown), len(lines))
	}
	return widget.Box(title, shown, w)
}

// Help lists the keys of the help itself.
func (h *help) Help() []key.Binding {
	if !h.more {
		return []key.Binding{keymap.Bind("any key", "close", "esc")}
	}
	return []key.Binding{keymap.Bind("↑ ↓ pgup pgdn", "scroll", "up", "down"), keymap.Bind("any other key", "close", "esc")}
}

// lines sets the keys in columns of about 34 cells.
func (h *help) lines(width int) []string {
	t := style.Now()
	columns := max(width/34, 1)
	cell := width / columns
	var lines []string
	for i, s := range h.sections {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, t.Head.Render(text.Truncate(text.Line(s.title), width)))
		var cells []string
		for _, b := range s.keys {
			if !b.Enabled() || b.Help().Key == "" {
				continue
			}
			name := text.PadLeft(strings.Join(keyNames(b), " "), 12)
			cells = append(cells, t.Key.Render(name)+"  "+text.Truncate(b.Help().Desc, max(cell-15, 1)))
		}
		rows := (len(cells) + columns - 1) / columns
		for row := range rows {
			line := ""
			for c := range columns {
				if at := c*rows + row; at < len(cells) {
					line += text.Pad(cells[at], cell)
				}
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// keyNames are the strokes of a binding, as short as they can be told.
func keyNames(b key.Binding) []string {
	shown := b.Help().Key
	names := []string{shown}
	for _, k := range b.Keys() {
		if k == shown || arrows[k] == shown || len(b.Keys()) > 3 || k == "pgdown" {
			continue
		}
		names = append(names, k)
	}
	return names
}

var arrows = map[string]string{"up": "↑", "down": "↓", "left": "←", "right": "→"}
