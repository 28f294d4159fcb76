package logfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cytorun/cytorun/internal/text"
)

// Pattern is what is searched for, in one line at a time. Colours and other
// escape sequences in a log do not hide a match.
type Pattern struct {
	// must is a text that each matching line holds, lower case if fold is set;
	// it is all of the pattern when re is nil. Empty: nothing is known.
	must []byte
	fold bool
	re   *regexp.Regexp
}

// Literal searches for text as it is. Without regard to case only letters of
// ASCII are compared fast; others work as well.
func Literal(s string, ignoreCase bool) (*Pattern, error) {
	if s == "" {
		return nil, fmt.Errorf("nothing to search for")
	}
	if strings.ContainsAny(s, "\n\r") {
		return nil, fmt.Errorf("a search text is one line")
	}
	if !ignoreCase {
		return &Pattern{must: []byte(s)}, nil
	}
	if isASCII(s) {
		return &Pattern{must: lower([]byte(s)), fold: true}, nil
	}
	return Regexp(regexp.QuoteMeta(s), true)
}

// Regexp searches for a regular expression of Go's kind (RE2).
func Regexp(expr string, ignoreCase bool) (*Pattern, error) {
	if expr == "" {
		return nil, fmt.Errorf("nothing to search for")
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		why := strings.TrimPrefix(text.Line(err.Error()), "error parsing regexp: ")
		return nil, fmt.Errorf("search expression: %s; \\ before a sign means just that sign", why)
	}
	if ignoreCase {
		expr = "(?i)" + expr
		if re, err = regexp.Compile(expr); err != nil {
			return nil, fmt.Errorf("search expression: %s", text.Line(err.Error()))
		}
	}
	p := &Pattern{re: re}
	if tree, err := syntax.Parse(expr, syntax.Perl); err == nil {
		lit, fold := required(tree.Simplify())
		if len(lit) > 1 && isASCII(lit) {
			p.must, p.fold = []byte(lit), fold
			if fold {
				p.must = lower(p.must)
			}
		}
	}
	return p, nil
}

// required is the longest text that every match of a regular expression holds.
func required(re *syntax.Regexp) (lit string, fold bool) {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		return s, re.Flags&syntax.FoldCase != 0 && strings.ContainsFunc(s, isLetter)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if l, f := required(sub); len(l) > len(lit) {
				lit, fold = l, f
			}
		}
	}
	return lit, fold
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lower makes ASCII letters small, in place.
func lower(b []byte) []byte { return lowerInto(b, b) }

// lowerInto writes src with small ASCII letters over dst, eight at a time; dst may be
// src itself, and grows where it is too small.
func lowerInto(dst, src []byte) []byte {
	const ones = 0x0101010101010101
	dst = slices.Grow(dst[:0], len(src))[:len(src)]
	out := dst
	for ; len(src) >= 8 && len(out) >= 8; src, out = src[8:], out[8:] {
		w := binary.LittleEndian.Uint64(src)
		low := w &^ (0x80 * ones)
		// In each byte the top bit tells: at least 'A', more than 'Z', no ASCII.
		capital := ((low + (0x80-'A')*ones) ^ (low + (0x7f-'Z')*ones)) &^ w & (0x80 * ones)
		binary.LittleEndian.PutUint64(out, w|capital>>2)
	}
	for i, c := range src {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return dst
}

// matchStates tells whether an expression matches one line, or one state of a
// progress bar in it.
func (p *Pattern) matchStates(line []byte) bool {
	for {
		i := bytes.IndexByte(line, '\r')
		if i < 0 {
			return p.re.Match(line)
		}
		if p.re.Match(line[:i]) {
			return true
		}
		if line = line[i+1:]; len(line) == 0 {
			return false
		}
	}
}

// Spans are the places in a row of a Line that match, as byte offsets into it,
// for highlighting. The row may have colours.
func (p *Pattern) Spans(row string) [][2]int {
	plain, at := uncolour(row)
	var found [][]int
	switch {
	case p.re != nil:
		found = p.re.FindAllStringIndex(plain, 1000)
	default:
		hay := []byte(plain)
		if p.fold {
			hay = lower(hay)
		}
		for pos := 0; len(found) < 1000; {
			i := bytes.Index(hay[pos:], p.must)
			if i < 0 {
				break
			}
			found = append(found, []int{pos + i, pos + i + len(p.must)})
			pos += i + len(p.must)
		}
	}
	var out [][2]int
	for _, f := range found {
		if f[1] > f[0] {
			out = append(out, [2]int{at(f[0]), at(f[1]-1) + 1})
		}
	}
	return out
}

// uncolour is a row without its colours, and where each of its bytes stood.
func uncolour(row string) (plain string, at func(int) int) {
	if strings.IndexByte(row, 0x1b) < 0 {
		return row, func(i int) int { return i }
	}
	var b []byte
	var places []int
	for i := 0; i < len(row); i++ {
		if row[i] == 0x1b {
			if n, _, _ := csi([]byte(row[i+1 : min(len(row), i+80)])); n > 0 {
				i += n
				continue
			}
		}
		b = append(b, row[i])
		places = append(places, i)
	}
	return string(b), func(i int) int { return places[i] }
}
