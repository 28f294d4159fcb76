package logfile

import (
	"context"
	"io"
)

// filtered are the lines of a filtered view from from on.
func (l *Log) filtered(ctx context.Context, from, size int64, n int, v View) ([]Line, error) {
	r, _ := l.now()
	var out []Line
	at := from // behind the last line that was decided on
	after := 0 // lines still wanted after a match
	if v.Context > 0 && from > 0 {
		// A match shortly before from wants lines behind it.
		var err error
		if after, err = l.owed(ctx, r, from, size, v); err != nil {
			return nil, err
		}
	}
	for at < size && len(out) < n {
		hit, ok, err := l.Search(ctx, v.Filter, at, false, nil)
		if err != nil {
			return out, err
		}
		if !ok {
			hit = size
		}
		// Lines that the last match wants behind it.
		in := linesFrom(r, at, size)
		for after > 0 && at < hit && len(out) < n {
			s, ok := in.next()
			if !ok {
				return out, in.err
			}
			out = append(out, collapsed(r, s.off, s.data))
			at = s.end()
			after--
		}
		if !ok || len(out) == n {
			break
		}
		// Lines that this match wants before it.
		start, err := linesBack(r, hit, v.Context, size)
		if err != nil {
			return out, err
		}
		first := len(out)
		start = max(start, at)
		gap := start > at
		in = linesFrom(r, start, size)
		for len(out) < n {
			s, ok := in.next()
			if !ok {
				return out, in.err
			}
			x := collapsed(r, s.off, s.data)
			x.Match = s.off >= hit
			out = append(out, x)
			at = s.end()
			if x.Match {
				break
			}
		}
		if len(out) > first {
			out[first].Gap = gap
		}
		after = v.Context
	}
	return out, nil
}

// owed is how many lines from from on a match before it wants behind it.
func (l *Log) owed(ctx context.Context, r io.ReaderAt, from, size int64, v View) (int, error) {
	start, err := linesBack(r, from, v.Context, size)
	if err != nil {
		return 0, err
	}
	hit, ok, err := l.Search(ctx, v.Filter, from, true, nil)
	if err != nil || !ok || hit < start {
		return 0, err
	}
	passed := -1 // the match itself is not owed
	for in := linesFrom(r, hit, size); ; {
		s, ok := in.next()
		if !ok || s.off >= from {
			break
		}
		passed++
	}
	return max(v.Context-passed, 0), nil
}

// linesBack is the start of the line n lines before the one that starts at off.
func linesBack(r io.ReaderAt, off int64, n int, size int64) (int64, error) {
	for range n {
		if off == 0 {
			break
		}
		s, err := lineStart(r, off-1, size)
		if err != nil {
			return 0, err
		}
		off = s
	}
	return off, nil
}

// filteredBefore are the lines of a filtered view that end at to or before.
func (l *Log) filteredBefore(ctx context.Context, to int64, n int, v View) ([]Line, error) {
	r, size := l.now()
	// Go back match by match until there are surely enough lines.
	start, found := to, 0
	for at := to; found < n; {
		hit, ok, err := l.Search(ctx, v.Filter, at, true, nil)
		if err != nil {
			return nil, err
		}
		if !ok {
			start = 0
			break
		}
		found++
		at = hit
		if start, err = linesBack(r, hit, v.Context, size); err != nil {
			return nil, err
		}
	}
	// Lines behind the last match before to may be there for a match at to or
	// behind it.
	var out []Line
	for at := start; at < to; {
		some, err := l.filtered(ctx, at, size, 1024, v)
		if err != nil || len(some) == 0 {
			return out, err
		}
		for _, x := range some {
			if x.Offset >= to {
				return out[max(len(out)-n, 0):], nil
			}
			out = append(out, x)
		}
		out = out[max(len(out)-n, 0):]
		at = some[len(some)-1].End
	}
	return out, ctx.Err()
}
