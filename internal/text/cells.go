package text

import "unicode/utf8"

// cells is the width of a line of the screens: printable ASCII, colours, and the signs
// that screens draw. ok is false for anything else, which takes a careful reading that
// costs ten times as much.
func cells(s string) (width int, ok bool) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c >= ' ' && c <= '~':
			width++
			i++
		case c == 0x1b:
			n := colour(s[i:])
			if n == 0 {
				return 0, false
			}
			i += n
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if n == 1 || !sign(r) {
				return 0, false
			}
			width++
			i += n
		}
	}
	return width, true
}

// colour is the length of the sequence that sets colours at the start of s, 0 if another
// thing stands there.
func colour(s string) int {
	if len(s) < 3 || s[1] != '[' {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case (c < '0' || c > '9') && c != ';' && c != ':':
			return 0
		}
	}
	return 0
}

// sign tells whether a rune is one of those that screens draw themselves, each one cell
// wide: dashes and points, arrows, lines and blocks, marks, and what stands for control characters. None of them joins with what
// stands beside it.
func sign(r rune) bool {
	switch {
	case r >= 0x2010 && r <= 0x2027, r == '‹', r == '›', r == '·', r == '×', r == 'µ', r == '²', r == '±', r == '•':
		return true
	case r >= 0x2190 && r <= 0x2193, r == '≠', r == '≤', r == '≥':
		return true
	case r >= 0x2500 && r <= 0x259f, r == '■', r == '□', r == '▴', r == '▾', r == '◆', r == '◇', r == '○', r == '●':
		return true
	}
	return r == '★' || r == '☆' || r == '✓' || r == '✗' || r >= 0x2800 && r <= 0x28ff || r >= 0x2400 && r <= 0x2426 || r == '\ufffd'
}
