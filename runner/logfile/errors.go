package logfile

import (
	"bytes"
	"io"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// Error is one error that a log tells of; a traceback is one.
type Error struct {
	Offset int64 // start of its first line
	End    int64 // behind its last line
	Kind   Kind
	// Text is the line that says most: of a traceback the last one.
	Text   string
	weight weight
}

// maxText is how much of an error's line is kept, in cells.
const maxText = 500

// scanErrors finds the errors of a log from from, the start of a line, up to
// size, and calls emit for each until that returns false. The end of the log is
// taken as it is; resume is where to look again when it has grown: the start of
// an error or a line that may not be whole yet.
func scanErrors(r io.ReaderAt, from, size int64, emit func(Error) bool) (resume int64, err error) {
	buf := make([]byte, min(block, max(size-from, 0)))
	for at := from; at < size; {
		data, err := readAt(r, buf, at, size)
		if err != nil || len(data) == 0 {
			return at, err
		}
		// Whole lines only. One that is longer than the buffer is looked at in
		// parts, which is as good for finding words.
		if n := bytes.LastIndexByte(data, '\n') + 1; at+int64(len(data)) < size && n > 0 {
			data = data[:n]
		} else if at+int64(len(data)) >= size {
			resume = at + int64(n)
		}
		next := at + int64(len(data))
		for i := 0; i < len(data); {
			hit := errorSigns().next(data, i)
			if hit < 0 {
				break
			}
			start := i + bytes.LastIndexByte(data[i:hit], '\n') + 1
			stop := len(data)
			if j := bytes.IndexByte(data[hit:], '\n'); j >= 0 {
				stop = hit + j + 1
			}
			i = stop
			e, ok, whole := judge(r, at+int64(start), data[start:stop], size)
			if !ok {
				continue
			}
			if !emit(e) {
				return e.End, nil
			}
			if !whole {
				return e.Offset, nil
			}
			if e.End > next {
				next = e.End
				break
			}
			i = max(i, int(e.End-at))
		}
		at = next
	}
	if resume < from || resume > size {
		resume = size
	}
	return resume, nil
}

// judge looks at one line, and at those after it that belong to it. whole is
// false when the log ends before one can be sure of that.
func judge(r io.ReaderAt, off int64, line []byte, size int64) (e Error, ok, whole bool) {
	end := off + int64(len(line))
	var best verdict
	var follow bool
	// A progress bar writes over itself, and errors hide between its states.
	for rest := line; len(rest) > 0; {
		part := rest
		if i := bytes.IndexByte(rest, '\r'); i >= 0 {
			part = rest[:i+1]
		}
		rest = rest[len(part):]
		s := lineText(bytes.TrimRight(part, "\r\n"))
		if errorSigns().next([]byte(s), 0) < 0 {
			continue
		}
		if v, is := classify(s); is && (!ok || v.weight > best.weight) {
			best, ok = v, true
			follow = len(bytes.TrimRight(rest, "\r\n")) == 0
		}
	}
	if !ok {
		return Error{}, false, true
	}
	whole = true
	if best.follow != nil && follow {
		var said string
		if end, said, whole = best.follow(best.text, linesFrom(r, end, size)); said != "" {
			best.text = said
		}
	}
	return Error{Offset: off, End: end, Kind: best.kind, Text: clip(best.text), weight: best.weight}, true, whole
}

// clip is a line that is safe to show and to keep.
func clip(s string) string {
	return text.Truncate(text.Line(strings.TrimSpace(s)), maxText)
}

// edge is how much of either end of a log FirstError reads.
const edge = 16 << 20

// FirstError is the line that tells best why a program failed: the last thing
// in the log that ends programs (an uncaught exception, a lack of memory, a
// signal), else what the shell or the batch system complained of last, else the
// first line at the level of an error. Of very long logs it reads the first and
// last 16 MiB. The line is safe to show.
func FirstError(r io.ReaderAt, size int64) (line string, ok bool) {
	var best Error
	look := func(e Error) bool {
		switch {
		case e.weight == noise:
		case !ok, e.weight > best.weight, e.weight == best.weight && e.weight > logged:
			best, ok = e, true
		}
		return true
	}
	parts := [][2]int64{{0, size}}
	if size > 2*edge {
		parts = [][2]int64{{0, edge}, {size - edge, size}}
	}
	for _, p := range parts {
		from := p[0]
		if from > 0 {
			if s, err := lineStart(r, from, size); err == nil {
				from = s
			}
		}
		if _, err := scanErrors(r, from, p[1], look); err != nil {
			break
		}
	}
	return withoutTime(best.Text), ok && best.Text != ""
}

// withoutTime drops the date and time that loggers put before a line: whoever
// reads why a run failed knows when it did.
func withoutTime(line string) string {
	colon, cut := false, 0
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c >= 'a' && c <= 'z' || c >= 0x80 || c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z' {
			break
		}
		colon = colon || c == ':' && i > 0 && line[i-1] >= '0' && line[i-1] <= '9'
		if c == ' ' || c == ']' {
			cut = i + 1
		}
	}
	if rest := strings.TrimLeft(line[cut:], " -"); colon && rest != "" {
		return rest
	}
	return line
}

// LastLine is the last line of a log that is not empty, of a progress bar its
// last state, safe to show.
func LastLine(r io.ReaderAt, size int64) (line string, ok bool) {
	const most = 256 << 10
	from := max(size-most, 0)
	buf, err := readAt(r, make([]byte, size-from), from, size)
	if err != nil {
		return "", false
	}
	for len(buf) > 0 {
		cut := bytes.LastIndexAny(buf, "\r\n")
		if s := strings.TrimSpace(text.Strip(string(buf[cut+1:]))); s != "" {
			return withoutTime(clip(s)), true
		}
		buf = buf[:max(cut, 0)]
	}
	return "", false
}
