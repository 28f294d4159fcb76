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

	mu      sync.Mutex
	options []client.Option
	done    bool
	err     error
	more    chan struct{} // holds a token while something has not been published
	lists   chan *List    // closed after the last list
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
	s.cancel = cancel
	s.options, s.done, s.err = nil, false, nil
	// Each start has its own channels, so that an older load ends unheard.
	run := &Source{parameter: s.parameter, load: s.load, more: make(chan struct{}, 1), lists: make(chan *List, 1)}
	s.lists = run.lists
	go run.fetch(ctx)
	go run.publish(ctx)
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
func (s *Source) fetch(ctx context.Context) {
	err := s.load(ctx, func(page []client.Option) error {
		s.mu.Lock()
		s.options = append(s.options, page...)
		s.mu.Unlock()
		s.signal()
		return ctx.Err()
	})
	s.mu.Lock()
	s.done, s.err = true, err
	s.mu.Unlock()
	s.signal()
}

func (s *Source) signal() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// publish makes a list of what is there, at most every now and then, and leaves
// most of a processor to others.
func (s *Source) publish(ctx context.Context) {
	defer close(s.lists)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.more:
		}
		began := time.Now()
		s.mu.Lock()
		options, done, err := slices.Clone(s.options), s.done, s.err
		s.mu.Unlock()
		l := NewList(s.parameter, options, done, err)
		select { // a list that nobody has taken yet is replaced
		case <-s.lists:
		default:
		}
		s.lists <- l
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
