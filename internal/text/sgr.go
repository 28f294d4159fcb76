package text

import (
	"strings"
)

// SGR is one line of a program's output with its colours: of all escape
// sequences only "select graphic rendition" stays, without blinking and
// concealed text, and is reset at the end of the line. Other sequences are
// dropped whole, so that nothing of them is left to read; everything else is
// as Line makes it, with tabs expanded. A sequence that never ends loses only
// its introducer: output must not be able to hide the rest of a line.
func SGR(s string) string {
	if plain(s) {
		return s
	}
	var b builder
	coloured := false
	for i := 0; i < len(s); {
		if s[i] == 0x1b {
			n, params, sgr := escape(s[i:])
			i += n
			if sgr {
				if p, ok := colours(params); ok {
					b.WriteString("\x1b[" + p + "m")
					coloured = !resets(p)
				}
			}
			continue
		}
		r, n := next(s[i:])
		i += n
		switch {
		case breaks(r):
			b.put(' ')
		case r == '\t':
			b.tab()
		default:
			b.put(r)
		}
	}
	if coloured {
		b.WriteString("\x1b[m")
	}
	return b.String()
}

// Strip is SGR without the colours.
func Strip(s string) string {
	if plain(s) {
		return s
	}
	s = SGR(s)
	if !strings.Contains(s, "\x1b") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == 0x1b {
			n, _, _ := escape(s[i:])
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// escape measures the escape sequence at the start of s (ECMA-48): CSI and
// two-character sequences to their final byte, control strings (OSC, DCS, SOS,
// PM, APC) to their terminator. sgr tells that it is a plain CSI ... m.
func escape(s string) (n int, params string, sgr bool) {
	if len(s) < 2 {
		return len(s), "", false
	}
	switch c := s[1]; {
	case c == '[':
		i := 2
		for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
			i++
		}
		if i == len(s) || s[i] < 0x40 || s[i] > 0x7e {
			return 2, "", false // broken off: show the rest
		}
		return i + 1, s[2:i], s[i] == 'm'
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		for i := 2; i < len(s); i++ {
			switch {
			case s[i] == 0x07 && c == ']':
				return i + 1, "", false
			case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
				return i + 2, "", false
			case s[i] == 0x1b || s[i] == '\n' || s[i] == 0x18 || s[i] == 0x1a:
				return i, "", false // cancelled
			}
		}
		return 2, "", false
	case c >= 0x20 && c <= 0x2f: // intermediate bytes, then a final one
		i := 2
		for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
			i++
		}
		if i < len(s) && s[i] >= 0x30 && s[i] <= 0x7e {
			return i + 1, "", false
		}
		return 2, "", false
	case c >= 0x30 && c <= 0x7e:
		return 2, "", false
	}
	return 1, "", false
}

// colours checks the parameters of an SGR sequence and leaves out blinking and
// concealing. ok is false where nothing is left or they are no parameters.
func colours(params string) (string, bool) {
	if len(params) > 64 {
		return "", false
	}
	if strings.Trim(params, "0123456789;:") != "" {
		return "", false
	}
	if params == "" {
		return "", true
	}
	in := strings.Split(params, ";")
	var out []string
	for i := 0; i < len(in); i++ {
		n := 1
		switch in[i] {
		case "5", "6", "8":
			continue
		case "38", "48", "58": // a colour by number or by components
			if i+1 < len(in) && in[i+1] == "5" {
				n = 3
			} else if i+1 < len(in) && in[i+1] == "2" {
				n = 5
			}
			if n == 1 || i+n > len(in) {
				return "", false
			}
		default:
			if strings.Contains(in[i], ":") && !strings.HasPrefix(in[i], "38:") && !strings.HasPrefix(in[i], "48:") && !strings.HasPrefix(in[i], "58:") && !strings.HasPrefix(in[i], "4:") {
				continue
			}
		}
		// Leading zeros would smuggle a code past the comparison above.
		if n == 1 && len(in[i]) > 1 && in[i][0] == '0' {
			continue
		}
		out = append(out, in[i:i+n]...)
		i += n - 1
	}
	if len(out) == 0 {
		return "", false
	}
	return strings.Join(out, ";"), true
}

// resets tells whether nothing is coloured after these parameters.
func resets(params string) bool {
	return params == "" || params == "0" || strings.HasSuffix(params, ";0") && !strings.Contains(params, "8")
}
