package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// confirm asks one question. Enter alone does nothing harmful: it takes the
// way out, which is where the cursor stands.
type confirm struct {
	nav.Confirm
	yes bool // the cursor stands on the verb
}

var (
	confirmYes    = keymap.Bind("y", "yes", "y")
	confirmNo     = keymap.Bind("n", "no", "n", "esc", "q")
	confirmMove   = keymap.Bind("← →", "choose", "left", "right", "tab", "shift+tab", "h", "l")
	confirmChoose = keymap.Bind("enter", "take it", "enter")
)

func newConfirm(c nav.Confirm) *confirm {
	if c.Yes == "" {
		c.Yes = "yes"
	}
	if c.No == "" {
		c.No = "no"
	}
	return &confirm{Confirm: c}
}

// Update answers the question.
func (c *confirm) Update(msg tea.Msg) (tea.Cmd, bool) {
	k, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
		return nil, false
	case keymap.Is(k, confirmYes), keymap.Is(k, confirmChoose) && c.yes:
		return c.Do, true
	case keymap.Is(k, confirmNo), keymap.Is(k, confirmChoose):
		return nil, true
	case keymap.Is(k, confirmMove):
		c.yes = !c.yes
	}
	return nil, false
}

// View draws the question in a box.
func (c *confirm) View(width, _ int) string {
	t := style.Now()
	w := boxWidth(width, 64)
	lines := append([]string{""}, widget.Paragraph(c.Text, w-4, 0)...)
	button := func(s string, on bool) string {
		if on {
			return t.Accent.Render("▌") + t.Bold.Render(s)
		}
		return " " + t.Faint.Render(s)
	}
	lines = append(lines, "", button(c.No, !c.yes)+"    "+button(c.Yes, c.yes), "")
	return widget.Box(c.Title, lines, w)
}

// Help lists the keys of the question.
func (c *confirm) Help() []key.Binding {
	return []key.Binding{
		keymap.As(confirmYes, c.Yes), keymap.As(confirmNo, c.No), confirmMove, confirmChoose,
	}
}
