package logfile

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sort"
)

// Line is one line of a log as a view shows it.
type Line struct {
	Offset, End int64 // its bytes
	// Rows are what to show: safe, with colours, tabs expanded. There is one,
	// but for progress bars of several rows.
	Rows []string
	// States is how many states of a progress bar are collapsed into Rows; 1
	// for everything else.
	States int
	// Match and Gap are for a filtered view: the line matches by itself, and
	// the lines before it are left out.
	Match, Gap bool
}

// View is a way to look at a log. The zero View shows all lines, progress bars
// as their last state.
type View struct {
	Expand  bool     // each state of a progress bar is a line
	Filter  *Pattern // only lines that match, nil for all
	Context int      // and so many lines before and after them
}

// Lines are up to n lines from from on, which is the start of a line of this
// view: 0, the End of an earlier one, or what Log.Start says. Fewer come at the
// end of the log, or when ctx ends a long search for what the filter wants.
func (l *Log) Lines(ctx context.Context, from int64, n int, v View) ([]Line, error) {
	r, size := l.now()
	switch {
	case v.Filter != nil:
		return l.filtered(ctx, from, size, n, v)
	case v.Expand:
		return expanded(r, from, size, n)
	}
	var out []Line
	for at := from; at < size && len(out) < n; {
		k := at / block
		units, err := l.units(r, k, size)
		if err != nil {
			return out, err
		}
		if units == nil {
			in := linesFrom(r, at, size)
			for at < size && at/block == k && len(out) < n {
				s, ok := in.next()
				if !ok {
					return out, in.err
				}
				out = append(out, collapsed(r, s.off, s.data))
				at = s.end()
			}
			continue
		}
		base := k * block
		i := sort.Search(len(units), func(i int) bool { return base+int64(units[i].end) > at })
		if i == len(units) {
			break // the log became shorter
		}
		for ; i < len(units) && len(out) < n; i++ {
			u := units[i]
			data, err := readAt(r, make([]byte, u.end-u.off), base+int64(u.off), size)
			if err != nil {
				return out, err
			}
			out = append(out, collapsed(r, base+int64(u.off), data))
			at = base + int64(u.end)
		}
	}
	return out, ctx.Err()
}

// Before are up to n lines that end at to or before it, in the order of the
// log. to is the start of a line of this view, or the end of the log.
func (l *Log) Before(ctx context.Context, to int64, n int, v View) ([]Line, error) {
	r, size := l.now()
	to = min(to, size)
	if v.Filter != nil {
		return l.filteredBefore(ctx, to, n, v)
	}
	var out []Line
	for end, step := to, int64(16<<10); end > 0 && len(out) < n; step = min(4*step, block) {
		from, err := l.unitStart(r, max(end-step, 0), size)
		if err != nil {
			return out, err
		}
		var part []Line
		for at := from; at < end; {
			some, err := l.Lines(ctx, at, 4096, v)
			if err != nil || len(some) == 0 {
				return out, err
			}
			for _, x := range some {
				if x.Offset < end {
					part = append(part, x)
				}
			}
			// Only the last n can be wanted.
			part = part[max(len(part)-n, 0):]
			at = some[len(some)-1].End
		}
		out = append(part, out...)
		end = from
	}
	return out[max(len(out)-n, 0):], ctx.Err()
}

func collapsed(r io.ReaderAt, off int64, data []byte) Line {
	rows, states := rows(data[begun(r, off, data):])
	return Line{Offset: off, End: off + int64(len(data)), Rows: rows, States: states}
}

// begun is how many bytes of a line end an escape sequence that the line before it
// began: lines without an end are broken at a border of blocks, wherever that falls.
func begun(r io.ReaderAt, off int64, data []byte) int {
	if off == 0 || off%block != 0 {
		return 0
	}
	before, err := readAt(r, make([]byte, min(off, longestEscape)), max(off-longestEscape, 0), off)
	if err != nil {
		return 0
	}
	esc := bytes.LastIndexByte(before, 0x1b)
	if esc < 0 {
		return 0
	}
	had := before[esc+1:]
	n, _, _ := csi(slices.Concat(had, data[:min(len(data), longestEscape)]))
	return max(n-len(had), 0)
}

// expanded splits lines at carriage returns too.
func expanded(r io.ReaderAt, from, size int64, n int) ([]Line, error) {
	var out []Line
	start, err := lineStart(r, from, size)
	if err != nil || from >= size {
		return nil, err
	}
	in := linesFrom(r, start, size)
	for len(out) < n {
		s, ok := in.next()
		if !ok {
			return out, in.err
		}
		for off, data := s.off, s.data; len(data) > 0 && len(out) < n; {
			cut := bytes.IndexByte(data, '\r') + 1
			if cut == 0 || len(bytes.Trim(data[cut:], "\r\n")) == 0 {
				cut = len(data)
			}
			if off >= from {
				state := bytes.TrimRight(data[min(begun(r, off, data), cut):cut], "\r\n")
				out = append(out, Line{Offset: off, End: off + int64(cut), Rows: []string{shown(state[:min(len(state), maxRow)])}, States: 1})
			}
			off += int64(cut)
			data = data[cut:]
		}
	}
	return out, nil
}
