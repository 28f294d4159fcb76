package logfile

import (
	"bytes"
	"context"
	"sort"
	"sync"
)

// maxErrors is how many errors the index keeps; a log that has more is counted
// on.
const maxErrors = 10000

// index knows how many lines each block has and where the errors are. It is
// built by one goroutine that sleeps when it has caught up.
type index struct {
	log *Log

	mu     sync.Mutex
	gen    int     // counts restarts
	ends   []int64 // ends[k]: line ends before block k
	known  int64   // bytes counted
	lines  int64   // line ends in them
	tail   bool    // bytes follow the last line end
	errs   []Error
	total  int
	looked int64 // bytes searched for errors
	resume int64 // where to go on
	loose  int   // errors behind it

	work   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

func (x *index) start(l *Log) {
	ctx, cancel := context.WithCancel(context.Background())
	x.log, x.cancel = l, cancel
	x.work, x.done = make(chan struct{}, 1), make(chan struct{})
	x.wake()
	go x.run(ctx)
}

func (x *index) stop() {
	x.cancel()
	<-x.done
}

// wake tells that the log has grown.
func (x *index) wake() {
	select {
	case x.work <- struct{}{}:
	default:
	}
}

// restart forgets everything.
func (x *index) restart() {
	x.mu.Lock()
	x.gen++
	x.ends, x.known, x.lines, x.tail = nil, 0, 0, false
	x.errs, x.total, x.looked, x.resume, x.loose = nil, 0, 0, 0, 0
	x.mu.Unlock()
	x.wake()
}

func (x *index) run(ctx context.Context) {
	defer close(x.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.work:
		}
		x.count(ctx)
		x.find(ctx)
	}
}

// count counts lines up to the present end. The last block is counted again
// each time, since it may have grown.
func (x *index) count(ctx context.Context) {
	buf := make([]byte, block)
	for ctx.Err() == nil {
		r, size := x.log.now()
		x.mu.Lock()
		gen, known := x.gen, x.known
		k := known / block
		var before int64
		if k < int64(len(x.ends)) {
			before = x.ends[k]
		} else {
			before = x.lines
		}
		x.mu.Unlock()
		if known >= size {
			return
		}
		at := k * block
		data, err := readAt(r, buf, at, size)
		if err != nil || len(data) == 0 {
			return
		}
		n := int64(bytes.Count(data, []byte{'\n'}))
		tail := data[len(data)-1] != '\n'
		if n == 0 && at+block < size {
			n = 1 // a line ends with a block that has no line break
		}
		x.mu.Lock()
		if gen != x.gen {
			x.mu.Unlock()
			continue
		}
		x.ends = append(x.ends[:k], before)
		x.known, x.lines, x.tail = at+int64(len(data)), before+n, tail
		x.mu.Unlock()
	}
}

// find looks for errors where none were looked for yet, some blocks at a time.
func (x *index) find(ctx context.Context) {
	for ctx.Err() == nil {
		x.log.letSearchesGoFirst()
		r, size := x.log.now()
		x.mu.Lock()
		gen, from, looked := x.gen, x.resume, x.looked
		x.mu.Unlock()
		if looked >= size {
			return
		}
		to := min(max(from, looked)+8*block, size)
		var found []Error
		total := 0
		resume, err := scanErrors(r, from, to, func(e Error) bool {
			if e.weight > noise {
				total++
				if len(found) < maxErrors {
					found = append(found, e)
				}
			}
			return ctx.Err() == nil
		})
		if err != nil || ctx.Err() != nil {
			return
		}
		// Those behind resume will be found again when there is more to read.
		loose := 0
		for i := len(found) - 1; i >= 0 && found[i].Offset >= resume; i-- {
			loose++
		}
		x.mu.Lock()
		if gen == x.gen {
			x.total += total - x.loose
			keep := sort.Search(len(x.errs), func(i int) bool { return x.errs[i].Offset >= from })
			x.errs = append(x.errs[:keep:keep], found[:min(len(found), maxErrors-keep)]...)
			x.loose, x.resume, x.looked = loose, resume, to
		}
		x.mu.Unlock()
	}
}

// Count is how many lines the log has as far as that is known, and whether that
// is all of it. Bytes behind the last line break are a line.
func (l *Log) Count() (lines int64, complete bool) {
	_, size := l.now()
	x := &l.index
	x.mu.Lock()
	defer x.mu.Unlock()
	n := x.lines
	if x.tail {
		n++
	}
	return n, x.known >= size
}

// Number is the number, from 1 on, of the line that starts at off. ok is false
// where the index has not come yet.
func (l *Log) Number(off int64) (line int64, ok bool) {
	r, size := l.now()
	x := &l.index
	x.mu.Lock()
	k := off / block
	if off < 0 || off > size || off > x.known || k >= int64(len(x.ends)) {
		x.mu.Unlock()
		return 0, false
	}
	n := x.ends[k]
	x.mu.Unlock()
	data, err := readAt(r, make([]byte, off-k*block), k*block, size)
	if err != nil {
		return 0, false
	}
	return n + int64(bytes.Count(data, []byte{'\n'})) + 1, true
}

// Offset is where the line of that number, from 1 on, starts. ok is false where
// the index has not come yet, or where there is no such line.
func (l *Log) Offset(line int64) (off int64, ok bool) {
	if line == 1 {
		return 0, true
	}
	r, size := l.now()
	x := &l.index
	x.mu.Lock()
	want := line - 1 // line ends before it
	if line < 1 || want > x.lines || want == x.lines && !x.tail {
		x.mu.Unlock()
		return 0, false
	}
	// The last block with fewer line ends before it.
	k := sort.Search(len(x.ends), func(k int) bool { return x.ends[k] >= want }) - 1
	before := x.ends[k]
	x.mu.Unlock()
	data, err := readAt(r, make([]byte, block), int64(k)*block, size)
	if err != nil {
		return 0, false
	}
	pos := 0
	for range want - before {
		i := bytes.IndexByte(data[pos:], '\n')
		if i < 0 {
			return int64(k+1) * block, true
		}
		pos += i + 1
	}
	return int64(k)*block + int64(pos), true
}

// Errors are the errors found so far in the order of the log, at most the first
// 10,000; total counts all, and complete tells whether the end was reached.
func (l *Log) Errors() (list []Error, total int, complete bool) {
	_, size := l.now()
	x := &l.index
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.errs[:len(x.errs):len(x.errs)], x.total, x.looked >= size
}
