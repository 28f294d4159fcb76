package picker

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/widget"
)

// Set is a named selection that somebody has kept, such as @cohort-a.
type Set struct {
	Name string // without the @
	IDs  []string
}

// SetSets tells which selections there are.
func (p *Picker) SetSets(sets []Set) {
	p.sets = sets
	if p.choosing != nil {
		p.openSets()
	}
}

// openSets lists the selections in place of the options.
func (p *Picker) openSets() {
	if len(p.sets) == 0 {
		p.choosing = nil
		return
	}
	names := make([]string, len(p.sets))
	for i, s := range p.sets {
		names[i] = fmt.Sprintf("@%s  %s", s.Name, text.Count(len(s.IDs)))
	}
	p.choosing = New(Options{Fixed: true, List: Fixed(names)})
	p.sizeSets()
}

func (p *Picker) sizeSets() {
	if p.choosing != nil {
		p.choosing.SetSize(p.width, max(p.height-2, 1))
	}
}

// setsKey takes a key while the selections are listed.
func (p *Picker) setsKey(k tea.KeyPressMsg) End {
	at, _ := p.choosing.current()
	if keymap.Is(k, forget) && !p.choosing.Editing() && at.ID > 0 {
		p.setName = p.sets[at.ID-1].Name
		return Forget
	}
	switch _, end := p.choosing.Update(k); end {
	case GivenUp:
		p.choosing = nil
	case Accepted:
		ids, _ := p.choosing.Chosen()
		p.choosing = nil
		for i, s := range p.sets {
			if slices.Contains(ids, idText(client.ID(i+1))) {
				p.take(strings.Join(s.IDs, ","), true)
				p.note = "@" + s.Name + ": " + p.note
			}
		}
	}
	return Open
}

// expand puts the ids of selections in the place of their names.
func (p *Picker) expand(items []string) []string {
	var out []string
	for _, item := range items {
		i := slices.IndexFunc(p.sets, func(s Set) bool { return "@"+s.Name == item })
		if i < 0 {
			out = append(out, item)
			continue
		}
		out = append(out, p.sets[i].IDs...)
	}
	return out
}

// nameStart opens the line in which a selection gets its name.
func (p *Picker) nameStart() {
	in := widget.NewInput("name of the selection")
	in.Focus()
	p.typing, p.naming = &in, true
}

// SetName is the selection that Save or Forget is about.
func (p *Picker) SetName() string { return p.setName }

// Say shows what became of something that the picker asked for.
func (p *Picker) Say(note string) { p.note = note }
