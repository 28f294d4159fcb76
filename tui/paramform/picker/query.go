package picker

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// query is what was typed into the filter, understood:
//
//	cell 12           words, each somewhere in the name or letter by letter
//	"cell 12"         exactly this, somewhere in the name
//	*_he?.tif         the whole name as a glob
//	/^a.*[0-9]$/      a regular expression, without regard to case
//	reviewed:yes      a field of the option; also < > <= >= != and 10..20
//
// Fields go together with any of the others.
type query struct {
	words []string
	exact []string
	glob  string
	re    *pattern
	terms []term
	err   error // the regular expression is not one
}

// parse reads a filter. fields finds the attribute that is meant by a name;
// what it does not know is a word.
func parse(s string, fields func(name string) (attribute string, ok bool)) query {
	var q query
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "/") {
		body, rest := s[1:], ""
		if end := strings.LastIndexByte(body, '/'); end >= 0 {
			body, rest = body[:end], body[end+1:]
		}
		if body != "" {
			q.re, q.err = compile(body)
		}
		s = rest
	}
	var free, exact []string
	for _, w := range splitWords(s) {
		name, value, ok := strings.Cut(w, ":")
		if ok {
			if attribute, known := fields(strings.ToLower(name)); known {
				if value = strings.Trim(value, `"`); value != "" {
					q.terms = append(q.terms, newTerm(attribute, value))
				}
				continue
			}
		}
		into := &free
		if w[0] == '"' {
			into = &exact
		}
		if w = strings.Trim(w, `"`); w != "" {
			*into = append(*into, strings.ToLower(w))
		}
	}
	q.exact = exact
	if all := strings.Join(free, " "); strings.ContainsAny(all, "*?") {
		q.glob = all
	} else {
		q.words = free
	}
	return q
}

// splitWords cuts at blanks that are not inside quotes.
func splitWords(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && unicode.IsSpace(r)
	})
}

// empty tells that every option matches.
func (q query) empty() bool {
	return len(q.words) == 0 && len(q.exact) == 0 && q.glob == "" && q.re == nil && len(q.terms) == 0
}

// ranked tells that better hits come first; otherwise the order of the list
// stays.
func (q query) ranked() bool { return len(q.words) > 0 }

// scatterFrom is how many letters a word needs before they may stand apart.
const scatterFrom = 3

// within tells that whatever q finds, earlier has found too.
func (q query) within(earlier query) bool {
	if q.glob != "" || q.re != nil || earlier.glob != "" || earlier.re != nil ||
		!slices.Equal(q.exact, earlier.exact) || len(earlier.words) > len(q.words) || len(earlier.terms) > len(q.terms) {
		return false
	}
	for i, w := range earlier.words {
		longer := q.words[i]
		if !strings.HasPrefix(longer, w) || len(w) < scatterFrom && len(longer) >= scatterFrom {
			return false
		}
	}
	for i, t := range earlier.terms {
		if q.terms[i] != t {
			return false
		}
	}
	return true
}

// matchGlob tells whether a name matches a pattern of *, ? and text from its
// first letter to its last.
func matchGlob(pattern, name string) bool {
	star, from := -1, 0 // the last star, and where its text began
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			n += runeLen(name[n])
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// runeLen is how many bytes the character has that starts with b.
func runeLen(b byte) int {
	switch {
	case b < 0xc0:
		return 1
	case b < 0xe0:
		return 2
	case b < 0xf0:
		return 3
	}
	return 4
}

// pattern is a regular expression over names in lower case.
type pattern struct {
	re *regexp.Regexp
	// must is text that every match holds; it is found much faster.
	must string
}

func compile(s string) (*pattern, error) {
	tree, err := syntax.Parse(s, syntax.Perl|syntax.FoldCase)
	if err != nil {
		return nil, err
	}
	fold(tree)
	re, err := regexp.Compile(tree.String())
	if err != nil {
		return nil, err
	}
	return &pattern{re, literal(tree)}, nil
}

func (p *pattern) match(key string) bool {
	return strings.Contains(key, p.must) && p.re.MatchString(key)
}

// fold makes an expression without regard to case one over lower-case text. A
// plain part that is free in its case is searched letter by letter, which is
// many times slower than text.
func fold(t *syntax.Regexp) {
	if t.Op == syntax.OpLiteral {
		t.Flags &^= syntax.FoldCase
		for i, r := range t.Rune {
			t.Rune[i] = unicode.ToLower(r)
		}
	}
	for _, sub := range t.Sub {
		fold(sub)
	}
}

// literal is the longest text that must stand in every match.
func literal(t *syntax.Regexp) string {
	switch t.Op {
	case syntax.OpLiteral:
		return string(t.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return literal(t.Sub[0])
	case syntax.OpConcat:
		best := ""
		for _, sub := range t.Sub {
			if s := literal(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}
