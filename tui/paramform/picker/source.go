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

// Load hands over the options as they arrive.
type Load func(ctx context.Context, page func([]client.Option) error) error

// Source loads the options of a parameter in the background.
type Source struct {
	parameter descriptor.Parameter
	load      Load
	cancel    context.CancelFunc
	lists     chan *List
}

// loading is one load of a source; an older one ends unheard.
type loading struct {
	mu      sync.Mutex
	options []client.Option
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
func NewSource(p descriptor.Parameter, load Load) *Source {
	return &Source{parameter: p, load: load}
}

// Start begins to load, or begins anew. The command waits for the first list.
func (s *Source) Start() tea.Cmd {
	s.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	l := &loading{more: make(chan struct{}, 1), lists: make(chan *List, 1)}
	s.cancel, s.lists = cancel, l.lists
	go l.fetch(ctx, s.load)
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
func (l *loading) fetch(ctx context.Context, load Load) {
	err := load(ctx, func(page []client.Option) error {
		l.mu.Lock()
		l.options = append(l.options, page...)
		l.mu.Unlock()
		l.signal()
		return ctx.Err()
	})
	l.mu.Lock()
	l.done, l.err = true, err
	l.mu.Unlock()
	l.signal()
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
		l.mu.Lock()
		options, done, err := slices.Clone(l.options), l.done, l.err
		l.mu.Unlock()
		list := NewList(p, options, done, err)
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
