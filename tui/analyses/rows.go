package analyses

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// order is how the list is sorted.
type order int

const (
	newest order = iota
	troubleFirst
	longest
	byName
	orders
)

var orderNames = [orders]string{"newest first", "failed first", "longest first", "by algorithm"}

// line is one line of the list: an analysis, or the head of a group.
type line struct {
	row   *app.Row // nil for the head of a group
	group *group   // of the analysis, if it stands below its head
}

// group is the analyses of a sweep or a split that the filter leaves.
type group struct {
	id   string
	rows []*app.Row
	open bool
	// labels tell the analyses of the group apart, by their keys.
	labels map[string]string
}

// key identifies a line for the table.
func (l line) key() string {
	if l.row == nil {
		return groupKey + l.group.id
	}
	return l.row.ID
}

const groupKey = "group:"

// view is what the filter, the order and the folded groups make of the list.
type view struct {
	query filter.Query
	err   error // what of the filter cannot be understood
	order order
	// since is where trouble begins for troubleFirst: what went wrong after it
	// comes first.
	since time.Time
	open  map[string]bool // groups that were unfolded

	lines  []line
	chosen []*app.Row // what lines was made of
	shown  int        // analyses, whether folded or not
}

// make works out the lines.
func (v *view) make(rows []*app.Row) {
	chosen, grouped := v.chosen[:0], 0 // made at each key: its memory is used again
	for _, r := range rows {
		if v.query.Match(&r.Record) {
			chosen = append(chosen, r)
			if r.Record.Group != "" {
				grouped++
			}
		}
	}
	v.sort(chosen)
	v.chosen, v.shown = chosen, len(chosen)
	v.lines = v.lines[:0]
	groups := v.groups(chosen, grouped)
	if groups == nil {
		for _, r := range chosen {
			v.lines = append(v.lines, line{row: r})
		}
		return
	}
	begun := map[string]bool{}
	for _, r := range chosen {
		g := groups[r.Record.Group]
		if g == nil {
			v.lines = append(v.lines, line{row: r})
			continue
		}
		if begun[g.id] {
			continue
		}
		begun[g.id] = true
		v.lines = append(v.lines, line{group: g})
		if g.open {
			g.tell()
			for _, member := range g.rows {
				v.lines = append(v.lines, line{row: member, group: g})
			}
		}
	}
}

// groups are those of which the filter leaves several analyses, by their ids.
func (v *view) groups(chosen []*app.Row, grouped int) map[string]*group {
	if grouped < 2 {
		return nil
	}
	all := map[string]*group{}
	for _, r := range chosen {
		id := r.Record.Group
		if id == "" {
			continue
		}
		if all[id] == nil {
			all[id] = &group{id: id, open: v.open[id]}
		}
		all[id].rows = append(all[id].rows, r)
	}
	for id, g := range all {
		if len(g.rows) < 2 {
			delete(all, id)
		}
	}
	return all
}

// untold are the analyses of the group whose parameters are not read yet.
func (g *group) untold() []app.Analysis {
	var out []app.Analysis
	for _, r := range g.rows {
		if r.Record.Fields == nil && r.Run != nil {
			out = append(out, r.Analysis)
		}
	}
	return out
}

// untold are the analyses of unfolded groups whose parameters are not read yet.
func (v *view) untold() []app.Analysis {
	var out []app.Analysis
	for _, l := range v.lines {
		if l.row != nil && l.group != nil && l.row.Record.Fields == nil && l.row.Run != nil {
			out = append(out, l.row.Analysis)
		}
	}
	return out
}

// sort orders rows that come newest first.
func (v *view) sort(rows []*app.Row) {
	switch v.order {
	case troubleFirst:
		isTrouble := func(r *app.Row) int {
			if trouble(r, v.since) {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(rows, func(a, b *app.Row) int { return isTrouble(a) - isTrouble(b) })
	case longest:
		slices.SortStableFunc(rows, func(a, b *app.Row) int { return int(b.Record.Took/1e6 - a.Record.Took/1e6) })
	case byName:
		slices.SortStableFunc(rows, func(a, b *app.Row) int { return strings.Compare(a.Record.Algorithm, b.Record.Algorithm) })
	}
}

// trouble tells whether an analysis went wrong after a time, as far as its record
// tells: a State for each of 100,000 would take too long.
func trouble(r *app.Row, since time.Time) bool {
	if r.Record.Live || r.Record.Ended.IsZero() || !r.Record.Ended.After(since) {
		return false
	}
	tone := r.State().Tone
	return tone == app.Bad || tone == app.Warn
}

// counts says how the analyses of a group do: "11 succeeded, 1 failed".
func (g *group) counts() string {
	n := map[string]int{}
	var words []string
	for _, r := range g.rows {
		w := r.State().Word
		if n[w] == 0 {
			words = append(words, w)
		}
		n[w]++
	}
	slices.SortStableFunc(words, func(a, b string) int { return n[b] - n[a] })
	for i, w := range words {
		words[i] = fmt.Sprintf("%d %s", n[w], text.Line(w))
	}
	return strings.Join(words, ", ")
}

// state is the group's in one word and tone: the one that most wants attention.
func (g *group) state() app.State {
	worst := app.State{Word: string(runner.Succeeded), Tone: app.Good}
	rank := func(s app.State) int {
		switch {
		case s.Tone == app.Bad:
			return 4
		case s.Live:
			return 3
		case s.Tone == app.Warn:
			return 2
		case s.Tone == app.Quiet:
			return 1
		}
		return 0
	}
	for _, r := range g.rows {
		if s := r.State(); rank(s) > rank(worst) {
			worst = s
		}
	}
	return worst
}

// progress is how many of the group have ended, in percent.
func (g *group) progress() int {
	ended := 0
	for _, r := range g.rows {
		if !r.Record.Live {
			ended++
		}
	}
	return 100 * ended / len(g.rows)
}

// name is the algorithm's, and how many of them.
func (g *group) name() string {
	name, _ := g.rows[0].NameAndVersion()
	return fmt.Sprintf("%s ×%d", name, len(g.rows))
}

// tell makes the labels of the analyses of the group: the parameters in which they
// differ, or the part of a split.
func (g *group) tell() {
	g.labels = map[string]string{}
	values := make([]map[string]string, len(g.rows)) // as shown, by name
	distinct := map[string]map[string]bool{}
	var names []string
	for i, r := range g.rows {
		values[i] = shownValues(r)
		for _, f := range r.Record.Fields {
			if v, ok := values[i][f.Name]; ok && distinct[f.Name] == nil {
				distinct[f.Name] = map[string]bool{v: true}
				names = append(names, f.Name)
			} else if ok {
				distinct[f.Name][v] = true
			}
		}
	}
	for i, r := range g.rows {
		var words []string
		seen := map[string]bool{}
		for _, name := range names {
			// A label repeats what the name has said.
			if v := values[i][name]; len(distinct[name]) > 1 && !seen[v] {
				words = append(words, strings.TrimSpace(name+" "+v))
				seen[v] = true
			}
		}
		label := strings.Join(words[:min(len(words), 4)], ", ")
		if p := partOf(r); p != "" && (label == "" || len(label) > 40) {
			label = p // a list of images says less
		}
		g.labels[r.ID] = label
	}
}

// shownValues are the values of an analysis by the names of its parameters, options
// as their names.
func shownValues(r *app.Row) map[string]string {
	out := map[string]string{}
	several := map[string]bool{}
	for _, f := range r.Record.Fields {
		if f.Kind != filter.Parameter {
			continue
		}
		switch _, have := out[f.Name]; {
		case !have:
			out[f.Name] = f.Text
		case !several[f.Name]: // the ids come before the names
			out[f.Name], several[f.Name] = f.Text, true
		default:
			out[f.Name] += ", " + f.Text
		}
	}
	return out
}

func partOf(r *app.Row) string {
	if r.Run == nil || r.Run.Part == nil {
		return ""
	}
	return fmt.Sprintf("%s, part %d of %d", r.Run.Part.Parameter, r.Run.Part.Index, r.Run.Part.Of)
}

// newest is the analysis of the group that was launched last.
func (g *group) newest() *app.Row {
	return slices.MaxFunc(g.rows, func(a, b *app.Row) int { return a.Record.Created.Compare(b.Record.Created) })
}

// analyses are those of the group, oldest first.
func (g *group) analyses() []app.Analysis {
	out := make([]app.Analysis, len(g.rows))
	for i, r := range g.rows {
		out[i] = r.Analysis
	}
	oldestFirst(out)
	return out
}

func oldestFirst(as []app.Analysis) {
	slices.SortStableFunc(as, func(a, b app.Analysis) int { return a.Created().Compare(b.Created()) })
}
