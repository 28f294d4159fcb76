package paramform

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform/picker"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// presets is the box with the sets of values that the person has kept for this
// algorithm.
type presets struct {
	gen   nav.Gen
	list  []app.Preset
	pane  *picker.Picker
	input *widget.Input // the line in which a new one gets its name
	note  string
}

// presetsRead answers readPresets, and what the box did.
type presetsRead struct {
	gen  nav.Gen
	list []app.Preset
	note string
	err  error
}

// presetRead is a preset to be taken into the form.
type presetRead struct {
	gen    nav.Gen
	preset app.Preset
	err    error
}

// Keys of the box.
var (
	savePreset   = keymap.Bind("s", "save these values", "s")
	deletePreset = keymap.Bind("x", "remove it", "x")
)

// openPresets shows the box.
func (m *Screen) openPresets() tea.Cmd {
	m.presets = &presets{note: "reading"}
	return m.presetsDo("", func() error { return nil })
}

// presetsDo does something with the presets and reads them anew.
func (m *Screen) presetsDo(done string, do func() error) tea.Cmd {
	gen, env, name := nav.NewGen(), m.session.Env, m.algorithm.Name
	m.presets.gen = gen
	return func() tea.Msg {
		err := do()
		list, readErr := env.Presets(name)
		if err == nil {
			err = readErr
		}
		return presetsRead{gen, list, done, err}
	}
}

func (m *Screen) presetsWereRead(msg presetsRead) {
	p := m.presets
	if p == nil || msg.gen != p.gen {
		return
	}
	p.list, p.note = msg.list, msg.note
	if msg.err != nil {
		p.note = msg.err.Error()
	}
	names := make([]string, len(p.list))
	for i, preset := range p.list {
		names[i] = fmt.Sprintf("%s  %s", preset.Name, clock(preset.Saved, m.now()))
	}
	p.pane = picker.New(picker.Options{Fixed: true, List: picker.Fixed(names)})
	m.sizePicker()
}

// presetsKey takes a key while the box is open.
func (m *Screen) presetsKey(k tea.KeyPressMsg) tea.Cmd {
	p := m.presets
	switch {
	case p.input != nil:
		return m.presetName(k)
	case p.pane == nil:
		if keymap.Is(k, backKey) {
			m.presets = nil
		}
		return nil
	case !p.pane.Editing() && keymap.Is(k, savePreset):
		in := widget.NewInput("name")
		in.Focus()
		p.input = &in
		return nil
	}
	at := p.pane.Row()
	if !p.pane.Editing() && keymap.Is(k, deletePreset) && at >= 0 {
		env, preset := m.session.Env, p.list[at]
		return m.presetsDo("removed "+preset.Name, func() error { return env.DeletePreset(preset.Algorithm, preset.Name) })
	}
	cmd, end := p.pane.Update(k)
	switch end {
	case picker.GivenUp:
		m.presets = nil
	case picker.Accepted:
		return m.usePreset(p.list[at])
	}
	return cmd
}

// presetName takes a key while the name of a new preset is typed.
func (m *Screen) presetName(k tea.KeyPressMsg) tea.Cmd {
	p := m.presets
	switch {
	case keymap.Is(k, keymap.Cancel):
		p.input = nil
	case keymap.Is(k, keymap.Accept):
		name := strings.TrimSpace(p.input.Value())
		p.input = nil
		env, a, values := m.session.Env, m.algorithm, m.params.Values()
		return m.presetsDo("kept as "+name, func() error {
			_, err := env.SavePreset(a, name, values)
			return err
		})
	default:
		p.input.Type(k)
	}
	return nil
}

// usePreset reads a preset.
func (m *Screen) usePreset(preset app.Preset) tea.Cmd {
	gen, env := nav.NewGen(), m.session.Env
	m.presets.gen = gen
	return func() tea.Msg {
		p, err := env.Preset(preset.Algorithm, preset.Name)
		return presetRead{gen, p, err}
	}
}

func (m *Screen) presetWasRead(msg presetRead) tea.Cmd {
	if m.presets == nil || msg.gen != m.presets.gen {
		return nil
	}
	m.presets = nil
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("cannot use the preset %s: %w", msg.preset.Name, msg.err))
	}
	return tea.Batch(m.fill(&draft{Values: msg.preset.Values}), nav.Say("values of "+msg.preset.Name+"; u takes them back"))
}

// presetsBox draws the box.
func (m *Screen) presetsBox() string {
	t, p := style.Now(), m.presets
	inner := m.boxWidth() - 4
	var lines []string
	switch {
	case p.pane != nil && len(p.list) > 0:
		lines = strings.Split(p.pane.View(), "\n")
	case p.pane != nil:
		for _, l := range text.Wrap("None yet. s keeps the values that are in the form under a name.", inner) {
			lines = append(lines, t.Faint.Render(l))
		}
	}
	switch {
	case p.input != nil:
		p.input.SetWidth(max(inner-10, 4))
		lines = append(lines, t.Accent.Render("save as ")+p.input.View())
	case p.note != "":
		lines = append(lines, t.Faint.Render(text.Truncate(text.Line(p.note), inner)))
	}
	return widget.Box("presets of "+m.algorithm.Name, lines, m.boxWidth())
}

// presetsHelp lists the keys that work in the box.
func (m *Screen) presetsHelp() []key.Binding {
	p := m.presets
	if p.input != nil {
		return []key.Binding{keymap.Accept, keymap.Cancel}
	}
	some := p.pane != nil && len(p.list) > 0
	return []key.Binding{keymap.When(some, keymap.As(keymap.Open, "use it")), savePreset, keymap.When(some, deletePreset)}
}
