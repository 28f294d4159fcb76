package picker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// around is how many lines surround the rows: the title, the filter, a rule and
// the option under the cursor. A short list has its title in a border.
func (p *Picker) around() int {
	switch {
	case p.fixed && !p.filter.Editing() && p.filter.Value() == "":
		return 0
	case p.fixed:
		return 1
	case p.height >= 10:
		return 4
	}
	return 2
}

// room is how many rows are seen at once.
func (p *Picker) room() int { return max(p.height-p.around(), 1) }

// View draws the picker.
func (p *Picker) View() string {
	t := style.Now()
	var lines []string
	if !p.fixed {
		lines = append(lines, p.head(t))
	}
	if p.choosing != nil {
		lines = append(lines, t.Faint.Render(" named selections of this project"), p.choosing.View())
		return widget.Fit(strings.Join(lines, "\n"), p.width, p.height)
	}
	if p.around() > 0 {
		lines = append(lines, p.filterLine(t))
	}
	if p.rows() == 0 {
		for _, l := range widget.Paragraph(p.empty(), p.width-2, 2) {
			lines = append(lines, t.Faint.Render(l))
		}
	}
	for row := p.top; row < min(p.top+p.room(), p.rows()); row++ {
		lines = append(lines, p.row(t, row))
	}
	if p.around() == 4 {
		for len(lines) < p.height-2 {
			lines = append(lines, "")
		}
		lines = append(lines[:p.height-2], widget.Rule(p.width), p.about(t))
	}
	return widget.Fit(strings.Join(lines, "\n"), p.width, p.height)
}

// head is the title and the counts.
func (p *Picker) head(t *style.Theme) string {
	what := "choose one"
	if p.many {
		what = "choose some"
	}
	left := " " + t.Bold.Render(text.Truncate(text.Line(p.title), max(p.width/2, 8))) + t.Faint.Render(" · "+what)
	return widget.Ends(left, p.counts(t)+" ", p.width)
}

func (p *Picker) counts(t *style.Theme) string {
	out := text.Count(p.list.Len()) + " options"
	if p.rows() != p.list.Len() {
		out = text.Count(p.rows()) + " of " + text.Count(p.list.Len()) + " shown"
	}
	switch {
	case p.list.Age > 0:
		out += " as of " + text.Duration(p.list.Age) + " ago"
	case !p.list.Done:
		out += " so far"
	}
	out = t.Faint.Render(out)
	if n := p.MarkedCount(); p.many && n > 0 {
		out += t.Faint.Render(", ") + t.Mark.Render(text.Count(n)+" marked")
	}
	return out
}

func (p *Picker) filterLine(t *style.Theme) string {
	if p.typing != nil {
		p.typing.SetWidth(max(p.width-12, 4))
		what := " choose "
		if p.naming {
			what = " save as @"
		}
		return t.Accent.Render(what) + p.typing.View()
	}
	note := ""
	switch {
	case p.query.err != nil:
		note = t.Warn.Render("not a regular expression yet ")
	case p.search != nil && !p.search.done():
		note = "searching "
	case p.only:
		note = "only marked "
	case p.list.unsorted != "" && !p.filter.Editing():
		note = "by name: no option has " + text.Line(p.list.unsorted) + " "
	case !p.list.Done:
		note = "loading "
	}
	return p.filter.View(note, p.width)
}

// empty says why there are no rows.
func (p *Picker) empty() string {
	switch {
	case p.only:
		return "Nothing is marked here; m shows all."
	case p.list.Err != nil && p.list.Len() == 0:
		return p.list.Err.Error() + "\n\nctrl+r tries again; t lets you type ids."
	case p.list.Len() > 0:
		return "No option matches; esc clears the filter."
	case !p.list.Done:
		return "loading"
	}
	return "The server has none to choose from; t lets you type ids."
}

func (p *Picker) row(t *style.Theme, row int) string {
	i := p.at(row)
	o, here := p.list.options[i], row == p.cursor
	left := " "
	if here {
		left = t.Accent.Render("▌")
	}
	switch {
	case p.many && p.marks[o.ID]:
		left += t.Mark.Render("✚") + " "
	case !p.many && p.marks[o.ID]:
		left += t.Mark.Render("●") + " "
	default:
		left += "  "
	}
	if s := swatch(o); s != "" {
		left += s + " "
	}
	right := ""
	if !p.fixed {
		right = p.beside(i)
	}
	room := p.width - text.Width(left) - text.Width(right) - 3
	if room < 12 {
		right, room = "", p.width-text.Width(left)-1
	}
	name := text.Truncate(text.Line(p.list.names[i]), room)
	used := text.Width(left) + text.Width(name)
	if here {
		name = t.Bold.Render(name)
	}
	if right == "" {
		return left + name
	}
	return left + name + strings.Repeat(" ", p.width-used-text.Width(right)-1) + t.Faint.Render(right)
}

// beside is what stands at the right of a row: the attribute that gives the
// order, and the id where names are equal or there is room.
func (p *Picker) beside(i int32) string {
	o := p.list.options[i]
	out := ""
	if p.list.Len() > fewOptions && slices.Contains(p.recent, o.ID) {
		out = "recent  "
	}
	if p.list.extra != "" {
		out += value(p.list.extra, o.Fields.Get(p.list.extra))
	}
	if id := idText(o.ID); (p.width >= 60 || p.list.twins[o.ID]) && p.list.names[i] != id {
		if p.list.twins[o.ID] {
			id = "id " + id
		}
		out = strings.TrimLeft(out+"  "+text.PadLeft(id, 10), " ")
	}
	return out
}

// swatch is the colour of a term.
func swatch(o client.Option) string {
	c := strings.TrimSpace(o.Fields.Get("color"))
	if len(c) != 7 || c[0] != '#' || strings.Trim(c[1:], "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(c)).Render("██")
}

// about tells of the option under the cursor what can be filtered by, or what
// the last action did.
func (p *Picker) about(t *style.Theme) string {
	room := p.width - 2
	switch o, ok := p.current(); {
	case p.note != "":
		return " " + text.Truncate(text.Line(p.note), room)
	case p.list.Err != nil && p.list.Len() > 0:
		return " " + t.Warn.Render(text.Truncate("! not all: "+text.Line(p.list.Err.Error()), room))
	case p.list.Done && p.list.Age > 0:
		return " " + t.Warn.Render(text.Truncate("! the server does not answer; this is what it said "+text.Duration(p.list.Age)+" ago, ctrl+r tries again", room))
	case ok:
		return " " + t.Faint.Render(text.Truncate(p.facts(o), room))
	}
	return ""
}

// dull are fields that say nothing of an option to a person.
var dull = map[string]bool{"class": true, "id": true, "color": true}

func (p *Picker) facts(o client.Option) string {
	fields := o.Fields.Map()
	var names []string
	for n, v := range fields {
		if !dull[n] && len(v) <= 40 && !strings.HasPrefix(v, "/") {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(p.telling(a)-p.telling(b), strings.Compare(a, b)) })
	var b strings.Builder
	b.WriteString("id:" + idText(o.ID))
	for _, n := range names {
		b.WriteString("  " + text.Line(n) + ":" + value(n, fields[n]))
		if b.Len() > 4*p.width {
			break
		}
	}
	return b.String()
}

// telling is how early an attribute is told: first those of the filter, then
// those that people choose by.
func (p *Picker) telling(name string) int {
	if slices.ContainsFunc(p.query.terms, func(t term) bool { return t.attribute == name }) {
		return 0
	}
	for i, part := range []string{"created", "numberof", "reviewed", "width", "height", "magnification", "resolution", "user"} {
		if strings.HasPrefix(strings.ToLower(name), part) {
			return i + 1
		}
	}
	return 100
}

// value is an attribute for people; times are what servers count in
// milliseconds.
func value(name, v string) string {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && len(v) >= 12 && len(v) <= 14 && isTime(name) {
		return time.UnixMilli(n).Format("2006-01-02 15:04")
	}
	return text.Truncate(text.Line(v), 24)
}

func isTime(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"created", "updated", "deleted", "date", "time"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
