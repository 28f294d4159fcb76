package web

import (
	"strings"
	"unicode"
)

// OneLine makes text of a server fit into one line of an error: no control
// characters, at most 300 characters.
func OneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	return Cut(s, 300)
}

// Cut shortens text to at most n characters.
func Cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
