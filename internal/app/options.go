package app

import (
	"context"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// optionCache keeps what each distinct uri answered, so that ten Domain
// parameters with one uri make one request. A session's project is fixed, so
// the uri alone is the key.
type optionCache struct {
	mu   sync.Mutex
	uris map[string]*optionList
	kept map[string]time.Duration // of uris whose last answer was an old one
}

// optionList is one answer, complete or still arriving.
type optionList struct {
	mu      sync.Mutex
	options []client.Option
	done    bool
	err     error
	changed chan struct{} // closed and replaced at each change
}

func newOptionCache() *optionCache {
	return &optionCache{uris: map[string]*optionList{}, kept: map[string]time.Duration{}}
}

// Options calls page with the options of a Domain or ListDomain parameter as
// they arrive. Parameters that share a uri share one request; an answer is kept
// until RefreshOptions, an error is not. A caller that goes away does not take
// the answer from the others. Where the server cannot be reached the options are
// those that it gave last, see OptionsAge.
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
	delete(s.opts.kept, uri)
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
	if err == nil {
		// Before anybody knows that it is complete: a command ends soon after.
		s.keepOptions(uri, l.options)
	} else {
		// The next one who asks asks the server again.
		s.opts.mu.Lock()
		if s.opts.uris[uri] == l {
			delete(s.opts.uris, uri)
		}
		s.opts.mu.Unlock()
		err = s.keptOptions(uri, l, err)
	}
	l.change(func() { l.done, l.err = true, err })
}

// keptOptions gives what the server said earlier where it cannot be reached now
// and has not said anything yet; otherwise the error stays.
func (s *Session) keptOptions(uri string, l *optionList, err error) error {
	if !client.Transient(err) || len(l.options) > 0 {
		return err
	}
	var all []client.Option
	age, ok, readErr := s.CachedOptions(descriptor.Parameter{URI: uri}, func(o []client.Option) error {
		all = append(all, o...)
		return nil
	})
	if !ok || readErr != nil {
		return err
	}
	s.opts.mu.Lock()
	s.opts.kept[uri] = max(age, 1)
	s.opts.mu.Unlock()
	l.change(func() { l.options = all })
	return nil
}

// OptionsAge tells how old the options are that Options gave because the server
// could not be reached; 0 where it answered.
func (s *Session) OptionsAge(p descriptor.Parameter) time.Duration {
	s.opts.mu.Lock()
	defer s.opts.mu.Unlock()
	return s.opts.kept[p.URI]
}

func (l *optionList) change(f func()) {
	l.mu.Lock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
}
