package logfile

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

// timeRecord is the length of one record of output.times: the number of bytes
// that the log had, and the time in milliseconds since 1970, as decimal numbers
// of fixed width, so that the file can be read by eye and searched in place:
//
//	000000000001234 1795183925123\n
const timeRecord = 15 + 1 + 13 + 1

// TimeRecord is one record: at t the log had size bytes. Whoever watches a log
// appends one whenever it has grown, at most ten a second.
func TimeRecord(size int64, t time.Time) []byte {
	return fmt.Appendf(nil, "%015d %013d\n", size, t.UnixMilli())
}

// Times tells when the parts of a log were written.
type Times struct {
	r io.ReaderAt
	n int // whole records
}

// OpenTimes reads the file of times beside a log; without one no time is known.
// Close is the caller's, through the returned closer.
func OpenTimes(path string) (*Times, io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return NewTimes(f, st.Size()), f, nil
}

// NewTimes reads records from r, which has size bytes. A torn last record does
// not count.
func NewTimes(r io.ReaderAt, size int64) *Times {
	return &Times{r: r, n: int(size / timeRecord)}
}

// record reads one; a broken one reads as nothing at the start of time.
func (t *Times) record(i int) (size int64, at time.Time, ok bool) {
	var b [timeRecord]byte
	if _, err := t.r.ReadAt(b[:], int64(i)*timeRecord); err != nil && err != io.EOF {
		return 0, time.Time{}, false
	}
	a, c, cut := strings.Cut(strings.TrimSuffix(string(b[:]), "\n"), " ")
	size, err1 := strconv.ParseInt(a, 10, 64)
	ms, err2 := strconv.ParseInt(c, 10, 64)
	if !cut || err1 != nil || err2 != nil {
		return 0, time.Time{}, false
	}
	return size, time.UnixMilli(ms), true
}

// At is when the byte at offset was there at the latest.
func (t *Times) At(offset int64) (time.Time, bool) {
	if t == nil {
		return time.Time{}, false
	}
	i := sort.Search(t.n, func(i int) bool {
		size, _, ok := t.record(i)
		return !ok || size > offset
	})
	if i == t.n {
		return time.Time{}, false
	}
	_, at, ok := t.record(i)
	return at, ok
}

// Offset is how much of the log was there before when; reading from there gives
// all that was written since.
func (t *Times) Offset(when time.Time) int64 {
	if t == nil {
		return 0
	}
	i := sort.Search(t.n, func(i int) bool {
		_, at, ok := t.record(i)
		return !ok || !at.Before(when)
	})
	if i == 0 {
		return 0
	}
	size, _, _ := t.record(i - 1)
	return size
}
