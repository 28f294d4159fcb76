package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// help shows every key of a screen, from the same bindings as its footer.
type help struct {
	sections []helpSection
	top      int
}

type helpSection struct {
	title string
	keys  []key.Binding
}

func newHelp(s nav.Screen) *help {
	return &help{sections: []helpSection{
		{s.Title(), s.Help()},
		{"in every list", []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End}},
		{"everywhere", []key.Binding{keymap.Tabs, keymap.Palette, keymap.Back, keymap.Quit, keymap.Leave, keymap.Suspend, keymap.Help}},
	}}
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
	title := "keys"
	if len(lines) > room {
		title = fmt.Sprintf("keys %d-%d of %d, ↓ for more", h.top+1, h.top+len(shown), len(lines))
	}
	return widget.Box(title, shown, w)
}

// Help lists the keys of the help itself.
func (h *help) Help() []key.Binding {
	return []key.Binding{keymap.Bind("↑ ↓", "scroll", "up", "down"), keymap.Bind("any other key", "close", "esc")}
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
