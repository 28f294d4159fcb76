package picker

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
)

// term narrows by one attribute of the options.
type term struct {
	attribute string
	op        string // "", "<", "<=", ">", ">=", "!=", ".."
	text      string // what to compare with, in lower case
	low, high bound
}

// bound is a text as what it may stand for.
type bound struct {
	number float64 // NaN where it is none
	from   int64   // milliseconds since 1970 of a date, and of the next one
	to     int64
	date   bool
}

func newTerm(attribute, value string) term {
	t := term{attribute: attribute, text: strings.ToLower(value)}
	for _, op := range []string{"<=", ">=", "!=", "<", ">", "="} {
		if rest, ok := strings.CutPrefix(t.text, op); ok {
			t.op, t.text = strings.TrimPrefix(op, "="), rest // = alone is the plain comparison
			break
		}
	}
	t.low = newBound(t.text)
	if from, to, ok := strings.Cut(t.text, ".."); ok && t.op == "" {
		low, high := newBound(from), newBound(to)
		if low.known() && high.known() {
			t.op, t.low, t.high = "..", low, high
		}
	}
	return t
}

func newBound(s string) bound {
	b := bound{number: math.NaN()}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		b.number = n
	}
	for _, layout := range []string{"2006-01-02", "2006-01"} {
		if at, err := time.Parse(layout, s); err == nil {
			next := at.AddDate(0, 0, 1)
			if layout == "2006-01" {
				next = at.AddDate(0, 1, 0)
			}
			b.date, b.from, b.to = true, at.UnixMilli(), next.UnixMilli()
			break
		}
	}
	return b
}

func (b bound) known() bool { return b.date || !math.IsNaN(b.number) }

// yes and no as people write them for an attribute that is true or false.
var words = map[string]string{"yes": "true", "y": "true", "no": "false", "n": "false"}

// match tells whether an option has what the term asks for. An option without
// the attribute has 0, "" and false.
func (t term) match(o client.Option) bool {
	value := o.Fields.Get(t.attribute)
	if value == "" || value == "true" || value == "false" {
		if w, ok := words[t.text]; ok {
			return (value == "true") == (w == "true") == (t.op != "!=")
		}
	}
	if t.low.known() {
		if n, ok := number(value); ok {
			return t.compare(n)
		}
	}
	return containsFold(value, t.text) == (t.op != "!=")
}

func number(value string) (float64, bool) {
	if value == "" {
		return 0, true
	}
	if c := value[0]; c != '-' && c != '.' && (c < '0' || c > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(value, 64)
	return n, err == nil
}

// compare looks at a number, which is a time where the term is a date.
func (t term) compare(n float64) bool {
	low, high := t.low.span()
	if t.op == ".." {
		_, high = t.high.span()
	}
	switch t.op {
	case "<":
		return n < low
	case "<=":
		return n <= high
	case ">":
		return n > high
	case ">=":
		return n >= low
	case "!=":
		return n < low || n > high
	}
	return n >= low && n <= high
}

// span is the first and the last number that the bound means.
func (b bound) span() (low, high float64) {
	if b.date {
		return float64(b.from), float64(b.to - 1)
	}
	return b.number, b.number
}

// containsFold tells whether s holds sub, which is in lower case, without
// regard to the case of ASCII letters.
func containsFold(s, sub string) bool {
	if sub == "" {
		return true
	}
	for i := 0; i+len(sub) <= len(s); i++ {
		if equalFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return strings.Contains(strings.ToLower(s), sub)
}

func equalFold(s, lower string) bool {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// attributes are the names of the fields that some option has, in order.
func attributes(options []client.Option) []string {
	seen := map[string]bool{}
	var names []string
	// Rows of one list have the same fields, or nearly.
	for i := 0; i < len(options); i += max(len(options)/200, 1) {
		for name := range options[i].Fields.All() {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// attribute finds the field that is meant by what somebody types: its whole
// name in any case, else the shortest one that begins with it, ends with it or
// holds it.
func attribute(names []string, typed string) (string, bool) {
	if typed == "" {
		return "", false
	}
	best, bestRank := "", 4
	for _, name := range names {
		low, rank := strings.ToLower(name), 4
		switch {
		case low == typed:
			rank = 0
		case strings.HasPrefix(low, typed):
			rank = 1
		case strings.HasSuffix(low, typed):
			rank = 2
		case strings.Contains(low, typed):
			rank = 3
		}
		if rank < bestRank || rank == bestRank && rank < 4 && len(name) < len(best) {
			best, bestRank = name, rank
		}
	}
	return best, bestRank < 4
}
