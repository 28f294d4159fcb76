package logfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/cytorun/cytorun/internal/text"
)

// Cap reads a log of size bytes: all of it when it has at most head+tail bytes,
// else about its first head and last tail bytes, cut at line breaks, with one
// line between them that says how much is left out.
func Cap(r io.ReaderAt, size, head, tail int64) io.Reader {
	head, tail = max(head, 0), max(tail, 0)
	if size <= head+tail {
		return io.NewSectionReader(r, 0, size)
	}
	from := size - tail
	head = lineBefore(r, head)
	from = lineAfter(r, from, size)
	note := fmt.Sprintf("\n[... %s left out ...]\n", text.Bytes(from-head))
	if endsLine(r, head) {
		note = note[1:]
	}
	return io.MultiReader(io.NewSectionReader(r, 0, head), bytes.NewReader([]byte(note)), io.NewSectionReader(r, from, size-from))
}

// near is how far from the wanted place a line break is looked for.
const near = 4096

// lineBefore is behind the last line break shortly before off, or off.
func lineBefore(r io.ReaderAt, off int64) int64 {
	from := max(off-near, 0)
	b, _ := readAt(r, make([]byte, off-from), from, off)
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		return from + int64(i) + 1
	}
	return off
}

// lineAfter is behind the first line break shortly after off, or off.
func lineAfter(r io.ReaderAt, off, size int64) int64 {
	b, _ := readAt(r, make([]byte, near), off, size)
	if i := bytes.IndexByte(b, '\n'); i >= 0 && off+int64(i)+1 < size {
		return off + int64(i) + 1
	}
	return off
}

func endsLine(r io.ReaderAt, off int64) bool {
	if off == 0 {
		return true
	}
	b, _ := readAt(r, make([]byte, 1), off-1, off)
	return len(b) == 1 && b[0] == '\n'
}
