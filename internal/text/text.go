// Package text makes untrusted text safe and steady to show in a terminal.
//
// Names, descriptions, error messages and logs come from servers, registries
// and programs that we do not control. Domain types keep their bytes as they
// came; whoever shows them passes them through this package first:
//
//   - Line for a table cell, a title or an error: exactly one line;
//   - Block for text of several lines, HTML for descriptions with markup;
//   - SGR for a line of a log, which keeps its colours and nothing else.
//
// What these functions return holds no control character, no escape sequence
// (but SGR's colours), no direction override and nothing invisible that would
// make two different names look alike. They are idempotent. All widths are in
// terminal cells, and this package is the only one that measures them.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one character. Real scripts
// use up to four; more of them paint over the lines above and below.
const maxMarks = 4

// Line is s on one line. Line breaks and tabs become a space, other control
// characters their pictures (␛ for ESC), direction overrides and invalid UTF-8
// the replacement character, and invisible characters are left out.
func Line(s string) string {
	if plain(s) {
		return s
	}
	var b builder
	for i := 0; i < len(s); {
		r, n := next(s[i:])
		i += n
		if breaks(r) || r == '\t' {
			r = ' '
		}
		b.put(r)
	}
	return b.String()
}

// Block is s with its line breaks, which all become "\n", and with tabs
// expanded to the next multiple of eight cells; each line is as Line makes it.
func Block(s string) string {
	if plain(s) {
		return s
	}
	var b builder
	for i := 0; i < len(s); {
		r, n := next(s[i:])
		i += n
		switch {
		case breaks(r):
			b.newline()
		case r == '\t':
			b.tab()
		default:
			b.put(r)
		}
	}
	return b.String()
}

// plain tells whether s is printable ASCII only, the common case.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// next decodes the first character of s, "\r\n" as one line break.
func next(s string) (r rune, n int) {
	if strings.HasPrefix(s, "\r\n") {
		return '\n', 2
	}
	return utf8.DecodeRuneInString(s)
}

// breaks tells whether r ends a line for any common reader of text.
func breaks(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// builder collects safe characters of one or more lines.
type builder struct {
	strings.Builder
	stop  int // where the present line or its last tab stop starts
	marks int // combining marks after the last character
	base  bool
}

// newline starts a line.
func (b *builder) newline() {
	b.WriteByte('\n')
	b.stop, b.marks, b.base = b.Len(), 0, false
}

// tab goes to the next multiple of eight cells.
func (b *builder) tab() {
	col := Width(b.String()[b.stop:])
	b.WriteString("        "[col%8:])
	b.stop, b.marks, b.base = b.Len(), 0, true
}

// put adds what may be shown of r, which is no line break.
func (b *builder) put(r rune) {
	r = visible(r)
	if r < 0 {
		return
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		if b.marks >= maxMarks {
			return
		}
		if !b.base {
			// A mark without its letter would attach to what stands before
			// this text on the screen.
			b.WriteRune('◌')
			b.base = true
		}
		b.marks++
	} else {
		b.marks, b.base = 0, true
	}
	b.WriteRune(r)
}

// visible is the character to show for r, or -1 for none.
func visible(r rune) rune {
	switch {
	case r >= ' ' && r < 0x7f:
		return r
	case r < ' ':
		return 0x2400 + r // control pictures
	case r == 0x7f:
		return 0x2421
	case r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return utf8.RuneError // C1, and what reorders the text around it
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return ' ' // letters that look like nothing
	case r == 0x34f, r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef:
		return -1 // joiners and variants: terminals disagree on their width
	case r == 0x17b4, r == 0x17b5:
		return -1 // vowels that are never shown
	case r >= 0xe0000 && r <= 0xe0fff, unicode.Is(unicode.Cf, r):
		return -1
	case unicode.Is(unicode.Zs, r):
		return ' '
	case r == 0x2028, r == 0x2029:
		return ' '
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
		return utf8.RuneError
	}
	return r
}
