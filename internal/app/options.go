package app

import (
	"context"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// optionCache keeps what each distinct uri answered, so that ten Domain
// parameters with one uri make one request. A session's project is fixed, so
// the uri alone is the key.
type optionCache struct {
	mu   sync.Mutex
	uris map[string]*optionList
}

// optionList is one answer, complete or still arriving.
type optionList struct {
	mu      sync.Mutex
	options []client.Option
	done    bool
	err     error
	changed chan struct{} // closed and replaced at each change
}

func newOptionCache() *optionCache { return &optionCache{uris: map[string]*optionList{}} }

// Options calls page with the options of a Domain or ListDomain parameter as
// they arrive. Parameters that share a uri share one request; an answer is kept
// until RefreshOptions, an error is not. A caller that goes away does not take
// the answer from the others.
func (s *Session) Options(ctx context.Context, p descriptor.Parameter, page func([]client.Option) error) error {
	l := s.optionList(p.URI)
	seen := 0
	for {
		l.mu.Lock()
		fresh, done, err, changed := l.options[seen:], l.done, l.err, l.changed
		l.mu.Unlock()
		if len(fresh) > 0 {
			seen += len(fresh)
			if err := page(fresh); err != nil {
				return err
			}
			continue
		}
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// RefreshOptions forgets what a uri answered.
func (s *Session) RefreshOptions(p descriptor.Parameter) {
	s.opts.mu.Lock()
	delete(s.opts.uris, p.URI)
	s.opts.mu.Unlock()
}

func (s *Session) optionList(uri string) *optionList {
	s.opts.mu.Lock()
	defer s.opts.mu.Unlock()
	if l, ok := s.opts.uris[uri]; ok {
		return l
	}
	l := &optionList{changed: make(chan struct{})}
	s.opts.uris[uri] = l
	go s.loadOptions(uri, l)
	return l
}

func (s *Session) loadOptions(uri string, l *optionList) {
	// Not the context of the first caller: others wait for the same answer. The
	// client's own deadlines end a request that hangs.
	err := s.Server.Options(context.Background(), client.OptionQuery{URI: uri, Project: s.Project}, func(o []client.Option) error {
		l.change(func() { l.options = append(l.options, o...) })
		return nil
	})
	if err != nil {
		s.opts.mu.Lock()
		if s.opts.uris[uri] == l {
			delete(s.opts.uris, uri)
		}
		s.opts.mu.Unlock()
	}
	l.change(func() { l.done, l.err = true, err })
}

func (l *optionList) change(f func()) {
	l.mu.Lock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
}
