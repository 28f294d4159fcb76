package analyses

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// prompt takes the place of the filter while a note, tags or a name are typed.
type prompt struct {
	kind  promptKind
	label string
	of    []app.Analysis
	input widget.Input
}

type promptKind int

const (
	noPrompt promptKind = iota
	notePrompt
	tagPrompt
	filterPrompt
)

func (p *prompt) ask(kind promptKind, label, value string, of []app.Analysis) {
	*p = prompt{kind: kind, label: label, of: of, input: widget.NewInput("")}
	p.input.SetValue(value)
	p.input.CursorEnd()
	p.input.Focus()
}

func (p *prompt) stop() { p.kind = noPrompt }

func (p *prompt) view(width int) string {
	label := " " + text.Truncate(text.Line(p.label), max(width/2, 8)) + " "
	p.input.SetWidth(max(width-text.Width(label)-1, 4))
	return text.Truncate(style.Now().Accent.Render(label)+p.input.View(), width)
}

func (p *prompt) help() []key.Binding { return []key.Binding{keymap.Accept, keymap.Cancel} }

// askNote and askTags ask what to note of the chosen analyses.
func (m *Screen) askNote(of []app.Analysis) {
	value := ""
	if len(of) == 1 {
		value = m.marks.Of(of[0]).Note
	}
	m.prompt.ask(notePrompt, "note for "+these(of)+":", value, of)
}

func (m *Screen) askTags(of []app.Analysis) {
	label := "tags for " + these(of)
	if len(of) == 1 {
		if tags := m.marks.Of(of[0]).Tags; len(tags) > 0 {
			label += " (has " + strings.Join(tags, ", ") + ")"
		}
	}
	m.prompt.ask(tagPrompt, label+", -tag takes one away:", "", of)
}

// answerPrompt takes a key while something is typed.
func (m *Screen) answerPrompt(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.prompt.stop()
		return nil
	case "enter":
	default:
		m.prompt.input.Type(k)
		return nil
	}
	kind, typed, of := m.prompt.kind, strings.TrimSpace(m.prompt.input.Value()), m.prompt.of
	m.prompt.stop()
	switch kind {
	case notePrompt:
		return m.mark(of, func(mark *app.Mark) { mark.Note = typed })
	case tagPrompt:
		if typed == "" {
			return nil
		}
		return m.mark(of, func(mark *app.Mark) { mark.Tags = changeTags(mark.Tags, typed) })
	case filterPrompt:
		return m.saveFilter(typed, m.filter.Value())
	}
	return nil
}

// changeTags adds what is typed to tags, and takes away what has a minus.
func changeTags(tags []string, typed string) []string {
	out := slices.Clone(tags)
	for _, t := range app.ParseTags(typed) {
		if gone, minus := strings.CutPrefix(t, "-"); minus {
			out = slices.DeleteFunc(out, func(s string) bool { return s == gone })
		} else {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// marked answers mark.
type marked struct {
	marks app.Marks
	err   error
}

// mark changes what is noted of analyses.
func (m *Screen) mark(of []app.Analysis, change func(*app.Mark)) tea.Cmd {
	s := m.session
	return func() tea.Msg {
		marks, err := s.Mark(of, change)
		return marked{marks, err}
	}
}

// star gives all of them a star, or takes it away where all have one. Those on the
// server are the project's: they are shown and left.
func (m *Screen) star(of []app.Analysis) tea.Cmd {
	all := !slices.ContainsFunc(of, func(a app.Analysis) bool { return !m.marks.Of(a).Star })
	cmd := m.mark(of, func(mark *app.Mark) { mark.Star = !all })
	if all && slices.ContainsFunc(of, func(a app.Analysis) bool { return m.marks.Of(a).Favorite }) {
		return tea.Batch(cmd, nav.Say("a star that the server gives is taken away there"))
	}
	return cmd
}

// filtersSaved answers saveFilter.
type filtersSaved struct {
	filters map[string]string
	say     string
	err     error
}

// saveFilter keeps a filter under a name; an empty one takes the name away.
func (m *Screen) saveFilter(name, query string) tea.Cmd {
	if name == "" {
		return nil
	}
	env, was := m.session.Env, m.saved[name]
	return func() tea.Msg {
		if err := env.SaveFilter(name, query); err != nil {
			return filtersSaved{err: err}
		}
		all, err := env.Filters()
		say := "saved; @" + name + " stands for it in every filter"
		if was != "" && was != query {
			say += "; it was " + was
		}
		if query == "" {
			say = "forgot @" + name
		}
		return filtersSaved{all, say, err}
	}
}

// askFilterName asks under which name to save the present filter.
func (m *Screen) askFilterName() tea.Cmd {
	if m.filter.Value() == "" {
		return nav.Say("there is no filter to save; / types one")
	}
	m.prompt.ask(filterPrompt, "save this filter as @", "", nil)
	return nil
}
