package analyses

import (
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/widget"
)

// say puts into the empty table what there is to say.
func (m *Screen) say() {
	var choose *app.ErrChooseProject
	switch {
	case m.view.err != nil:
		m.table.Empty = m.view.err.Error()
	case len(m.feed.list.Rows()) > 0 && m.filter.Value() == firstFilter && !m.filter.Editing():
		m.table.Empty = "None of the " + text.Count(m.feed.list.Len()) + " listed so far is yours; m shows everybody's."
	case m.feed.answered && (m.feed.page != 0 || m.feed.fields != 0):
		m.table.Empty = "looking for more" + m.lookedAt() + "; esc stops"
	case m.feed.answered && m.feed.weary():
		m.table.Empty = "No analysis matches among those looked at:" + m.lookedAt() + ". end goes on looking, esc clears the filter."
	case len(m.feed.list.Rows()) > 0:
		m.table.Empty = "No analysis matches; esc clears the filter."
	case errors.As(m.feed.err, &choose) && len(choose.Projects) > 0:
		m.table.Empty = "No project is open yet. P opens the list of your projects."
	case m.feed.err != nil:
		m.table.Empty = m.feed.err.Error() + "\n\nctrl+r tries again"
	case !m.feed.answered:
		m.table.Empty = "asking the server for analyses"
		if !m.session.Connected() {
			m.table.Empty = "connecting to " + m.session.Profile.URL
		}
	default:
		m.table.Empty = "No analysis in this project yet. 1 goes to the algorithms: enter opens a form, ctrl+s launches it."
	}
	m.table.Touch()
}

// View draws the screen.
func (m *Screen) View() string {
	head := m.filter.View(m.count(), m.width) + "\n"
	if m.prompt.kind != noPrompt {
		head = m.prompt.view(m.width) + "\n"
	}
	if m.table.Len() == 0 {
		return head + m.table.View()
	}
	return head + m.split.Draw(m.table.View(), m.detail.View())
}

// lookedAt says how far the jobs were read that the filter may mean.
func (m *Screen) lookedAt() string {
	p := m.feed.pager
	if p.Total <= 0 {
		return ""
	}
	return fmt.Sprintf(" %s of %s jobs", text.Count(p.Offset), text.Count(p.Total))
}

// count says how many there are, how many are marked, and how fresh.
func (m *Screen) count() string {
	var parts []string
	if n := m.table.MarkedCount(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d marked", n))
	}
	f, known := &m.feed, m.feed.list.Len()
	all := text.Count(max(known, f.total))
	switch {
	case m.view.err != nil:
		parts = append(parts, text.Line(m.view.err.Error()))
	case known == 0:
	case m.view.shown != known || f.total > known:
		parts = append(parts, text.Count(m.view.shown)+" of "+all)
	default:
		parts = append(parts, all)
	}
	if c := m.clean.now.Load(); c != nil {
		parts = []string{"deleting results: " + c.String()}
	}
	if m.view.order != newest {
		parts = append(parts, orderNames[m.view.order])
	}
	switch {
	case known == 0:
	case f.err != nil && !f.asOf.IsZero():
		parts = append(parts, "server away, as of "+text.Ago(f.asOf, m.now))
	case f.err != nil:
		parts = append(parts, "runs of this box only, ctrl+r asks again")
	case !f.asOf.IsZero():
		parts = append(parts, "as of "+text.Ago(f.asOf, m.now))
	case m.view.query.Empty():
	case f.page != 0:
		parts = append(parts, "looking for more"+m.lookedAt())
	case f.weary():
		parts = append(parts, "looked at"+m.lookedAt()+", end goes on")
	}
	if m.filter.Editing() && m.view.err == nil && m.width >= 100 {
		parts = append([]string{"state: by: since:7d tag: sigma>2 @saved"}, parts...)
	}
	if len(parts) == 0 {
		return ""
	}
	return text.Truncate(strings.Join(parts, " · "), max(m.width*2/3, 10)) + " "
}

// SetSize gives the area.
func (m *Screen) SetSize(width, height int) {
	m.width = width
	m.split = widget.SplitFor(width, height-1)
	m.table.SetSize(m.split.ListWidth, m.split.ListHeight)
	m.detail.SetSize(m.split.DetailWidth, m.split.DetailHeight)
}

// Help lists the keys that work now.
func (m *Screen) Help() []key.Binding {
	switch {
	case m.prompt.kind != noPrompt:
		return m.prompt.help()
	case m.filter.Editing():
		return m.filter.Help()
	}
	a, single := m.current()
	g := m.head()
	some := single || g != nil
	live := single && a.State().Live
	many := m.table.MarkedCount() > 1
	mine := mineKey
	if m.base == "" {
		mine = keymap.As(mineKey, "only mine")
	}
	bindings := []key.Binding{
		keymap.When(many, compare),
		keymap.When(g != nil, fold), keymap.When(g != nil && !many, keymap.As(compare, "compare the group")),
		keymap.When(single, openLog), keymap.When(live && a.Run != nil || many || g != nil && g.progress() < 100, cancel),
		keymap.When(some, results), keymap.When(some, rerun), keymap.When(some, keymap.Mark), keymap.Filter,
		keymap.When(single && !live, nearestOK),
		keymap.When(some, starKey), keymap.When(some, tagKey), keymap.When(some, noteKey), orderKey, mine, filters,
		keymap.When(m.filter.Value() != m.base, saveKey), keymap.When(some, markAll), keymap.When(m.table.MarkedCount() > 0, unmark),
		keymap.When(some && !live, remove), keymap.When(some && !live || m.clean.unfinished, cleanKey),
		keymap.Refresh, keymap.When(single, copyName),
		project, server, allRuns,
	}
	return append(bindings, m.detail.Help()...)
}

// Title names the screen.
func (m *Screen) Title() string { return "Analyses" }
