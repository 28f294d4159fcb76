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

// The smallest terminal that shows anything.
const minWidth, minHeight = 30, 8

// Lines around the screen: header, tabs, and a rule below them where there is
// room; the line of messages and the keys.
func (r *root) above() int {
	if r.height >= 20 {
		return 3
	}
	return 2
}

const below = 2

func (r *root) bodyHeight() int { return max(r.height-r.above()-below, 1) }

func (r *root) resize() {
	for t := range r.tabs {
		for _, s := range r.tabs[t].screens {
			r.sizeScreen(s)
		}
	}
}

func (r *root) sizeScreen(s nav.Screen) {
	if r.width > 0 {
		s.SetSize(max(r.width, minWidth), max(r.bodyHeight(), 3))
	}
}

// View draws everything. A panic below it ends the program in good order.
func (r *root) View() (v tea.View) {
	defer func() {
		if p := recover(); p != nil {
			r.crash = newCrash(p)
			r.stop()
			v = tea.NewView("")
		}
	}()
	v = tea.NewView(r.frame())
	v.AltScreen = true
	v.ReportFocus = true
	return v
}

func (r *root) frame() string {
	switch {
	case r.width == 0 || r.crash != nil:
		return ""
	case r.width < minWidth || r.height < minHeight:
		return widget.Fit(fmt.Sprintf("too small:\n%dx%d, needs\n%dx%d", r.width, r.height, minWidth, minHeight), r.width, r.height)
	}
	top := r.top()
	height := r.bodyHeight()
	body := widget.Fit(top.View(), r.width, height)
	if r.over != nil {
		body = widget.Over(body, r.over.View(r.width, height), r.width, height)
	}
	lines := []string{r.header(), r.tabLine(top)}
	if r.above() > 2 {
		lines = append(lines, widget.Rule(r.width))
	}
	said := r.message()
	if len(said) > 1 {
		body = widget.Fit(body, r.width, height-len(said)+1)
	}
	lines = append(append(append(lines, body), said...), r.footer(top))
	return strings.Join(lines, "\n")
}

// boxWidth is the width of a box over the screen: the one it wants, or all there
// is where only ragged edges of the screen would be seen beside it.
func boxWidth(width, want int) int {
	if width < want+8 {
		return width
	}
	return want
}

// header says where we are: project, server, who, and whether the server
// answers.
func (r *root) header() string {
	t := style.Now()
	left := " " + t.Bold.Render("cytorun")
	if r.session == nil {
		return widget.Ends(left, "", r.width)
	}
	right := r.link.text() + " "
	room := r.width - text.Width(left) - text.Width(right) - 4
	left += "  " + text.Truncate(r.place(room), room)
	return widget.Ends(left, right, r.width)
}

// place names project, server and person, as many as fit whole.
func (r *root) place(room int) string {
	t := style.Now()
	s := r.session
	var parts []string
	if s.Project.ID != 0 {
		parts = append(parts, text.Line(s.Project.Name))
	}
	parts = append(parts, text.Line(hostOf(s.Profile.URL)))
	if s.User.ID != 0 {
		parts = append(parts, text.Line(s.User.Username))
	}
	for len(parts) > 1 && text.Width(strings.Join(parts, " · ")) > room {
		parts = parts[:len(parts)-1]
	}
	out := t.Plain.Render(parts[0])
	for _, p := range parts[1:] {
		out += t.Faint.Render(" · " + p)
	}
	return out
}

func hostOf(url string) string {
	_, host, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	return strings.TrimSuffix(host, "/")
}

func (r *root) tabLine(top nav.Screen) string {
	t := style.Now()
	if r.session == nil {
		return " " + t.Faint.Render(text.Line(top.Title()))
	}
	gap := "   "
	if r.width < 70 {
		gap = "  "
	}
	parts := make([]string, len(tabNames))
	for i, name := range tabNames {
		if nav.Tab(i) == r.tab {
			parts[i] = t.Accent.Render(fmt.Sprintf("%d ", i+1)) + t.Accent.Underline(true).Render(name)
		} else if r.width < 50 {
			parts[i] = t.Faint.Render(fmt.Sprint(i + 1))
		} else {
			parts[i] = t.Faint.Render(fmt.Sprintf("%d %s", i+1, name))
		}
	}
	left := " " + strings.Join(parts, gap)
	var crumbs []string
	for _, s := range r.tabs[r.tab].screens[1:] {
		crumbs = append(crumbs, text.Line(s.Title()))
	}
	if len(crumbs) == 0 {
		return left
	}
	right := widget.CutName(strings.Join(crumbs, " › "), max(r.width-text.Width(left)-4, 0))
	return widget.Ends(left, t.Bold.Render(right)+" ", r.width)
}

// footer shows the keys that work right now.
func (r *root) footer(top nav.Screen) string {
	if h, ok := r.over.(interface{ Help() []key.Binding }); ok {
		return widget.KeyBar(h.Help(), nil, r.width)
	}
	if top.Editing() {
		return widget.KeyBar(top.Help(), []key.Binding{keymap.As(keymap.Palette, "actions")}, r.width)
	}
	bindings := append([]key.Binding{}, top.Help()...)
	last := keymap.Quit
	if r.canGoBack() {
		last = keymap.Back
	}
	return widget.KeyBar(bindings, []key.Binding{last, keymap.Help}, r.width)
}
