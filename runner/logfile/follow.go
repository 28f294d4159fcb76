package logfile

import (
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// maxFollow bounds how many lines one error may have.
const maxFollow = 2000

// peek reads lines ahead and remembers where the last wanted one ended.
type peek struct {
	in     *lineReader
	prefix string
	left   int
	end    int64 // behind the last line given
}

// line is the next line without what stands before each line of this error,
// such as "[rank0]: ". complete is false for a line that has no end yet.
func (p *peek) line() (s string, complete, ok bool) {
	if p.left == 0 {
		return "", true, false
	}
	p.left--
	sp, ok := p.in.next()
	if !ok {
		return "", false, false
	}
	p.end = sp.end()
	s = lineText(sp.data)
	s, _ = strings.CutPrefix(s, p.prefix)
	return s, sp.data[len(sp.data)-1] == '\n', true
}

// lineText is a line for reading, without colours or its end, cut where no
// person reads on.
func lineText(data []byte) string {
	const most = 4096
	s := string(data[:min(len(data), most)])
	s = strings.TrimRight(s, "\r\n")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 {
		s = s[i+1:]
	}
	return text.Strip(s)
}

func indented(s string) bool { return s != "" && (s[0] == ' ' || s[0] == '\t') }

// followPython reads a traceback to the line that names the exception, and on
// through the exceptions it was raised from. It is whole when a line that is
// not part of it was seen, or cannot follow.
func followPython(first string, rest *lineReader) (end int64, said string, whole bool) {
	p := &peek{in: rest, left: maxFollow, end: rest.off}
	if i := strings.Index(first, "Traceback (most"); i > 0 && strings.HasSuffix(strings.TrimRight(first[:i], " "), ":") {
		p.prefix = first[:i]
	}
	// An exception group is drawn with bars: "  | ValueError: x (2 sub-exceptions)".
	group := strings.Contains(first, "Exception Group Traceback")
	end = rest.off
	inside := true
	for {
		s, complete, ok := p.line()
		if !ok {
			return end, said, p.left == 0
		}
		bare := strings.TrimSpace(s)
		switch {
		case group:
			if !strings.HasPrefix(bare, "|") && !strings.HasPrefix(bare, "+") {
				return end, said, true
			}
			if inner := strings.TrimPrefix(bare, "| "); said == "" && !indented(inner) && inner != bare && strings.Contains(inner, "Group") {
				said = inner
			}
			end = p.end
		case strings.Contains(s, "Traceback (most recent call last)"):
			inside, end = true, p.end
		case inside && (indented(s) || bare == ""):
			end = p.end
		case inside:
			said, inside, end = bare, false, p.end
			if !complete {
				return end, said, false
			}
		case bare == "" || bare == `"""`,
			strings.HasPrefix(s, "During handling of the above exception"),
			strings.HasPrefix(s, "The above exception was the direct cause"):
			// Part of it only if another traceback follows: end stays.
		default:
			return end, said, true
		}
	}
}

// followJava reads the frames and causes of an exception.
func followJava(first string, rest *lineReader) (end int64, said string, whole bool) {
	p := &peek{in: rest, left: maxFollow}
	end = rest.off
	for {
		s, complete, ok := p.line()
		if !ok {
			return end, said, p.left == 0
		}
		t := strings.TrimSpace(s)
		switch {
		case indented(s) && (strings.HasPrefix(t, "at ") || strings.HasPrefix(t, "...") || strings.HasPrefix(t, "Suppressed:")):
		case strings.HasPrefix(t, "Caused by: "):
			said = t
		default:
			return end, said, true
		}
		end = p.end
		if !complete {
			return end, said, false
		}
	}
}

// followGo reads a panic's goroutines.
func followGo(first string, rest *lineReader) (end int64, said string, whole bool) {
	p := &peek{in: rest, left: maxFollow}
	end = rest.off
	for {
		s, complete, ok := p.line()
		if !ok {
			return end, said, p.left == 0
		}
		t := strings.TrimSpace(s)
		switch {
		case t == "":
			continue // part of it only if more follows
		case strings.HasPrefix(t, "goroutine ") && strings.HasSuffix(t, ":"),
			strings.HasPrefix(s, "\t"), strings.HasPrefix(s, "        "), // tabs are expanded
			strings.HasPrefix(t, "["), strings.HasPrefix(t, "panic: "),
			strings.HasPrefix(t, "created by "), strings.HasPrefix(t, "exit status "),
			strings.HasSuffix(t, ")") && strings.Contains(t, "("):
		default:
			return end, said, true
		}
		end = p.end
		if !complete {
			return end, said, false
		}
	}
}
