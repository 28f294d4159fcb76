package analyses

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

// key takes a key press.
func (m *Screen) key(k tea.KeyPressMsg) tea.Cmd {
	if m.prompt.kind != noPrompt {
		return m.answerPrompt(k)
	}
	if used, changed := m.typed(k); used {
		if changed {
			cmd := m.refilter()
			m.table.GoTo(0)
			return tea.Batch(cmd, m.rest.Move())
		}
		return nil
	}
	switch {
	case keymap.Is(k, mineKey):
		return m.turnMine()
	case keymap.Is(k, keymap.Refresh):
		return m.refresh()
	case keymap.Is(k, project):
		return nav.Send(nav.ChooseProject{})
	case keymap.Is(k, server):
		return nav.Send(nav.ChooseServer{})
	case keymap.Is(k, allRuns):
		return m.turnEverywhere()
	case keymap.Is(k, orderKey):
		m.view.order = (m.view.order + 1) % orders
		return tea.Batch(m.refilter(), nav.Say(orderNames[m.view.order]))
	case keymap.Is(k, filters):
		return nav.Send(nav.Push{Screen: newSaved(m)})
	case keymap.Is(k, saveKey):
		return m.askFilterName()
	case keymap.Is(k, cleanKey) && m.clean.unfinished:
		return m.planClean(nil)
	case keymap.Is(k, unmark):
		m.table.ClearMarks()
		return nil
	case keymap.Is(k, markAll):
		m.markAll()
		return nil
	case m.head() != nil && keymap.Is(k, keymap.Mark):
		m.markGroup(m.head())
		return m.rest.Move()
	}
	if m.detail.Update(k) {
		return nil
	}
	if m.table.Update(k) {
		if m.table.Cursor() >= len(m.view.lines)-1 {
			m.feed.fruitless = 0 // whoever goes on at the end wants more
		}
		return tea.Batch(m.rest.Move(), m.morePages())
	}
	return m.act(k)
}

// typed gives a key to the filter. Clearing it goes back to what the list shows by
// itself, and typing goes on behind it.
func (m *Screen) typed(k tea.KeyPressMsg) (used, changed bool) {
	was, editing := m.filter.Value(), m.filter.Editing()
	if !editing && k.String() == "esc" && was == m.base {
		return false, false
	}
	used, _ = m.filter.Update(k)
	now := m.filter.Value()
	switch {
	case !editing && m.filter.Editing() && now != "" && !strings.HasSuffix(now, " "):
		m.filter.Set(now + " ")
	case editing && !m.filter.Editing() && k.String() != "esc":
		m.filter.Set(strings.TrimSpace(now))
	case k.String() == "esc" && now == "":
		m.filter.Set(m.base)
	}
	return used, m.filter.Value() != was || editing != m.filter.Editing()
}

// turnMine shows everybody's analyses, or only those of the person again.
func (m *Screen) turnMine() tea.Cmd {
	if m.base == "" {
		m.base = firstFilter
	} else {
		m.base = ""
	}
	m.filter.Set(m.base)
	return tea.Batch(m.refilter(), m.rest.Move())
}

// turnEverywhere shows the runs of all projects and servers of this box, or only
// those of this project again.
func (m *Screen) turnEverywhere() tea.Cmd {
	m.feed.everywhere = !m.feed.everywhere
	said := "the runs of this project"
	if m.feed.everywhere {
		said = "the runs of this box of all projects and servers; mark some and compare them"
	}
	return tea.Batch(m.feed.readRuns(m.session, m.now), nav.Say(said))
}

func (m *Screen) refresh() tea.Cmd {
	if !m.session.Connected() {
		return nav.Send(nav.Reconnect{})
	}
	m.feed.err = nil
	m.feed.pager = m.session.NewPager(m.view.query)
	return tea.Batch(m.feed.readRuns(m.session, m.now), m.feed.askNewest(m.session, m.now), nav.Say("asking the server"))
}

// act does something with the marked analyses, those of the group, or the one under
// the cursor.
func (m *Screen) act(k tea.KeyPressMsg) tea.Cmd {
	a, single := m.current()
	if g := m.head(); g != nil && keymap.Is(k, fold) {
		return m.fold(g)
	}
	chosen := m.chosen()
	if len(chosen) == 0 {
		return nil
	}
	switch {
	case keymap.Is(k, compare):
		if len(chosen) < 2 {
			return nav.Say("mark two or more analyses with space, then press c")
		}
		return nav.Send(nav.OpenCompare{Analyses: chosen})
	case keymap.Is(k, rerun):
		if len(chosen) > 1 {
			return m.confirmRerun(chosen)
		}
		return m.ask(chosen[0], rerunIt)
	case keymap.Is(k, cancel):
		return m.confirmCancel(chosen)
	case keymap.Is(k, remove):
		return m.confirmDelete(chosen)
	case keymap.Is(k, cleanKey):
		return m.planClean(chosen)
	case keymap.Is(k, starKey):
		return m.star(chosen)
	case keymap.Is(k, tagKey):
		m.askTags(chosen)
	case keymap.Is(k, noteKey):
		m.askNote(chosen)
	case keymap.Is(k, results):
		return nav.Send(nav.OpenResults{Analyses: chosen})
	case !single:
		return nav.Say("that is for one analysis; enter unfolds the group")
	case keymap.Is(k, openLog):
		return nav.Send(nav.OpenLog{Analysis: a})
	case keymap.Is(k, nearestOK):
		return m.ask(a, nearestIt)
	case keymap.Is(k, copyName):
		return nav.Send(nav.Copy{Text: a.Key(), What: a.Key()})
	case keymap.Is(k, fold) && a.Run != nil && a.Run.Group != "":
		return m.foldAround(a.Run.Group)
	}
	return nil
}

// fold opens a group, or closes it.
func (m *Screen) fold(g *group) tea.Cmd {
	if m.view.open == nil {
		m.view.open = map[string]bool{}
	}
	m.view.open[g.id] = !g.open
	m.table.GoToKey(groupKey + g.id)
	return m.refilter()
}

// foldAround closes the group that the analysis under the cursor stands in.
func (m *Screen) foldAround(id string) tea.Cmd {
	if !m.view.open[id] {
		return nil
	}
	delete(m.view.open, id)
	m.table.GoToKey(groupKey + id)
	return m.refilter()
}

// markGroup marks all of a group, or none of it where all are marked.
func (m *Screen) markGroup(g *group) {
	all := m.allMarked(g)
	for _, r := range g.rows {
		m.table.SetMark(r.ID, !all)
	}
	m.table.GoTo(m.table.Cursor() + 1)
}

// allMarked tells whether all analyses of a group are marked; its head shows it.
func (m *Screen) allMarked(g *group) bool {
	for _, r := range g.rows {
		if !m.table.IsMarked(r.ID) {
			return false
		}
	}
	return true
}

// markAll marks everything that the filter leaves.
func (m *Screen) markAll() {
	for _, l := range m.view.lines {
		switch {
		case l.row != nil:
			m.table.SetMark(l.row.ID, true)
		case !l.group.open:
			for _, r := range l.group.rows {
				m.table.SetMark(r.ID, true)
			}
		}
	}
}

// Editing tells that printable keys are text.
func (m *Screen) Editing() bool { return m.filter.Editing() || m.prompt.kind != noPrompt }

// HoldsKey keeps esc while there is a filter to clear or something is typed.
func (m *Screen) HoldsKey(k tea.KeyPressMsg) bool {
	return m.prompt.kind != noPrompt || m.filter.HoldsKey(k) && m.filter.Value() != m.base
}

// Actions offers the saved filters by name.
func (m *Screen) Actions() []nav.Action {
	var out []nav.Action
	for _, name := range sortedNames(m.saved) {
		out = append(out, nav.Action{
			Title: "analyses: @" + name, Hint: text.Truncate(text.Line(m.saved[name]), 40), Do: nav.Send(nav.OpenAnalyses{Filter: "@" + name}),
		})
	}
	return out
}
