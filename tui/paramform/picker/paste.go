package picker

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
)

// pasted marks what was pasted, unless it is one line for the filter.
func (p *Picker) pasted(msg tea.PasteMsg) tea.Cmd {
	p.note = ""
	switch {
	case p.typing != nil:
		p.typing.Type(tea.PasteMsg{Content: text.Line(msg.Content)})
	case p.filter.Editing() && !strings.ContainsAny(strings.TrimSpace(msg.Content), "\n\r"):
		if _, changed := p.filter.Update(msg); changed {
			p.cursor, p.top = 0, 0
			return p.find()
		}
	case !p.fixed:
		p.take(msg.Content, false)
	}
	return nil
}

// take marks the options that a text names by id or name, and says what it did.
// Ids that the list does not have are taken all the same where they were typed
// on purpose: the list may have failed to load.
func (p *Picker) take(s string, anyID bool) (took bool) {
	items := p.expand(items(s))
	found, missing, several := p.look(items)
	if anyID {
		var names []string
		for _, m := range missing {
			if id, err := strconv.ParseInt(m, 10, 64); err == nil {
				found = append(found, client.ID(id))
			} else if p.list.Len() == 0 {
				p.others = append(p.others, m)
				took = true
			} else {
				names = append(names, m)
			}
		}
		missing = names
	}
	if !p.many && len(found) > 0 {
		p.marks, p.others = map[client.ID]bool{}, nil
		found = found[:1]
	}
	for _, id := range found {
		p.marks[id] = true
	}
	p.touched = p.touched || len(found) > 0
	p.note = report(len(found), missing, several)
	return took || len(found) > 0
}

// items parts a pasted list: by line ends, commas, semicolons and tabs, and
// numbers also by blanks.
func items(s string) []string {
	numbers := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
	only := true
	for _, n := range numbers {
		only = only && strings.Trim(n, "0123456789") == ""
	}
	if only {
		return numbers
	}
	var out []string
	for _, item := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' || r == '\t' }) {
		if item = strings.Trim(strings.TrimSpace(item), `"'`); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// look finds options by id, by name, and by the name of a file without its
// folder or its ending.
func (p *Picker) look(items []string) (found []client.ID, missing, several []string) {
	byName := make(map[string][]int32, p.list.Len())
	byStem := make(map[string][]int32, p.list.Len())
	for i, k := range p.list.keys {
		byName[k] = append(byName[k], int32(i))
		byStem[stem(k)] = append(byStem[stem(k)], int32(i))
	}
	for _, item := range items {
		if i, ok := p.list.find(item); ok {
			found = append(found, p.list.options[i].ID)
			continue
		}
		low := strings.ToLower(item)
		hits := byName[low]
		if len(hits) == 0 {
			hits = byName[path.Base(low)]
		}
		if len(hits) == 0 {
			hits = byStem[stem(low)]
		}
		switch len(hits) {
		case 0:
			missing = append(missing, item)
		case 1:
			found = append(found, p.list.options[hits[0]].ID)
		default:
			several = append(several, item)
		}
	}
	return found, missing, several
}

func stem(name string) string {
	name = path.Base(name)
	return strings.TrimSuffix(name, path.Ext(name))
}

func report(marked int, missing, several []string) string {
	out := fmt.Sprintf("%s marked", text.Count(marked))
	if len(missing) > 0 {
		out += fmt.Sprintf("; %s not in the list: %s", text.Count(len(missing)), few(missing))
	}
	if len(several) > 0 {
		out += fmt.Sprintf("; %s name several options, give their ids: %s", text.Count(len(several)), few(several))
	}
	return out
}

func few(items []string) string {
	if len(items) > 3 {
		return strings.Join(items[:3], ", ") + " …"
	}
	return strings.Join(items, ", ")
}
