package logfile

import (
	"bytes"
	"errors"
	"io"
)

// span is one line of a log: its bytes with the line break, and where it
// starts. The bytes are valid until the reader goes on.
type span struct {
	off  int64
	data []byte
}

func (s span) end() int64 { return s.off + int64(len(s.data)) }

// readAt fills p from off up to size and says how much there was; a file that
// became shorter is no error.
func readAt(r io.ReaderAt, p []byte, off, size int64) ([]byte, error) {
	if off >= size || len(p) == 0 {
		return p[:0], nil
	}
	if n := size - off; int64(len(p)) > n {
		p = p[:n]
	}
	n, err := r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return p[:n], err
	}
	return p[:n], nil
}

// lineReader walks through the lines of a log, forward.
type lineReader struct {
	r    io.ReaderAt
	size int64
	off  int64 // of buf[pos]
	buf  []byte
	mem  []byte
	pos  int
	err  error
}

// linesFrom reads from off, the start of a line.
func linesFrom(r io.ReaderAt, off, size int64) *lineReader {
	return &lineReader{r: r, off: off, size: size}
}

// next is the next line, false at the end or when reading failed.
func (l *lineReader) next() (span, bool) {
	seen := 0 // bytes of this line already searched for its end
	for {
		rest := l.buf[l.pos:]
		limit := l.breakAfter(len(rest))
		if i := bytes.IndexByte(rest[min(seen, len(rest)):], '\n'); i >= 0 && (limit == 0 || seen+i < limit) {
			return l.take(seen + i + 1), true
		}
		if limit > 0 {
			return l.take(limit), true
		}
		seen = len(rest)
		if !l.fill() {
			if len(rest) == 0 {
				return span{}, false
			}
			return l.take(len(l.buf) - l.pos), true
		}
	}
}

// breakAfter is how long the line that starts here may be, given that it holds
// no line break: up to the first border that has a whole block of it before.
// It is 0 when that lies behind the first n bytes.
func (l *lineReader) breakAfter(n int) int {
	border := (l.off+block-1)/block*block + block
	if border >= l.size || border-l.off > int64(n) {
		return 0
	}
	return int(border - l.off)
}

func (l *lineReader) take(n int) span {
	s := span{off: l.off, data: l.buf[l.pos : l.pos+n]}
	l.pos += n
	l.off += int64(n)
	return s
}

// fill reads more behind what is there, false when there is no more.
func (l *lineReader) fill() bool {
	if l.err != nil {
		return false
	}
	if l.mem == nil {
		// Small first: a line or a screenful is asked for more often than all.
		l.mem = make([]byte, 8<<10)
	}
	have := copy(l.mem, l.buf[l.pos:])
	if have == len(l.mem) || have > len(l.mem)/2 {
		bigger := make([]byte, 2*len(l.mem))
		copy(bigger, l.mem[:have])
		l.mem = bigger
	}
	got, err := readAt(l.r, l.mem[have:], l.off+int64(have), l.size)
	l.err = err
	l.buf, l.pos = l.mem[:have+len(got)], 0
	return len(got) > 0
}

// lineStart is the start of the line that holds the byte at off; the end of the
// file belongs to its last line unless a line break is the last byte.
func lineStart(r io.ReaderAt, off, size int64) (int64, error) {
	off = max(min(off, size), 0)
	buf := make([]byte, 4<<10)
	at := off
	for at > 0 {
		if off-at > 64<<10 && len(buf) < 64<<10 {
			buf = make([]byte, 64<<10)
		}
		// Never across a block border in one step, so that borders are seen.
		from := max(at-int64(len(buf)), (at-1)/block*block)
		got, err := readAt(r, buf[:at-from], from, size)
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(got, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		// The block [from, from+block) may be without any line break; then
		// there is one at its end, if we come from behind it.
		if from%block == 0 && from+block <= off && from+block < size {
			return from + block, nil
		}
		at = from
	}
	return 0, nil
}
