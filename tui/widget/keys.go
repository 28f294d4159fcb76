package widget

import (
	"strings"

	"charm.land/bubbles/v2/key"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// KeyBar is the line that shows the keys that work right now: first the ones
// of the screen, as many as fit, and at the end those that always stay.
func KeyBar(bindings, always []key.Binding, width int) string {
	const between = 2
	room := width - 1
	for _, b := range always {
		room -= keyWidth(b) + between
	}
	shown := make([]string, 0, len(bindings)+len(always))
	for _, b := range bindings {
		if !b.Enabled() || b.Help().Key == "" {
			continue
		}
		if w := keyWidth(b) + between; w <= room {
			room -= w
			shown = append(shown, keyText(b))
		} else {
			break
		}
	}
	for _, b := range always {
		shown = append(shown, keyText(b))
	}
	return text.Truncate(" "+strings.Join(shown, strings.Repeat(" ", between)), width)
}

func keyWidth(b key.Binding) int {
	return text.Width(b.Help().Key) + 1 + text.Width(b.Help().Desc)
}

func keyText(b key.Binding) string {
	t := style.Now()
	return t.Key.Render(b.Help().Key) + " " + t.Faint.Render(b.Help().Desc)
}
