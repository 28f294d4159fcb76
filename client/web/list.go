package web

import (
	"context"
	"io"
	"net/url"
	"strings"
	"time"
)

// With adds query parameters, as pairs of name and value, to a path.
func With(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	mark := byte('?')
	if strings.Contains(path, "?") {
		mark = '&'
	}
	for i := 0; i < len(pairs); i += 2 {
		b.WriteByte(mark)
		b.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
		mark = '&'
	}
	return b.String()
}

// AtEnd tells an end in the middle of a list from a proper one.
func AtEnd(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Sleep waits, and tells whether the context let it.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// BrokenError is a list that broke off while it was read.
type BrokenError struct{ Err error }

// Error says why.
func (e *BrokenError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *BrokenError) Unwrap() error { return e.Err }
