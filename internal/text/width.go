package text

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of terminal cells that s, which is one line, takes.
// Colours take none.
func Width(s string) int {
	if n, ok := cells(s); ok {
		return n
	}
	return ansi.StringWidth(s)
}

// Truncate is s cut to at most width cells, with … at its end where something
// was cut. It keeps colours whole.
func Truncate(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if Width(s) <= width {
		return s
	}
	if plain(s) {
		return s[:width-1] + "…"
	}
	return ansi.Truncate(s, width, "…")
}

// Pad is s in exactly width cells: truncated, or filled with spaces.
func Pad(s string, width int) string {
	s = Truncate(s, width)
	if n := width - Width(s); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}

// PadLeft is Pad with the spaces before s, for columns of numbers.
func PadLeft(s string, width int) string {
	s = Truncate(s, width)
	if n := width - Width(s); n > 0 {
		s = strings.Repeat(" ", n) + s
	}
	return s
}

// Cut is the cells of s from left up to and without right, for a pane that
// scrolls sideways. It keeps colours whole; a wide character on either edge is
// left out.
func Cut(s string, left, right int) string {
	left = max(left, 0)
	if right <= left {
		return ""
	}
	if plain(s) {
		return s[min(left, len(s)):min(right, len(s))]
	}
	return ansi.Cut(s, left, right)
}

// Wrap breaks s into lines of at most width cells, between words where it can.
// Lines that it already has stay.
func Wrap(s string, width int) []string {
	if width < 1 {
		width = 1
	}
	return strings.Split(ansi.Wrap(s, width, ""), "\n")
}
