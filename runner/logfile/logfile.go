package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Log is an open log. Its methods may be called from several goroutines.
type Log struct {
	path string

	mu    sync.Mutex
	f     *os.File
	size  int64
	head  []byte     // how the file begins, to notice that it was written anew
	past  []*os.File // replaced files that somebody may still be reading
	times *Times
	tf    *os.File

	index index
	hits  hits
	// searching is held by searches, which somebody waits for; the index, for which
	// nobody does, lets them go first.
	searching sync.RWMutex
	ups       struct {
		sync.Mutex
		at    int64 // block that units belongs to, -1 for none
		r     io.ReaderAt
		size  int64 // of the file when they were made
		units []unit
	}
}

// headSize is how many bytes at the start of a file must stay the same.
const headSize = 256

// Open opens the log at path and starts to index it in the background. The
// times beside it ("output.times" for "output.log") are used when they are
// there. Close it.
func Open(path string) (*Log, error) {
	l := &Log{path: path}
	l.ups.at = -1
	if err := l.open(); err != nil {
		return nil, err
	}
	l.openTimes()
	l.index.start(l)
	return l, nil
}

func (l *Log) open() error {
	f, err := os.Open(l.path)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s is a folder", l.path)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("open the log: %w", err)
	}
	l.f, l.size = f, st.Size()
	l.head, _ = readAt(f, make([]byte, headSize), 0, l.size)
	return nil
}

// openTimes looks for the times again when they were not there or have grown.
func (l *Log) openTimes() {
	if l.tf == nil {
		f, err := os.Open(strings.TrimSuffix(l.path, ".log") + ".times")
		if err != nil {
			return
		}
		l.tf = f
	}
	if st, err := l.tf.Stat(); err == nil {
		l.times = NewTimes(l.tf, st.Size())
	}
}

// Close stops the index and closes the file.
func (l *Log) Close() error {
	l.index.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.past {
		f.Close()
	}
	if l.tf != nil {
		l.tf.Close()
	}
	return l.f.Close()
}

// Change is what happened to a log since the last Poll.
type Change int

// The changes of a log.
const (
	Same     Change = iota
	Grown           // bytes were added
	Replaced        // it was truncated, or another file has its name: start anew
	Deleted         // it has no name any more; what was there can still be read
)

// Poll looks whether the log changed. Whoever follows a log calls it a few times
// a second; nothing else notices growth.
func (l *Log) Poll() (Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.openTimes()
	named, err := os.Stat(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return Deleted, nil
	}
	if err != nil {
		return Same, fmt.Errorf("look at the log: %w", err)
	}
	st, err := l.f.Stat()
	if err != nil {
		return Same, fmt.Errorf("look at the log: %w", err)
	}
	if !os.SameFile(named, st) {
		old := l.f
		if err := l.open(); err != nil {
			return Same, err
		}
		l.past = append(l.past, old)
		l.forget()
		return Replaced, nil
	}
	if st.Size() == l.size {
		return Same, nil
	}
	now, err := readAt(l.f, make([]byte, headSize), 0, st.Size())
	if err != nil {
		return Same, fmt.Errorf("read the log: %w", err)
	}
	if st.Size() < l.size || !bytes.HasPrefix(now, l.head) {
		l.size, l.head = st.Size(), now
		l.forget()
		return Replaced, nil
	}
	l.size, l.head = st.Size(), now
	l.index.wake()
	return Grown, nil
}

// forget drops what was known of the file that was.
func (l *Log) forget() {
	l.hits.Lock()
	l.hits.pattern = nil
	l.hits.Unlock()
	l.ups.Lock()
	l.ups.at = -1
	l.ups.Unlock()
	l.index.restart()
}

// now is the file and its size as of the last Poll.
func (l *Log) now() (io.ReaderAt, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f, l.size
}

// Size is the length of the log in bytes, as of the last Poll.
func (l *Log) Size() int64 {
	_, n := l.now()
	return n
}

// Bytes reads the log as it is from one place up to another, to save or copy
// it.
func (l *Log) Bytes(from, to int64) *io.SectionReader {
	r, size := l.now()
	from = max(min(from, size), 0)
	return io.NewSectionReader(r, from, max(min(to, size)-from, 0))
}

// Start is the start of the line that the byte at off belongs to; behind the
// last byte, of the last line.
func (l *Log) Start(off int64) int64 {
	r, size := l.now()
	s, err := lineStart(r, off, size)
	if err != nil {
		return max(min(off, size), 0)
	}
	return s
}

// Time is when the line at off was written, as far as that was recorded.
func (l *Log) Time(off int64) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times.At(off)
}

// Since is the place from which on everything was written at t or later.
func (l *Log) Since(t time.Time) int64 {
	l.mu.Lock()
	off := l.times.Offset(t)
	l.mu.Unlock()
	if off == 0 {
		return 0
	}
	return l.Start(off)
}
