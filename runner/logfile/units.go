package logfile

import (
	"bytes"
	"io"
	"sort"
)

// unit is one or more lines that are shown together because later ones write
// over earlier ones. Its places count from the start of its block.
type unit struct {
	off, end int32
	rows     int32 // how many it takes on a terminal
	at       int32 // the row of the cursor behind it; less than rows: the next line belongs to it
}

// units are those of the lines that start in block k, nil when each line is one
// by itself. Bars are not followed across blocks: so one can start anywhere and
// sees the same.
func (l *Log) units(r io.ReaderAt, k, size int64) ([]unit, error) {
	l.ups.Lock()
	defer l.ups.Unlock()
	if l.ups.at == k && l.ups.size == size && l.ups.r == r {
		return l.ups.units, nil
	}
	units, err := findUnits(r, k, size)
	if err != nil {
		return nil, err
	}
	l.ups.at, l.ups.r, l.ups.size, l.ups.units = k, r, size, units
	return units, nil
}

func findUnits(r io.ReaderAt, k, size int64) ([]unit, error) {
	base := k * block
	data, err := readAt(r, make([]byte, block), base, size)
	if err != nil || !hasUp(data) {
		return nil, err
	}
	start, err := lineStart(r, base, size)
	if err != nil {
		return nil, err
	}
	units := []unit{}
	for in := linesFrom(r, start, size); ; {
		s, ok := in.next()
		if !ok || s.off >= base+block {
			return units, in.err
		}
		if s.off < base {
			continue
		}
		u := unit{off: int32(s.off - base)}
		if n := len(units); n > 0 && units[n-1].at < units[n-1].rows {
			u = units[n-1]
			units = units[:n-1]
		}
		u.end = int32(s.end() - base)
		low := u.walk(s.data)
		// It went up into what is written before.
		for n := len(units); low < 0 && n > 0; n = len(units) {
			before := units[n-1]
			units = units[:n-1]
			u.off = before.off
			u.at += before.rows
			u.rows += before.rows
			low += before.rows
		}
		u.at -= min(low, 0) // there is no going up above the first row
		u.rows -= min(low, 0)
		units = append(units, u)
	}
}

// walk moves the cursor of the unit as a line does, and returns the lowest row
// that it was in, below 0 for rows above the unit.
func (u *unit) walk(data []byte) (low int32) {
	for {
		i := bytes.IndexAny(data, "\x1b\n")
		if i > 0 && len(bytes.Trim(data[:i], "\r")) > 0 || i < 0 && len(bytes.Trim(data, "\r")) > 0 {
			u.rows = max(u.rows, u.at+1)
		}
		if i < 0 {
			return low
		}
		c := data[i]
		data = data[i+1:]
		if c == '\n' {
			u.at++
			u.rows = max(u.rows, u.at)
			continue
		}
		n, arg, final := csi(data)
		switch final {
		case 'A', 'F':
			u.at -= int32(min(max(arg, 1), maxUp))
			low = min(low, u.at)
		case 'B', 'E':
			u.at += int32(min(max(arg, 1), maxUp))
		}
		data = data[n:]
	}
}

// unitStart is the start of what the byte at off is shown with.
func (l *Log) unitStart(r io.ReaderAt, off, size int64) (int64, error) {
	start, err := lineStart(r, off, size)
	if err != nil {
		return 0, err
	}
	k := start / block
	units, err := l.units(r, k, size)
	if err != nil || units == nil {
		return start, err
	}
	i := sort.Search(len(units), func(i int) bool { return k*block+int64(units[i].end) > start })
	if i == len(units) {
		return start, nil
	}
	return k*block + int64(units[i].off), nil
}
