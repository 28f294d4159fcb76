package picker

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// Update takes a message. A message that is not for the picker does nothing.
func (p *Picker) Update(msg tea.Msg) (tea.Cmd, End) {
	switch msg := msg.(type) {
	case more:
		if msg.gen == p.gen {
			return p.goOn(), Open
		}
	case nav.ThemeChanged:
		p.filter.Input.Restyle()
	case tea.PasteMsg:
		return p.pasted(msg), Open
	case tea.KeyPressMsg:
		p.note = ""
		switch {
		case p.choosing != nil:
			return nil, p.setsKey(msg)
		case p.typing != nil:
			return nil, p.typeKey(msg)
		case p.filter.Editing():
			return p.filterKey(msg)
		}
		return p.key(msg)
	}
	return nil, Open
}

// filterKey takes a key while the filter is typed. In a list of which one is
// chosen enter chooses it, because there is nothing else to do with the row.
func (p *Picker) filterKey(k tea.KeyPressMsg) (tea.Cmd, End) {
	if k.String() == "enter" && !p.many {
		return nil, p.accept()
	}
	used, changed := p.filter.Update(k)
	switch {
	case changed:
		p.cursor, p.top, p.moved = 0, 0, false
		return p.find(), Open
	case used:
		return nil, Open
	}
	return p.key(k)
}

func (p *Picker) key(k tea.KeyPressMsg) (tea.Cmd, End) {
	if used, changed := p.filter.Update(k); changed {
		return p.find(), Open
	} else if used {
		return nil, Open
	}
	if p.motion(k) {
		p.moved = true
		return nil, Open
	}
	switch {
	case keymap.Is(k, keymap.Open):
		return nil, p.accept()
	case keymap.Is(k, giveUp):
		return nil, GivenUp
	case keymap.Is(k, reload) && !p.fixed:
		return nil, Reload
	case keymap.Is(k, typeIDs) && !p.fixed:
		p.typeStart()
	case keymap.Is(k, openSet) && len(p.sets) > 0:
		p.openSets()
	case keymap.Is(k, saveSet) && p.many && p.MarkedCount() > 0:
		p.nameStart()
	case p.many:
		p.markKey(k)
	}
	return nil, Open
}

// motion moves the cursor.
func (p *Picker) motion(k tea.KeyPressMsg) bool {
	page := max(p.room()-1, 1)
	to := p.cursor
	switch {
	case keymap.Is(k, keymap.Up):
		to--
	case keymap.Is(k, keymap.Down):
		to++
	case keymap.Is(k, keymap.PageUp):
		to -= page
	case keymap.Is(k, keymap.PageDown):
		to += page
	case keymap.Is(k, keymap.Home):
		to = 0
	case keymap.Is(k, keymap.End):
		p.settle()
		to = p.rows() - 1
	default:
		return false
	}
	p.move(to)
	return true
}

// markKey marks and unmarks.
func (p *Picker) markKey(k tea.KeyPressMsg) {
	p.settle()
	switch {
	case keymap.Is(k, keymap.Mark):
		if o, ok := p.current(); ok {
			p.turn(o.ID)
			p.move(p.cursor + 1)
		}
	case keymap.Is(k, all):
		for row := range p.rows() {
			p.marks[p.list.options[p.at(row)].ID] = true
		}
	case keymap.Is(k, invert):
		for row := range p.rows() {
			p.turn(p.list.options[p.at(row)].ID)
		}
	case keymap.Is(k, none):
		p.marks, p.others = map[client.ID]bool{}, nil
	case keymap.Is(k, undo):
		p.restore()
		return
	case keymap.Is(k, onlyMarks):
		p.only = !p.only
		p.show()
		return
	default:
		return
	}
	p.touched, p.moved = true, true
}

func (p *Picker) turn(id client.ID) {
	if p.marks[id] {
		delete(p.marks, id)
	} else {
		p.marks[id] = true
	}
}

// accept ends the picker. Where one is chosen, and where nobody has marked
// anything, the row under the cursor is meant.
func (p *Picker) accept() End {
	p.settle()
	o, ok := p.current()
	if !p.many || p.MarkedCount() == 0 && !p.touched {
		if !ok {
			return Open
		}
		p.marks, p.others = map[client.ID]bool{o.ID: true}, nil
	}
	return Accepted
}

// Chosen are the marked options in the order of the list, with their names; then
// those that the list does not have.
func (p *Picker) Chosen() (ids, labels []string) {
	for i, o := range p.list.options {
		if p.marks[o.ID] {
			ids, labels = append(ids, idText(o.ID)), append(labels, p.list.names[i])
		}
	}
	var absent []client.ID
	for id := range p.marks {
		if _, ok := p.list.index[id]; !ok {
			absent = append(absent, id)
		}
	}
	slices.Sort(absent)
	for _, id := range absent {
		label := p.labels[id]
		if label == "" {
			label = idText(id)
		}
		ids, labels = append(ids, idText(id)), append(labels, label)
	}
	return append(ids, p.others...), append(labels, p.others...)
}

// typeStart opens the line in which ids and names are typed.
func (p *Picker) typeStart() {
	in := widget.NewInput("ids, names or @selections, separated by commas")
	in.Focus()
	p.typing, p.naming = &in, false
}

func (p *Picker) typeKey(k tea.KeyPressMsg) End {
	switch k.String() {
	case "esc":
		p.typing = nil
	case "enter":
		text := p.typing.Value()
		p.typing = nil
		if p.naming {
			p.setName = strings.TrimPrefix(strings.TrimSpace(text), "@")
			return Save
		}
		if p.take(text, true) && !p.many {
			return Accepted
		}
	default:
		p.typing.Type(k)
	}
	return Open
}
