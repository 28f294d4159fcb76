package paramform

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform/picker"
)

// Init reads what the form does not know yet.
func (m *Screen) Init() tea.Cmd {
	return tea.Batch(m.readDrafts(), m.read(), m.loadLists(), m.readRecent())
}

// Close keeps what was typed, also what is being typed. A write that is on its
// way is done here as well: the program may end before it.
func (m *Screen) Close() tea.Cmd {
	m.stopLists()
	if m.drafts.off || !m.drafts.saving {
		return nil
	}
	write := m.drafts.next(m.draft())
	return func() tea.Msg {
		_ = write() // the screen that could say it is gone
		return nil
	}
}

// Update changes the screen.
func (m *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		return m.pasted(msg)
	case draftsRead:
		return m.draftsWereRead(msg)
	case saved:
		return m.wasSaved(msg)
	case algorithmRead:
		return m.wasRead(msg)
	case picker.Arrived:
		return m.arrived(msg)
	case editReady:
		return m.editIsReady(msg)
	case editorLeft:
		return m.editorWasLeft(msg)
	case edited:
		return m.wasEdited(msg)
	case presetsRead:
		m.presetsWereRead(msg)
		return nil
	case presetRead:
		return m.presetWasRead(msg)
	case setsRead:
		m.setsWereRead(msg)
		return nil
	case recentsRead:
		if msg.gen == m.recentGen {
			m.recent = msg.recent
		}
		return nil
	case checked:
		return m.wereChecked(msg)
	case started:
		return m.wasStarted(msg)
	case nav.Connected:
		if msg.Session.Profile.URL == m.session.Profile.URL && msg.Session.Project.ID == m.session.Project.ID {
			m.session = msg.Session
			if !m.whole && m.reading == 0 {
				return m.read()
			}
		}
	case nav.ThemeChanged:
		m.restyle()
	}
	if m.rest.Over(msg) {
		m.told = m.here()
		m.detail.Follow()
	}
	if m.picking != nil {
		return m.toPicker(msg)
	}
	return nil
}

func (m *Screen) restyle() {
	if m.edit != nil {
		m.edit.input.Restyle()
	}
	if m.jump != nil {
		m.jump.input.Restyle()
	}
	m.detail.Refresh()
}

func (m *Screen) pasted(msg tea.PasteMsg) tea.Cmd {
	switch {
	case m.picking != nil:
		return m.toPicker(msg)
	case m.jump != nil:
		return m.jumpKey(msg)
	case m.edit != nil:
		return m.typeInto(msg)
	case m.stage == filling && m.command == nil && m.field(m.here()) != nil && m.isText(m.here()):
		// Pasting onto a field replaces what it holds, as in any form.
		m.startEdit()
		return m.typeInto(msg)
	}
	return nil
}

// key gives a key to what lies on top.
func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case m.picking != nil:
		return m.toPicker(k)
	case m.presets != nil:
		return m.presetsKey(k)
	case m.command != nil:
		return m.commandKey(k)
	case m.stage == asking:
		return m.askKey(k)
	case m.stage != filling:
		if m.stage == checking && keymap.Is(k, backKey) {
			m.stage, m.wait = filling, 0
		}
		return nil
	case m.jump != nil:
		return m.jumpKey(k)
	case m.edit != nil:
		return m.editKey(k)
	case m.field(m.here()) == nil:
		return nil
	case m.detail.Update(k):
		return nil
	}
	if cmd, ok := m.motion(k); ok {
		return cmd
	}
	return m.act(k)
}

// motion moves the cursor.
func (m *Screen) motion(k tea.KeyPressMsg) (tea.Cmd, bool) {
	page := max(m.area.listHeight-2, 1)
	switch {
	case keymap.Is(k, keymap.Up, previousField):
		return m.move(m.cursor - 1), true
	case keymap.Is(k, keymap.Down, nextField):
		return m.move(m.cursor + 1), true
	case keymap.Is(k, keymap.PageUp):
		return m.move(m.cursor - page), true
	case keymap.Is(k, keymap.PageDown):
		return m.move(m.cursor + page), true
	case keymap.Is(k, keymap.Home):
		return m.move(0), true
	case keymap.Is(k, keymap.End):
		return m.move(len(m.spots) - 1), true
	case keymap.Is(k, nextProblem):
		return m.toProblem(1), true
	case keymap.Is(k, prevProblem):
		return m.toProblem(-1), true
	}
	return nil, false
}

// act does what a letter stands for.
func (m *Screen) act(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case keymap.Is(k, editKey):
		return m.open()
	case keymap.Is(k, turnKey):
		if m.field(m.here()).Parameter.Type != descriptor.Boolean && len(m.field(m.here()).Parameter.Choices) == 0 {
			return m.open()
		}
		return m.turn()
	case keymap.Is(k, clearKey):
		return m.clear()
	case keymap.Is(k, defaultKey):
		return m.reset()
	case keymap.Is(k, undoKey):
		return m.undoLast()
	case keymap.Is(k, resetKey):
		return tea.Batch(m.resetAll(), nav.Say("as the form was opened; u takes that back"))
	case keymap.Is(k, lastKey):
		return m.useLast()
	case keymap.Is(k, findKey):
		m.startJump()
	case keymap.Is(k, copyKey):
		return nav.Send(nav.Copy{Text: m.preview.String(), What: "the command"})
	case keymap.Is(k, commandKey):
		m.command = &commandView{}
	case keymap.Is(k, presetsKey):
		return m.openPresets()
	case keymap.Is(k, editorKey):
		return m.editFile()
	case keymap.Is(k, launchKey):
		return m.launch()
	case keymap.Is(k, refreshKey):
		cmds := []tea.Cmd{m.retryLists()}
		if m.reading == 0 {
			cmds = append(cmds, m.read())
		}
		return tea.Batch(cmds...)
	}
	return nil
}

// complaints are the fields with something to look at, in the order of the
// screen.
func (m *Screen) complaints() []spot {
	var out []spot
	for _, s := range m.spots {
		if len(m.problems(s)) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// toProblem goes to the next field with a problem, around the end.
func (m *Screen) toProblem(by int) tea.Cmd {
	n := len(m.spots)
	for i := 1; i <= n; i++ {
		at := ((m.cursor+by*i)%n + n) % n
		if len(m.problems(m.spots[at])) > 0 {
			return m.move(at)
		}
	}
	return nil
}
