package picker

import (
	"context"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Feed is where a Source gets options from.
type Feed struct {
	// Load asks the server, and hands over the options as they arrive.
	Load func(ctx context.Context, page func([]client.Option) error) error
	// Kept hands over what the server said earlier, and tells how long ago that
	// was; ok is false where nothing is kept. It may be nil.
	Kept func(page func([]client.Option) error) (age time.Duration, ok bool)
	// Age tells after Load how old its answer is: a server that cannot be reached
	// is answered for from what is kept. It may be nil.
	Age func() time.Duration
}

// Source loads the options of a parameter in the background.
type Source struct {
	parameter descriptor.Parameter
	feed      Feed
	cancel    context.CancelFunc
	lists     chan *List
}

// loading is one load of a source; an older one ends unheard.
type loading struct {
	mu      sync.Mutex
	options []client.Option
	old     []client.Option // what the server said earlier, until it has said more
	age     time.Duration   // of old; of options when they are done
	done    bool
	err     error
	more    chan struct{} // holds a token while something has not been published
	lists   chan *List    // holds the latest list; closed after the last one
}

// Arrived tells that a source has a new List.
type Arrived struct {
	Source *Source
	List   *List
}

// between is how long a list stands before the next one replaces it: rows that
// jump cannot be read, and ordering 100,000 of them takes a while.
const between = 100 * time.Millisecond

// NewSource makes a source; nothing happens before Start.
func NewSource(p descriptor.Parameter, f Feed) *Source {
	return &Source{parameter: p, feed: f}
}

// Start begins to load, or begins anew. The command waits for the first list.
func (s *Source) Start() tea.Cmd {
	s.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	l := &loading{more: make(chan struct{}, 1), lists: make(chan *List, 1)}
	s.cancel, s.lists = cancel, l.lists
	go l.fetch(ctx, s.feed)
	go l.publish(ctx, s.parameter)
	return s.Next()
}

// Stop ends the wait for more. What the session has already asked the server
// for arrives there all the same, for the next one who asks.
func (s *Source) Stop() {
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
}

// Next waits for the next list. It gives no message after the last one.
func (s *Source) Next() tea.Cmd {
	lists := s.lists
	return func() tea.Msg {
		if l, ok := <-lists; ok {
			return Arrived{s, l}
		}
		return nil
	}
}

// fetch collects the pages.
func (l *loading) fetch(ctx context.Context, f Feed) {
	if f.Kept != nil {
		l.fetchKept(f)
	}
	err := f.Load(ctx, func(page []client.Option) error {
		l.mu.Lock()
		l.options = append(l.options, page...)
		l.mu.Unlock()
		l.signal()
		return ctx.Err()
	})
	var age time.Duration
	if err == nil && f.Age != nil {
		age = f.Age()
	}
	l.mu.Lock()
	l.done, l.err, l.age = true, err, age
	l.mu.Unlock()
	l.signal()
}

// fetchKept takes what is kept, as something to look at until the server has
// answered.
func (l *loading) fetchKept(f Feed) {
	var old []client.Option
	age, ok := f.Kept(func(page []client.Option) error {
		old = append(old, page...)
		return nil
	})
	if !ok || len(old) == 0 {
		return
	}
	l.mu.Lock()
	l.old, l.age = old, max(age, 1)
	l.mu.Unlock()
	l.signal()
}

// now is what is best to show.
func (l *loading) now() (options []client.Option, done bool, age time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.done:
		return slices.Clone(l.options), true, l.age, l.err
	case len(l.old) > len(l.options):
		return slices.Clone(l.old), false, l.age, nil
	}
	return slices.Clone(l.options), false, 0, nil
}

func (l *loading) signal() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// publish makes a list of what is there, at most every now and then, and leaves
// most of a processor to others.
func (l *loading) publish(ctx context.Context, p descriptor.Parameter) {
	defer close(l.lists)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.more:
		}
		began := time.Now()
		options, done, age, err := l.now()
		list := NewList(p, options, done, err)
		list.Age = age
		select { // a list that nobody has taken yet is replaced
		case <-l.lists:
		default:
		}
		l.lists <- list
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(between, 4*time.Since(began))):
		}
	}
}
