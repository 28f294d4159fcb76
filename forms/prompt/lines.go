package prompt

import (
	"bufio"
	"context"
	"io"
)

// longest is how much of a line counts, in bytes: questions read no longer ones,
// and no value may be as long.
const longest = 60_000

// lines hands an input over one line at a time: each question reads with a buffer
// of its own, which must not swallow the answer to the next one. A context that
// ends, ends the input, also while somebody thinks about an answer.
type lines struct {
	ctx    context.Context
	came   chan []byte
	rest   []byte
	end    error // why there is no more
	asking chan struct{}
}

func newLines(ctx context.Context, in io.Reader) *lines {
	l := &lines{ctx: ctx, came: make(chan []byte), asking: make(chan struct{})}
	go func() {
		defer close(l.came)
		buffered := bufio.NewReaderSize(in, 64<<10)
		for range l.asking { // nothing is read before it is asked for
			line, err := buffered.ReadBytes('\n')
			if n := min(len(line), longest); n > 0 {
				if line[n-1] != '\n' { // cut, or the last one
					line = append(line[:n:n], '\n')
				}
				select {
				case l.came <- line:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

// Read gives the rest of a line, or waits for the next one.
func (l *lines) Read(p []byte) (int, error) {
	if l.end != nil {
		return 0, io.EOF
	}
	if len(l.rest) == 0 {
		select {
		case l.asking <- struct{}{}:
		case line, ok := <-l.came:
			if l.rest = line; !ok {
				l.end = ErrEnded
				return 0, io.EOF
			}
		case <-l.ctx.Done():
			l.end = l.ctx.Err()
			return 0, io.EOF
		}
	}
	if len(l.rest) == 0 {
		select {
		case line, ok := <-l.came:
			if l.rest = line; !ok {
				l.end = ErrEnded
				return 0, io.EOF
			}
		case <-l.ctx.Done():
			l.end = l.ctx.Err()
			return 0, io.EOF
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// close ends the reading; nothing is read any more.
func (l *lines) close() { close(l.asking) }

// ended is why there are no more lines; nil while there may be some.
func (l *lines) ended() error { return l.end }
