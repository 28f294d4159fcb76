package filter

import (
	"strings"
	"unicode"
)

// piece is one condition as it was typed.
type piece struct {
	not        bool
	name       string // empty: a word
	op         string
	value      string
	quoted     bool // the value was in quotes: no list, no range
	at         int  // where it begins, in bytes
	incomplete bool // somebody is still typing
}

// operators, longest first.
var operators = []string{">=", "<=", "!=", ">", "<", "=", ":"}

// split takes a query apart. It accepts everything.
func split(s string) []piece {
	var out []piece
	for i := 0; i < len(s); {
		r := rune(s[i])
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			i++
			continue
		}
		var p piece
		p, i = one(s, i)
		if p.name != "" || p.value != "" || p.incomplete {
			out = append(out, p)
		}
	}
	return out
}

// one reads the piece that begins at i, and says where the next may begin.
func one(s string, i int) (piece, int) {
	p := piece{at: i}
	if (s[i] == '-' || s[i] == '!') && i+1 < len(s) && s[i+1] != ' ' {
		// A number below zero is a word, not a condition turned around.
		if s[i] == '!' || s[i+1] != '.' && (s[i+1] < '0' || s[i+1] > '9') {
			p.not = true
			i++
		}
	}
	head, quoted, closed, i := word(s, i, true)
	op := operatorAt(s, i)
	if op == "" || head == "" && !quoted {
		// What begins with an operator is a word, as in ">" alone.
		rest, q, _, next := word(s, i, false)
		p.value, p.quoted = head+rest, quoted || q
		p.incomplete = !closed && quoted && p.value == ""
		return p, max(next, i)
	}
	if op == ":" && strings.HasPrefix(s[i:], "://") {
		rest, _, _, next := word(s, i, false)
		p.value, p.quoted = head+rest, true
		return p, next
	}
	p.name, p.op = strings.ToLower(head), op
	i += len(op)
	if i < len(s) {
		p.value, p.quoted, _, i = word(s, i, false)
	}
	p.incomplete = p.value == "" && !p.quoted
	return p, i
}

// word reads up to a blank outside quotes, or up to an operator where one ends
// it. Quotes are taken away; closed is false where the last one is missing.
func word(s string, i int, operator bool) (text string, quoted, closed bool, next int) {
	var b strings.Builder
	closed = true
	for i < len(s) {
		c := s[i]
		switch {
		case c == '"':
			quoted, closed = true, !closed
			i++
			continue
		case !closed:
		case c < 0x80 && unicode.IsSpace(rune(c)):
			return b.String(), quoted, closed, i
		case operator && operatorAt(s, i) != "":
			return b.String(), quoted, closed, i
		}
		b.WriteByte(c)
		i++
	}
	return b.String(), quoted, closed, i
}

func operatorAt(s string, i int) string {
	for _, op := range operators {
		if strings.HasPrefix(s[i:], op) {
			return op
		}
	}
	return ""
}
