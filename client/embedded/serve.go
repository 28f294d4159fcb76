package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve answers requests on ln until ctx ends, or until no request has come for
// idleExit (0: never) and none is being answered. It returns nil in both cases,
// after the requests under way are through. ln is closed.
func (s *Server) Serve(ctx context.Context, ln net.Listener, idleExit time.Duration) error {
	return ServeHandler(ctx, ln, s.Handler(), idleExit)
}

// ServeHandler is Serve for a handler that has more than the API in it.
func ServeHandler(ctx context.Context, ln net.Listener, h http.Handler, idleExit time.Duration) error {
	idle := newIdleTimer(idleExit)
	defer idle.stop()
	srv := &http.Server{
		Handler:           idle.count(h),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("cannot serve on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	case <-idle.expired:
	}
	// The caller's context is over already, so the farewell has its own.
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(bye); err != nil {
		_ = srv.Close()
		return fmt.Errorf("requests under way did not end: %w", err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// idleTimer closes expired once no request has been under way for a while.
type idleTimer struct {
	limit   time.Duration
	expired chan struct{}

	mu     sync.Mutex
	active int
	timer  *time.Timer // runs only while nothing is active
	gone   bool
}

func newIdleTimer(limit time.Duration) *idleTimer {
	t := &idleTimer{limit: limit, expired: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest()
	return t
}

// rest starts the wait; the caller holds the mutex.
func (t *idleTimer) rest() {
	if t.limit <= 0 {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(t.limit, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		// A request may have come between the timer's end and the mutex.
		if t.active == 0 && t.timer == timer && !t.gone {
			t.gone = true
			close(t.expired)
		}
	})
	t.timer = timer
}

func (t *idleTimer) enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active++
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

func (t *idleTimer) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active--; t.active == 0 {
		t.rest()
	}
}

func (t *idleTimer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

// count keeps the timer informed of the requests a handler answers.
func (t *idleTimer) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.enter()
		defer t.leave()
		h.ServeHTTP(w, r)
	})
}
