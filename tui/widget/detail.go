package widget

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/tui/keymap"
)

// Split shares the area of a screen between a list and the detail of the row
// where the cursor rests.
type Split struct {
	ListWidth, ListHeight     int
	DetailWidth, DetailHeight int // 0 high where there is no room
	beside                    bool
	width                     int
}

// SplitFor puts the detail beside the list on a wide terminal, below it on an
// ordinary one, and leaves it out on a small one.
func SplitFor(width, height int) Split {
	switch {
	case width >= 140:
		left := width * 11 / 20
		return Split{left, height, width - left - 3, height, true, width}
	case height >= 13:
		under := height * 9 / 20
		return Split{width, height - under - 1, width - 2, under, false, width}
	}
	return Split{ListWidth: width, ListHeight: height, width: width}
}

// Draw puts list and detail into the area.
func (s Split) Draw(list, detail string) string {
	switch {
	case s.DetailHeight == 0:
		return list
	case s.beside:
		return Beside(list, detail, s.ListWidth, s.DetailWidth, s.ListHeight)
	}
	detail = " " + strings.ReplaceAll(detail, "\n", "\n ")
	return list + "\n" + Rule(s.width) + "\n" + Fit(detail, s.width, s.DetailHeight)
}

// Detail is the pane about one row. It is made anew when it is told to follow
// or when its size changes, not when the cursor moves.
type Detail struct {
	// About gives the lines, safe and no wider than width; nil for no row.
	About func(width int) []string

	lines         []string
	made          bool
	width, height int
	top           int
}

// SetSize gives the area.
func (d *Detail) SetSize(width, height int) {
	d.made = d.made && d.width == width
	d.width, d.height = width, height
}

// Follow shows the row where the cursor is now, from its first line.
func (d *Detail) Follow() { d.made, d.top = false, 0 }

// Refresh makes the lines anew without scrolling back.
func (d *Detail) Refresh() { d.made = false }

// Keys that scroll the detail while the list has the cursor.
var (
	detailDown = keymap.Bind("ctrl+d", "detail down", "ctrl+d")
	detailUp   = keymap.Bind("ctrl+u", "detail up", "ctrl+u")
)

// Update scrolls and tells whether the key was for the detail.
func (d *Detail) Update(k tea.KeyPressMsg) bool {
	step := max(d.height/2, 1)
	switch {
	case keymap.Is(k, detailDown):
		d.top += step
	case keymap.Is(k, detailUp):
		d.top -= step
	default:
		return false
	}
	return true
}

// Help lists the keys that scroll, while there is something to scroll.
func (d *Detail) Help() []key.Binding {
	more := d.height > 0 && len(d.lines) > d.height
	return []key.Binding{keymap.When(more, detailDown), keymap.When(more, detailUp)}
}

// View draws what fits, from where it is scrolled to.
func (d *Detail) View() string {
	if d.height == 0 {
		return ""
	}
	if !d.made {
		d.lines, d.made = d.About(d.width), true
	}
	d.top = max(min(d.top, len(d.lines)-d.height), 0)
	return strings.Join(d.lines[d.top:min(d.top+d.height, len(d.lines))], "\n")
}
