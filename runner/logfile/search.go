package logfile

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sort"
	"sync"
)

// Search finds the next line that matches: the first one that starts at from or
// behind it, or, backward, the last one that starts before from. progress, if
// not nil, hears how many bytes were searched of how many; the search stops
// when ctx ends. ok is false when nothing matches.
func (l *Log) Search(ctx context.Context, p *Pattern, from int64, backward bool, progress func(done, total int64)) (off int64, ok bool, err error) {
	l.searching.RLock()
	defer l.searching.RUnlock()
	r, size := l.now()
	from = max(min(from, size), 0)
	if backward && from == 0 || !backward && from == size {
		return 0, false, nil
	}
	// Often the next match is near: look at one block, and remember its
	// matches for the next question.
	k, step, last, total := from/block, int64(1), (size-1)/block, size-from
	if backward {
		k, step, last, total = (from-1)/block, -1, 0, from
	}
	hits, err := l.hitsIn(r, k, size, p)
	if err != nil {
		return 0, false, err
	}
	i := sort.Search(len(hits), func(i int) bool { return hits[i] >= from })
	if backward {
		i--
	}
	if i >= 0 && i < len(hits) {
		return hits[i], true, nil
	}
	// Then several side by side; the first one, in the order of the search,
	// that has a match wins.
	type result struct {
		off int64
		ok  bool
		err error
	}
	workers := min(runtime.GOMAXPROCS(0), 4)
	results, searchers := make([]result, workers), make([]searcher, workers)
	for done := block; k != last; {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		var wg sync.WaitGroup
		n := 0
		for ; n < workers && k != last; n++ {
			k += step
			b, res, s := k, &results[n], &searchers[n]
			wg.Go(func() {
				res.ok = false
				res.err = s.block(r, b, size, p, func(off int64) bool {
					res.off, res.ok = off, true
					return backward
				})
			})
		}
		wg.Wait()
		for _, res := range results[:n] {
			if res.err != nil || res.ok {
				return res.off, res.ok, res.err
			}
		}
		done += int64(n) * block
		if progress != nil {
			progress(min(done, total), total)
		}
	}
	return 0, false, nil
}

func (l *Log) letSearchesGoFirst() {
	l.searching.Lock()
	defer l.searching.Unlock()
}

// hits are the matches in one block.
type hits struct {
	sync.Mutex
	pattern *Pattern
	block   int64
	r       io.ReaderAt
	size    int64
	at      []int64
	with    searcher
}

func (l *Log) hitsIn(r io.ReaderAt, k, size int64, p *Pattern) ([]int64, error) {
	h := &l.hits
	h.Lock()
	defer h.Unlock()
	if h.pattern == p && h.block == k && h.size == size && h.r == r {
		return h.at, nil
	}
	var at []int64
	err := h.with.block(r, k, size, p, func(off int64) bool { at = append(at, off); return true })
	if err != nil {
		return nil, err
	}
	h.pattern, h.block, h.size, h.r, h.at = p, k, size, r, at
	return at, nil
}

// searcher holds the memory of one worker.
type searcher struct {
	data, plain, low []byte
}

// block calls found with each line starting in block k that matches, in order,
// until that returns false.
func (s *searcher) block(r io.ReaderAt, k, size int64, p *Pattern, found func(off int64) bool) error {
	data, start, err := s.lines(r, k, size)
	if err != nil || len(data) == 0 {
		return err
	}
	plain := data
	if bytes.IndexByte(data, 0x1b) >= 0 {
		s.plain = dropEscapes(append(s.plain[:0], data...))
		plain = s.plain
	}
	hay := plain
	if p.fold && len(p.must) > 0 {
		s.low = lowerInto(s.low, plain)
		hay = s.low
	}
	place := places{data: data, plain: plain}
	for pos := 0; pos < len(plain); {
		from, to := pos, pos
		if len(p.must) > 0 {
			i := bytes.Index(hay[pos:], p.must)
			if i < 0 {
				break
			}
			from = pos + bytes.LastIndexByte(hay[pos:pos+i], '\n') + 1
			to = pos + i
		}
		if i := bytes.IndexByte(plain[to:], '\n'); i >= 0 {
			to += i
		} else {
			to = len(plain)
		}
		pos = to + 1
		if p.re != nil && !p.matchStates(plain[from:to]) {
			continue
		}
		if !found(start + int64(place.of(from))) {
			return nil
		}
	}
	return nil
}

// lines reads the lines that start in block k, and where the first one does.
func (s *searcher) lines(r io.ReaderAt, k, size int64) (data []byte, start int64, err error) {
	extra := min(64<<10, block) // most lines end in it
	if s.data == nil {
		s.data = make([]byte, block+extra)
	}
	base := k * block
	if data, err = readAt(r, s.data[:block+extra], base, size); err != nil || len(data) == 0 {
		return nil, 0, err
	}
	in := data[:min(int64(len(data)), block)]
	if start, err = lineStart(r, base, size); err != nil {
		return nil, 0, err
	}
	breaks := bytes.IndexByte(in, '\n')
	if start == base {
		start = 0
	} else if start = int64(breaks + 1); start == 0 || start == int64(len(in)) {
		return nil, 0, nil // one line that started before
	}
	switch {
	case int64(len(in)) < block, in[block-1] == '\n':
		return in[start:], base + start, nil
	case breaks < 0 && base+block < size:
		return in, base, nil
	}
	if i := bytes.IndexByte(data[block:], '\n'); i >= 0 {
		return data[start : block+int64(i)+1], base + start, nil
	}
	if int64(len(data)) == size-base {
		return data[start:], base + start, nil
	}
	// A long one. It ends within two blocks.
	lastStart := int64(bytes.LastIndexByte(in, '\n') + 1)
	long, ok := linesFrom(r, base+lastStart, size).next()
	if !ok {
		return nil, 0, nil
	}
	return append(data[start:lastStart:lastStart], long.data...), base + start, nil
}

// places finds where a line stood before escape sequences were dropped. Asked
// for rising places only.
type places struct {
	data, plain []byte
	in, out     int
}

func (p *places) of(plain int) int {
	if len(p.data) == len(p.plain) {
		return plain
	}
	for range bytes.Count(p.plain[p.in:plain], []byte{'\n'}) {
		p.out += bytes.IndexByte(p.data[p.out:], '\n') + 1
	}
	p.in = plain
	return p.out
}

// dropEscapes takes escape sequences out of b, in place; line breaks stay.
func dropEscapes(b []byte) []byte {
	i := bytes.IndexByte(b, 0x1b)
	if i < 0 {
		return b
	}
	out := b[:i]
	for rest := b[i:]; len(rest) > 0; {
		i := bytes.IndexByte(rest, 0x1b)
		if i < 0 {
			return append(out, rest...)
		}
		out = append(out, rest[:i]...)
		rest = rest[i+1:]
		if n, _, _ := csi(rest); n > 0 {
			rest = rest[n:]
		} else if len(rest) > 0 && rest[0] == ']' {
			// A title or a link: up to its end, if that is on this line.
			if j := bytes.IndexAny(rest, "\a\x1b\n"); j > 0 && rest[j] == '\a' {
				rest = rest[j+1:]
			} else if j > 0 && bytes.HasPrefix(rest[j:], []byte("\x1b\\")) {
				rest = rest[j+2:]
			}
		}
	}
	return out
}
