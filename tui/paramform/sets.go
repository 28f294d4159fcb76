package paramform

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform/picker"
)

// setsRead answers readSets, and keepSet with what it did.
type setsRead struct {
	gen  nav.Gen
	sets []app.OptionSet
	note string
	err  error
}

// readSets reads the named selections that the person has made from a list.
func (m *Screen) readSets(p descriptor.Parameter) tea.Cmd {
	gen, s := nav.NewGen(), m.session
	m.setsGen = gen
	return func() tea.Msg {
		sets, err := s.OptionSets(p.URI)
		return setsRead{gen, sets, "", err}
	}
}

func (m *Screen) setsWereRead(msg setsRead) {
	if msg.gen != m.setsGen || m.picking == nil {
		return
	}
	sets := make([]picker.Set, len(msg.sets))
	for i, s := range msg.sets {
		sets[i] = picker.Set{Name: s.Name, IDs: s.IDs}
	}
	m.picking.pane.SetSets(sets)
	switch {
	case msg.err != nil:
		m.picking.pane.Say(msg.err.Error())
	case msg.note != "":
		m.picking.pane.Say(msg.note)
	}
}

// keepSet keeps the marked options under a name, or forgets a selection.
func (m *Screen) keepSet(end picker.End) tea.Cmd {
	gen, s := nav.NewGen(), m.session
	m.setsGen = gen
	uri, name := m.field(m.picking.at).Parameter.URI, m.picking.pane.SetName()
	ids, labels := m.picking.pane.Chosen()
	return func() tea.Msg {
		note := "kept as @" + name
		var err error
		if end == picker.Forget {
			note, err = "removed @"+name, s.DeleteOptionSet(name)
		} else {
			err = s.SaveOptionSet(app.OptionSet{Name: name, URI: uri, IDs: ids, Labels: labels})
		}
		sets, readErr := s.OptionSets(uri)
		if err == nil {
			err = readErr
		}
		return setsRead{gen, sets, note, err}
	}
}

// recentsRead answers readRecent.
type recentsRead struct {
	gen    nav.Gen
	recent map[string][]client.ID
}

// Bounds of what counts as recent.
const (
	recentRuns    = 50
	recentOptions = 8
)

// readRecent looks into the latest runs of the project for the options that were
// chosen. That they cannot be read is no matter here.
func (m *Screen) readRecent() tea.Cmd {
	gen, s := nav.NewGen(), m.session
	m.recentGen = gen
	return func() tea.Msg {
		analyses, err := s.LocalAnalyses()
		if err != nil {
			return nil
		}
		recent := map[string][]client.ID{}
		for _, a := range analyses[:min(len(analyses), recentRuns)] {
			if a.Run == nil || a.Run.Project.ID != s.Project.ID {
				continue
			}
			uris := map[string]string{}
			for _, p := range a.Run.Algorithm.Parameters {
				uris[p.ID] = p.URI
			}
			for _, v := range a.Run.Values {
				uri := uris[v.Parameter]
				for id := range strings.SplitSeq(v.Text, ",") {
					n, err := strconv.ParseInt(id, 10, 64)
					if uri == "" || err != nil || len(recent[uri]) == recentOptions {
						break
					}
					if !slices.Contains(recent[uri], client.ID(n)) {
						recent[uri] = append(recent[uri], client.ID(n))
					}
				}
			}
		}
		return recentsRead{gen, recent}
	}
}
