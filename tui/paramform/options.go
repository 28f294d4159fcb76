package paramform

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/tui/paramform/picker"
)

// sourceKey tells which parameters have the same list in the same order.
func sourceKey(p descriptor.Parameter) string {
	return p.URI + "\x00" + p.URIPrint + "\x00" + p.URISort
}

// loadLists asks for every list of the form, once for parameters that share
// one: names of chosen ids are wanted, and whoever opens a picker should not
// wait. The session makes one request for each uri.
func (m *Screen) loadLists() tea.Cmd {
	var cmds []tea.Cmd
	for _, f := range m.params.Fields {
		if hasOptions(f.Parameter) {
			_, cmd := m.list(f.Parameter)
			cmds = append(cmds, cmd)
		}
	}
	return tea.Batch(cmds...)
}

// list is what is known of a parameter's options, and loads them if nobody has.
func (m *Screen) list(p descriptor.Parameter) (*picker.List, tea.Cmd) {
	k := sourceKey(p)
	if l, ok := m.lists[k]; ok {
		return l, nil
	}
	m.lists[k] = picker.NewList(p, nil, false, nil)
	s := m.session
	source := picker.NewSource(p, picker.Feed{
		Load: func(ctx context.Context, page func([]client.Option) error) error { return s.Options(ctx, p, page) },
		Kept: func(page func([]client.Option) error) (time.Duration, bool) {
			age, ok, err := s.CachedOptions(p, page)
			return age, ok && err == nil
		},
		Age: func() time.Duration { return s.OptionsAge(p) },
	})
	m.sources[k] = source
	return m.lists[k], source.Start()
}

// reload asks the server for a list again, also the other fields that share it.
func (m *Screen) reload(p descriptor.Parameter) tea.Cmd {
	m.session.RefreshOptions(p)
	for k, s := range m.sources {
		if k == sourceKey(p) {
			s.Stop()
			delete(m.sources, k)
			delete(m.lists, k)
		}
	}
	l, cmd := m.list(p)
	if m.picking != nil && m.picking.source == sourceKey(p) {
		m.picking.pane.SetList(l)
	}
	return cmd
}

// retryLists loads the lists again that have failed.
func (m *Screen) retryLists() tea.Cmd {
	var cmds []tea.Cmd
	for _, f := range m.params.Fields {
		if l := m.lists[sourceKey(f.Parameter)]; hasOptions(f.Parameter) && l != nil && l.Err != nil {
			cmds = append(cmds, m.reload(f.Parameter))
		}
	}
	return tea.Batch(cmds...)
}

// arrived takes a list that a source has made.
func (m *Screen) arrived(msg picker.Arrived) tea.Cmd {
	for k, s := range m.sources {
		if s != msg.Source {
			continue
		}
		m.lists[k] = msg.List
		if m.picking != nil && m.picking.source == k {
			m.picking.pane.SetList(msg.List)
		}
		for _, f := range m.params.Fields {
			if hasOptions(f.Parameter) && sourceKey(f.Parameter) == k {
				m.label(f.Parameter.ID)
			}
		}
		m.detail.Refresh()
		return s.Next()
	}
	return nil
}

// label gives the chosen ids of a field their names, and notes those that the
// server does not list.
func (m *Screen) label(id string) {
	f := m.params.Field(id)
	delete(m.absent, id)
	l := m.lists[sourceKey(f.Parameter)]
	if l == nil || !hasOptions(f.Parameter) || f.Text == "" {
		return
	}
	ids := m.namesToIDs(f, l)
	if missing := l.Missing(ids); len(missing) > 0 && f.Text != allOptions {
		m.absent[id] = missing
	}
	if len(f.Labels) == len(ids) {
		return
	}
	labels, known := make([]string, len(ids)), 0
	for i, one := range ids {
		name, ok := l.Name(one)
		if !ok {
			name = one
		} else {
			known++
		}
		labels[i] = name
	}
	if known == len(ids) || known > 0 && l.Done {
		f.Labels = labels
	}
}

// namesToIDs replaces names that were typed by the ids of the options, and
// gives the ids.
func (m *Screen) namesToIDs(f *forms.Field, l *picker.List) []string {
	ids := f.Value().List()
	changed := false
	for i, one := range ids {
		if _, known := l.Name(one); known {
			continue
		}
		if id, ok := l.Resolve(one); ok {
			ids[i], changed = id, true
		}
	}
	if changed {
		m.params.Set(f.Parameter.ID, strings.Join(ids, ","), f.Origin)
		ids = f.Value().List() // a name and its id may both have been there
	}
	return ids
}

// stopLists ends what still waits for lists.
func (m *Screen) stopLists() {
	for _, s := range m.sources {
		s.Stop()
	}
}
