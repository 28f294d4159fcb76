package logfile

import (
	"bytes"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// maxRow is how much of one row is kept for showing, in bytes. What is cut can
// be had with Log.Bytes.
const maxRow = 64 << 10

// maxUp is how many rows a bar may go up; programs with more are not drawing
// bars.
const maxUp = 100

// rows is what a terminal shows after these bytes: carriage returns and cursor
// movement up and down let programs write over what they wrote, as progress
// bars do. states counts how often something was written over, from 1 on. Rows
// keep their colours and are safe to show.
func rows(data []byte) (out []string, states int) {
	if bytes.IndexByte(data, '\r') < 0 && !hasUp(data) {
		return []string{shown(bytes.TrimSuffix(data, []byte{'\n'})[:min(len(data), maxRow+1)-suffix(data)])}, 1
	}
	t := terminal{states: 1, fresh: true}
	t.write(data)
	for _, r := range t.rows {
		out = append(out, shown(r))
	}
	// The line break behind the last row starts no row of its own.
	for len(out) > 1 && strings.TrimSpace(out[len(out)-1]) == "" {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out, t.states
}

// shown is a row without anything that could harm. Where it was cut inside an escape
// sequence, what there is of that is left out.
func shown(row []byte) string {
	if esc := bytes.LastIndexByte(row[max(len(row)-longestEscape, 0):], 0x1b); esc >= 0 {
		esc += max(len(row)-longestEscape, 0)
		if n, _, _ := csi(append(row[esc+1:len(row):len(row)], 'm')); n == len(row)-esc {
			row = row[:esc]
		}
	}
	return text.SGR(string(row))
}

// suffix is 1 if data ends with a line break that fits before maxRow.
func suffix(data []byte) int {
	if n := len(data); n > 0 && n <= maxRow+1 && data[n-1] == '\n' {
		return 1
	}
	if len(data) > maxRow {
		return 1
	}
	return 0
}

// terminal is as much of one as progress bars need.
type terminal struct {
	rows   [][]byte
	at     int  // the row of the cursor
	fresh  bool // the cursor is at its start: writing replaces the row
	held   []byte
	states int
}

// write takes whole escape sequences only; what is no movement is kept for
// text.SGR to judge.
func (t *terminal) write(data []byte) {
	for len(data) > 0 {
		i := bytes.IndexAny(data, "\n\r\x1b")
		if i < 0 {
			t.put(data)
			return
		}
		t.put(data[:i])
		c := data[i]
		data = data[i+1:]
		switch c {
		case '\n':
			t.down(1)
			t.fresh = true
		case '\r':
			t.fresh = true
		default:
			n, arg, final := csi(data)
			switch final {
			case 'A', 'F':
				t.at = max(t.at-min(max(arg, 1), maxUp), 0)
				t.fresh = t.fresh || final == 'F'
			case 'B', 'E':
				t.down(min(max(arg, 1), maxUp))
				t.fresh = t.fresh || final == 'E'
			case 'G':
				t.fresh = arg <= 1
			case 'K':
				if t.fresh || arg == 2 {
					t.clear()
				}
			default:
				// Colours wait for what is written in them.
				t.held = append(append(t.held, 0x1b), data[:n]...)
				if !t.fresh {
					t.append(nil)
				}
			}
			data = data[n:]
		}
	}
}

// longestEscape is how long an escape sequence may be.
const longestEscape = 64

// csi reads the sequence behind an ESC: its length, first number and final
// byte. Of anything else the length is 0.
func csi(s []byte) (n, arg int, final byte) {
	if len(s) < 2 || s[0] != '[' {
		return 0, 0, 0
	}
	first := true
	for i := 1; i < len(s) && i < longestEscape; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if first {
				arg = min(arg*10+int(c-'0'), 1<<20)
			}
		case c >= 0x20 && c <= 0x3f:
			first = false
		case c >= 0x40 && c <= 0x7e:
			return i + 1, arg, c
		default:
			return 0, 0, 0
		}
	}
	return 0, 0, 0
}

func (t *terminal) down(n int) {
	t.at += n
	if t.at > 4*maxUp {
		// Nobody reads on here; keep the last rows.
		drop := min(t.at-4*maxUp, len(t.rows))
		t.rows = t.rows[drop:]
		t.at -= drop
	}
}

func (t *terminal) row() *[]byte {
	for len(t.rows) <= t.at {
		t.rows = append(t.rows, nil)
	}
	return &t.rows[t.at]
}

func (t *terminal) clear() { *t.row() = nil }

// put writes text at the cursor.
func (t *terminal) put(s []byte) {
	if len(s) == 0 {
		return
	}
	if r := t.row(); t.fresh && len(*r) > 0 {
		*r = (*r)[:0]
		t.states++
	}
	t.fresh = false
	t.append(s)
}

// append adds the colours that wait, and s.
func (t *terminal) append(s []byte) {
	r := t.row()
	s = append(t.held, s...)
	t.held = t.held[:0]
	*r = append(*r, s[:min(len(s), max(maxRow-len(*r), 0))]...)
}

// hasUp tells whether the cursor goes up anywhere in data.
func hasUp(data []byte) bool {
	for {
		i := bytes.IndexByte(data, 0x1b)
		if i < 0 {
			return false
		}
		data = data[i+1:]
		if n, _, final := csi(data); n > 0 && (final == 'A' || final == 'F') {
			return true
		}
	}
}
