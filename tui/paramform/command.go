package paramform

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// mostWord bounds how many bytes of one word of the command are drawn.
const mostWord = 2000

// shownWords are the words of the command as far as they are drawn: one with
// the ids of 100,000 images is not quoted at every key.
func shownWords(p app.Preview) []string {
	argv := slices.Clone(p.Argv)
	for i, w := range argv {
		if len(w) > mostWord {
			argv[i] = w[:mostWord] + "…"
		}
	}
	p.Argv = argv
	return p.Words()
}

// commandWords wraps the command to lines. Words of the field that the help is
// about are set off; at is the first line with one of them, 0 when there is
// none.
func (m *Screen) commandWords(width int) (lines []string, at int) {
	t := style.Now()
	words := m.words
	from, to := m.wordsOf(m.told)
	var b strings.Builder
	used, first := 0, -1
	put := func(s string, role lipgloss.Style) {
		b.WriteString(role.Render(s))
		used += text.Width(s)
	}
	end := func() {
		lines = append(lines, b.String())
		b.Reset()
		used = 0
	}
	for i, w := range words {
		role := t.Plain
		switch {
		case i >= from && i < to:
			role = t.Match
		case i < len(m.preview.Secret) && m.preview.Secret[i]:
			role = t.Faint
		}
		if used > 0 {
			if used+1+text.Width(w) <= width {
				b.WriteByte(' ')
				used++
			} else {
				end()
			}
		}
		if i == from && from < to {
			first = len(lines)
		}
		for text.Width(w) > width-used {
			head := text.Cut(w, 0, width-used)
			put(head, role)
			end()
			if head == "" || len(head) >= len(w) {
				w = ""
				break
			}
			w = w[len(head):]
		}
		put(w, role)
	}
	if used > 0 {
		end()
	}
	return lines, max(first, 0)
}

// wordsOf finds the words of the command that come from a field: its flag and
// its value.
func (m *Screen) wordsOf(s spot) (from, to int) {
	f := m.field(s)
	if f == nil || s.launch {
		return 0, 0
	}
	argv := m.preview.Argv
	value := f.Text
	if flag := strings.Fields(f.Parameter.Flag); len(flag) > 0 {
		if i := slices.Index(argv, flag[len(flag)-1]); i >= 0 {
			if i+1 < len(argv) && argv[i+1] == value {
				return i, i + 2
			}
			return i, i + 1
		}
	}
	if value != "" {
		if i := slices.Index(argv, value); i >= 0 && slices.Index(argv[i+1:], value) < 0 {
			return i, i + 1
		}
	}
	return 0, 0
}

// commandLines draws the part of the command that fits, with the words of the
// present field in it.
func (m *Screen) commandLines(height int) string {
	lines, at := m.commandWords(m.area.width - 4)
	if len(lines) == 0 {
		return widget.Fit("   "+style.Now().Faint.Render("the algorithm has no command line"), m.area.width, height)
	}
	top := 0
	if at >= height {
		top = min(at, len(lines)-height)
	}
	shown := lines[top:min(top+height, len(lines))]
	out := make([]string, len(shown))
	for i, l := range shown {
		out[i] = "   " + l
	}
	if top == 0 {
		out[0] = style.Now().Faint.Render(" $ ") + shown[0]
	}
	return widget.Fit(strings.Join(out, "\n"), m.area.width, height)
}

// commandNote says at the rule of the command what is not seen of it.
func (m *Screen) commandNote() string {
	t := style.Now()
	var parts []string
	if m.several.runs > 1 {
		parts = append(parts, t.Busy.Render("the first of "+text.Count(m.several.runs)+" runs"))
	}
	if n := len(m.preview.Notes); n > 0 && m.whole {
		parts = append(parts, t.Warn.Render("! "+counted(n, "note")))
	}
	if n := len(m.preview.Unreached); n > 0 && m.whole {
		parts = append(parts, t.Warn.Render(fmt.Sprintf("! %d never reach it", n)))
	}
	if !m.whole {
		parts = append(parts, t.Faint.Render("without what the server fills in"))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, t.Faint.Render(" · ")) + t.Faint.Render(" v shows all")
}

// commandView is the whole command over the form.
type commandView struct{ top int }

func (m *Screen) commandKey(k tea.KeyPressMsg) tea.Cmd {
	page := max(m.area.height-3, 1)
	switch {
	case keymap.Is(k, keymap.Up):
		m.command.top--
	case keymap.Is(k, keymap.Down):
		m.command.top++
	case keymap.Is(k, keymap.PageUp):
		m.command.top -= page
	case keymap.Is(k, keymap.PageDown):
		m.command.top += page
	case keymap.Is(k, keymap.Home):
		m.command.top = 0
	case keymap.Is(k, copyKey):
		return nav.Send(nav.Copy{Text: m.preview.String(), What: "the command"})
	case keymap.Is(k, backKey), keymap.Is(k, commandKey), keymap.Is(k, keymap.Open):
		m.command = nil
	}
	return nil
}

// commandPane draws the whole command and what is odd about it.
func (m *Screen) commandPane() string {
	t := style.Now()
	width := m.area.width - 4
	lines, _ := m.commandWords(width)
	if len(m.preview.Unreached) > 0 {
		lines = append(lines, "")
		for _, l := range text.Wrap("never reach the program, because the command line has no place for them: "+text.Line(strings.Join(m.preview.Unreached, ", ")), width) {
			lines = append(lines, t.Warn.Render(l))
		}
	}
	for _, n := range m.preview.Notes {
		lines = append(lines, "")
		for i, l := range text.Wrap(text.Line(n), width-2) {
			sign := "  "
			if i == 0 {
				sign = "! "
			}
			lines = append(lines, t.Warn.Render(sign+l))
		}
	}
	room := max(m.area.height-1, 1)
	m.command.top = max(min(m.command.top, len(lines)-room), 0)
	out := []string{titled("command of "+m.algorithm.Name, "", m.area.width)}
	for _, l := range lines[m.command.top:min(m.command.top+room, len(lines))] {
		out = append(out, "  "+l)
	}
	return widget.Fit(strings.Join(out, "\n"), m.area.width, m.area.height)
}
