// Package picker chooses among the options of a parameter: a list that may be
// 100,000 long and may still be arriving, narrowed while one types, with marks
// that stay.
//
//   - Source loads the options in the background and publishes a List now and
//     then; it belongs to the form, so that a second look needs no second load;
//   - List is what is known so far, in its order, and does not change;
//   - query and search find the rows for what was typed, on the goroutine of the
//     screen but never longer than a frame at a time;
//   - Picker is the pane itself.
//
// Names of options are untrusted and made safe where they are drawn.
package picker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// List is the options of a parameter as far as they are known, in the order in
// which they are shown.
type List struct {
	// Done tells that these are all.
	Done bool
	// Err is why there are no more, or none at all.
	Err error
	// Age is how long ago the server said this, where that is not now.
	Age time.Duration

	options []client.Option
	names   []string // as shown, untrusted
	keys    []string // names in lower case
	twins   map[client.ID]bool
	index   map[client.ID]int32
	byName  map[string]int32 // made when it is needed; -1 for several
	extra   string           // the attribute shown beside the name, if any
	// unsorted is the attribute that should give the order and that no option
	// has: descriptors ask for some that do not exist.
	unsorted string
}

// NewList orders options and prepares them for searching. It keeps the slice.
func NewList(p descriptor.Parameter, options []client.Option, done bool, err error) *List {
	app.SortOptions(p, options)
	l := newList(p, options, done, err)
	has := func(o client.Option) bool { return o.Fields.Get(p.URISort) != "" }
	if done && len(options) > 0 && p.URISort != "" && !slices.ContainsFunc(options, has) {
		l.unsorted = p.URISort
	}
	return l
}

// Fixed is a list of texts in their own order, such as the choices of a
// parameter. The id of a text is its place, counted from 1.
func Fixed(texts []string) *List {
	options := make([]client.Option, len(texts))
	for i, s := range texts {
		options[i] = client.Option{ID: client.ID(i + 1), Fields: client.MakeFields(map[string]string{"name": s})}
	}
	return newList(descriptor.Parameter{}, options, true, nil)
}

func newList(p descriptor.Parameter, options []client.Option, done bool, err error) *List {
	l := &List{Done: done, Err: err, options: options}
	l.names = make([]string, len(options))
	l.index = make(map[client.ID]int32, len(options))
	size := 0
	for i, o := range options {
		l.names[i] = app.OptionLabel(p, o)
		l.index[o.ID] = int32(i)
		size += len(l.names[i])
	}
	l.keys = lower(l.names, size)
	l.findTwins()
	l.extra = beside(p, options)
	return l
}

// lower gives the names in lower case, all in one piece of memory: a search
// runs over them from first to last.
func lower(names []string, size int) []string {
	var b strings.Builder
	b.Grow(size)
	ends := make([]int, len(names))
	for i, n := range names {
		b.WriteString(strings.ToLower(n))
		ends[i] = b.Len()
	}
	all, keys, from := b.String(), make([]string, len(names)), 0
	for i, end := range ends {
		keys[i], from = all[from:end], end
	}
	return keys
}

// findTwins finds the options whose names are not theirs alone.
func (l *List) findTwins() {
	l.twins = map[client.ID]bool{}
	first := make(map[string]int32, len(l.names))
	for i, n := range l.names {
		if j, again := first[n]; again {
			l.twins[l.options[i].ID], l.twins[l.options[j].ID] = true, true
		} else {
			first[n] = int32(i)
		}
	}
}

// beside is the attribute that is worth a column: the one that gives the order,
// where it is not the name itself.
func beside(p descriptor.Parameter, options []client.Option) string {
	if p.URISort == "" || p.URISort == p.URIPrint || p.URISort == "id" {
		return ""
	}
	for _, o := range options[:min(len(options), 20)] {
		if v := o.Fields.Get(p.URISort); v != "" && v != app.OptionLabel(p, o) {
			return p.URISort
		}
	}
	return ""
}

// Len is how many options are known.
func (l *List) Len() int { return len(l.options) }

// Hints are lines that tell of a list in a file: how many options there are, and
// the first of them.
func (l *List) Hints(most int) []string {
	if l.Len() == 0 {
		return nil
	}
	lines := []string{text.Count(l.Len()) + " to choose from, by id or name:"}
	for i, o := range l.options[:min(most, l.Len())] {
		lines = append(lines, "  "+idText(o.ID)+"  "+l.names[i])
	}
	return lines
}

// Resolve gives the id of the one option with a name, without regard to case.
func (l *List) Resolve(name string) (id string, ok bool) {
	if l.byName == nil {
		l.byName = make(map[string]int32, len(l.keys))
		for i, k := range l.keys {
			if _, twice := l.byName[k]; twice {
				l.byName[k] = -1
			} else {
				l.byName[k] = int32(i)
			}
		}
	}
	i, ok := l.byName[strings.ToLower(strings.TrimSpace(name))]
	if !ok || i < 0 {
		return "", false
	}
	return idText(l.options[i].ID), true
}

// Name is the name of the option with an id written as text.
func (l *List) Name(id string) (string, bool) {
	if i, ok := l.find(id); ok {
		return l.names[i], true
	}
	return "", false
}

// Missing are the ids among chosen that a complete list does not have.
func (l *List) Missing(ids []string) []string {
	if !l.Done || l.Err != nil {
		return nil
	}
	var out []string
	for _, id := range ids {
		if _, ok := l.find(id); !ok {
			out = append(out, id)
		}
	}
	return out
}

func (l *List) find(id string) (int32, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64)
	if err != nil {
		return 0, false
	}
	i, ok := l.index[client.ID(n)]
	return i, ok
}

func idText(id client.ID) string { return strconv.FormatInt(int64(id), 10) }
