package logfile

import (
	"context"
	"fmt"
	"io"
	"time"
)

// How often a followed log is looked at: soon again while it grows, slower when
// it rests.
const (
	pollBusy = 50 * time.Millisecond
	pollIdle = 500 * time.Millisecond
)

// Follow copies the log from from on to w as it grows, until live, asked before
// each look, says that nobody writes any more and everything was copied, or ctx
// ends, or w fails. A log that was replaced is copied from its start.
func (l *Log) Follow(ctx context.Context, from int64, w io.Writer, live func() bool) error {
	wait := pollBusy
	for {
		more := live()
		change, err := l.Poll()
		if err != nil {
			return err
		}
		if change == Replaced {
			from = 0
		}
		if size := l.Size(); size > from {
			n, err := io.Copy(w, l.Bytes(from, size))
			if err != nil {
				return fmt.Errorf("copy the log: %w", err)
			}
			from += n
			wait = pollBusy
		} else {
			wait = min(wait*5/4, pollIdle)
		}
		if !more || change == Deleted {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}
