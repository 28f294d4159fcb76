package resultview

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// within bounds the reading of one part; a million annotations take minutes.
const within = 10 * time.Minute

// loading is what has been read of the results.
type loading struct {
	gen    nav.Gen
	cancel context.CancelFunc
	seen   *atomic.Int64 // annotations so far
	// By analysis; nil while it is being read.
	drawn   []*drawnRead
	files   []*filesRead
	metrics []*metricsRead
	// What is still to be asked, one after the other: twenty analyses must not mean
	// forty requests at once.
	drawnNext, otherNext []tea.Cmd
}

// drawnRead, filesRead and metricsRead bring one part of one analysis.
type drawnRead struct {
	gen   nav.Gen
	at    int
	drawn app.Drawn
	err   error
}

type filesRead struct {
	gen   nav.Gen
	at    int
	files []app.ResultFile
	err   error
}

type metricsRead struct {
	gen     nav.Gen
	at      int
	metrics []app.MetricSum
	err     error
}

func newLoading(n int) loading {
	return loading{
		gen: nav.NewGen(), seen: &atomic.Int64{},
		drawn: make([]*drawnRead, n), files: make([]*filesRead, n), metrics: make([]*metricsRead, n),
	}
}

// start reads everything: files and metrics, which are quick, beside the
// annotations.
func (l *loading) start(s *app.Session, analyses []app.Analysis) tea.Cmd {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	gen, seen := l.gen, l.seen
	for i, a := range analyses {
		l.drawnNext = append(l.drawnNext, func() tea.Msg {
			ctx, stop := context.WithTimeout(ctx, within)
			defer stop()
			before := seen.Load()
			d, err := s.Drawn(ctx, a, func(n int) { seen.Store(before + int64(n)) })
			return drawnRead{gen, i, d, err}
		})
		l.otherNext = append(l.otherNext, func() tea.Msg {
			ctx, stop := context.WithTimeout(ctx, within)
			defer stop()
			f, err := s.Files(ctx, a)
			return filesRead{gen, i, f, err}
		}, func() tea.Msg {
			ctx, stop := context.WithTimeout(ctx, within)
			defer stop()
			sums, err := s.Metrics(ctx, a)
			if errors.Is(err, client.ErrUnsupported) {
				err = errNoMetrics
			}
			return metricsRead{gen, i, sums, err}
		})
	}
	return tea.Batch(next(&l.drawnNext), next(&l.otherNext))
}

// next takes the first of what is to be asked.
func next(queue *[]tea.Cmd) tea.Cmd {
	if len(*queue) == 0 {
		return nil
	}
	cmd := (*queue)[0]
	*queue = (*queue)[1:]
	return cmd
}

var errNoMetrics = errors.New("this server keeps no metrics; BIAFLOWS does")

func (l *loading) stop() {
	if l.cancel != nil {
		l.cancel()
	}
}

// take takes an answer, if it was awaited, and asks for the next.
func (l *loading) take(msg tea.Msg) (mine bool, ask tea.Cmd) {
	switch msg := msg.(type) {
	case drawnRead:
		if msg.gen == l.gen {
			l.drawn[msg.at] = &msg
			return true, next(&l.drawnNext)
		}
	case filesRead:
		if msg.gen == l.gen {
			l.files[msg.at] = &msg
			return true, next(&l.otherNext)
		}
	case metricsRead:
		if msg.gen == l.gen {
			l.metrics[msg.at] = &msg
			return true, next(&l.otherNext)
		}
	}
	return false, nil
}

// busy tells that annotations are still being read.
func (l *loading) busy() bool {
	for _, d := range l.drawn {
		if d == nil {
			return true
		}
	}
	return false
}

// done is how many analyses are read of a part.
func (l *loading) done(p part) int {
	n := 0
	for i := range l.drawn {
		if p == annotations && l.drawn[i] != nil || p == files && l.files[i] != nil || p == metrics && l.metrics[i] != nil {
			n++
		}
	}
	return n
}
