package tui

import (
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// pick is a list over the screen from which one thing is chosen by typing: the
// palette of actions, and the projects.
type pick struct {
	title   string
	actions []nav.Action
	input   widget.Input
	fuzzy   widget.Fuzzy
	found   []int
	cursor  int
	top     int
}

// rows of a pick's list at most.
const pickRows = 12

func newPick(title, hint string, actions []nav.Action) *pick {
	p := &pick{title: title, actions: actions, input: widget.NewInput(hint)}
	p.input.Focus()
	lines := make([]string, len(actions))
	for i, a := range actions {
		lines[i] = text.Line(a.Title)
	}
	p.fuzzy.SetLines(lines, nil)
	p.found = p.fuzzy.Find("")
	return p
}

// Update types, moves or runs.
func (p *pick) Update(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.typed(tea.PasteMsg{Content: text.Line(msg.Content)})
	case tea.KeyPressMsg:
		switch msg.String() {
		case "esc", "ctrl+k":
			return nil, true
		case "enter":
			if len(p.found) == 0 {
				return nil, false
			}
			return p.actions[p.found[p.cursor]].Do, true
		case "up", "ctrl+p", "shift+tab":
			p.move(-1)
		case "down", "ctrl+n", "tab":
			p.move(1)
		case "pgup":
			p.move(-pickRows)
		case "pgdown":
			p.move(pickRows)
		default:
			p.typed(msg)
		}
	}
	return nil, false
}

func (p *pick) move(by int) { p.cursor = max(min(p.cursor+by, len(p.found)-1), 0) }

func (p *pick) typed(msg tea.Msg) {
	if p.input.Type(msg) {
		p.found, p.cursor, p.top = p.fuzzy.Find(p.input.Value()), 0, 0
	}
}

// View draws the box; its height does not change while one types.
func (p *pick) View(width, height int) string {
	t := style.Now()
	w := boxWidth(width, 72)
	rows := max(min(min(pickRows, len(p.actions)), height-5), 1)
	p.top = max(min(p.top, p.cursor), p.cursor-rows+1, 0)
	p.input.SetWidth(w - 8)
	lines := []string{t.Accent.Render("› ") + p.input.View(), ""}
	for i := p.top; i < p.top+rows; i++ {
		if i >= len(p.found) {
			s := ""
			if i == 0 {
				s = t.Faint.Render("  nothing of that name; backspace widens the search")
			}
			lines = append(lines, s)
			continue
		}
		a := p.actions[p.found[i]]
		hint := text.Truncate(text.Line(a.Hint), w/3)
		title := text.Truncate(text.Line(a.Title), w-8-text.Width(hint))
		if i == p.cursor {
			title = t.Accent.Render("▌ ") + t.Bold.Render(title)
		} else {
			title = "  " + title
		}
		lines = append(lines, widget.Ends(title, t.Faint.Render(hint), w-4))
	}
	return widget.Box(p.title, lines, w)
}

// Help lists the keys of the list.
func (p *pick) Help() []key.Binding {
	return []key.Binding{
		keymap.Bind("type", "narrow", "\x00"), keymap.Bind("↑ ↓", "choose", "up", "down"),
		keymap.As(keymap.Accept, "run it"), keymap.Cancel,
	}
}

// openPalette offers every action there is: the keys of the screen that is
// seen, what the screens offer beyond them, and the root's own.
func (r *root) openPalette() tea.Cmd {
	top := r.top()
	var actions []nav.Action
	known := map[string]bool{}
	add := func(more ...nav.Action) {
		for _, a := range more {
			if !known[a.Title] {
				known[a.Title] = true
				actions = append(actions, a)
			}
		}
	}
	offer := func(s nav.Screen) {
		if a, ok := s.(nav.Actor); ok {
			add(a.Actions()...)
		}
	}
	for _, b := range top.Help() {
		if b.Enabled() && len(b.Keys()) > 0 && b.Help().Desc != "" && !isMove(b) {
			add(r.pressing(b))
		}
	}
	if len(r.tabs[r.tab].screens) > 1 {
		offer(top)
	}
	if r.session != nil {
		for t, name := range tabNames {
			add(nav.Action{Title: "go to " + name, Hint: fmt.Sprint(t + 1), Do: nav.Send(nav.Switch{To: nav.Tab(t)})})
		}
		add(nav.Action{Title: "switch project", Do: nav.Send(nav.ChooseProject{})},
			nav.Action{Title: "switch server", Do: nav.Send(nav.ChooseServer{})},
			nav.Action{Title: "connect to the server again", Do: nav.Send(nav.Reconnect{})})
	}
	add(r.elsewhere()...)
	add(r.pressing(keymap.Help), nav.Action{Title: "leave cytorun", Hint: keymap.Leave.Help().Key, Do: tea.Quit})
	for t := range r.tabs {
		offer(r.tabs[t].screens[0])
	}
	r.over = newPick("actions", "what do you want to do?", actions)
	return nil
}

// pressElsewhere shows a tab and presses a key there.
type pressElsewhere struct {
	tab nav.Tab
	key tea.KeyPressMsg
}

// elsewhere offers the keys of the other tabs' first screens, while those are
// what would be seen there.
func (r *root) elsewhere() []nav.Action {
	if r.session == nil { // every tab is the welcome
		return nil
	}
	var actions []nav.Action
	for t := range r.tabs {
		tab := nav.Tab(t)
		if tab == r.tab || len(r.tabs[t].screens) > 1 {
			continue
		}
		for _, b := range r.tabs[t].screens[0].Help() {
			if !b.Enabled() || isMove(b) || isShared(b) {
				continue
			}
			actions = append(actions, nav.Action{
				Title: b.Help().Desc + ", in " + tabNames[t], Hint: fmt.Sprintf("%d %s", t+1, b.Help().Key),
				Do: nav.Send(pressElsewhere{tab, keymap.Press(b.Keys()[0])}),
			})
		}
	}
	return actions
}

// isShared tells keys that every list has: here and not elsewhere is meant.
func isShared(b key.Binding) bool {
	for _, s := range []key.Binding{keymap.Filter, keymap.Refresh, keymap.Mark, keymap.Copy} {
		if s.Keys()[0] == b.Keys()[0] {
			return true
		}
	}
	return false
}

// pressing is the action that presses a key.
func (r *root) pressing(b key.Binding) nav.Action {
	return nav.Action{Title: b.Help().Desc, Hint: b.Help().Key, Do: nav.Send(keymap.Press(b.Keys()[0]))}
}

func isMove(b key.Binding) bool {
	for _, m := range []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Home, keymap.End} {
		if m.Keys()[0] == b.Keys()[0] {
			return true
		}
	}
	return false
}
