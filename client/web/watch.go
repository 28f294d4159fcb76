package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Watch bounds the silence of an answer that is read as it arrives.
type Watch struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	silence time.Duration
	where   string
}

// NewWatch begins to wait for the first byte, for as long as patience. The request
// must be sent with the context. where names it in errors.
func NewWatch(ctx context.Context, patience, silence time.Duration, where string) (context.Context, *Watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &Watch{ctx: ctx, cancel: cancel, silence: silence, where: where}
	w.timer = time.AfterFunc(patience, func() { cancel(context.DeadlineExceeded) })
	return ctx, w
}

// Stop ends the watch where no answer came.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Body gives the body of the answer: every piece of it allows another silence, and
// one that breaks off is client.ErrUnreachable.
func (w *Watch) Body(body io.ReadCloser) io.ReadCloser { return &watched{w, body} }

type watched struct {
	*Watch
	body io.ReadCloser
}

// Read reads on.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if err == nil || err == io.EOF {
		w.timer.Reset(w.silence)
		return n, err
	}
	switch cause := context.Cause(w.ctx); {
	case errors.Is(cause, context.Canceled):
		return n, fmt.Errorf("reading %s: %w", w.where, cause)
	case cause != nil:
		return n, fmt.Errorf("%w: %s fell silent: %w; try again", client.ErrUnreachable, w.where, cause)
	}
	return n, fmt.Errorf("%w: the answer of %s broke off: %w; try again", client.ErrUnreachable, w.where, err)
}

// Close ends the transfer.
func (w *watched) Close() error {
	w.Stop()
	return w.body.Close()
}
