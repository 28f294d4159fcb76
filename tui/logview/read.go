package logview

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/nav"
)

// step says what to read next.
type step struct {
	to     target
	offset int64 // of the line to stand at the top, for place
	above  int   // lines to show before it
	by     int   // lines to scroll, for byLines
}

type target int

const (
	nowhere target = iota
	place          // a line at the top of the screen
	byLines        // from the present top
	theEnd
)

// readWithin bounds one reading; only a filter that finds nothing takes long.
const readWithin = 20 * time.Second

// read answers a reading: what the screen shows now.
type read struct {
	gen   nav.Gen
	lines []logfile.Line
	atEnd bool
	err   error
}

// read does a step, or keeps it for when the present one is done. Scrolling
// adds up, everything else replaces what was kept.
func (m *Screen) read(s step) tea.Cmd {
	if m.log == nil {
		return nil
	}
	if m.reading != 0 {
		if s.to == byLines && m.next.to == byLines {
			m.next.by += s.by
		} else {
			m.next = s
		}
		return nil
	}
	gen := nav.NewGen()
	m.reading = gen
	log, view, n := m.log, m.view, m.bodyHeight()
	top := int64(0)
	if len(m.lines) > 0 {
		top = m.lines[0].Offset
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readWithin)
		defer cancel()
		lines, atEnd, err := page(ctx, log, view, s, top, n)
		return read{gen, lines, atEnd, err}
	}
}

// page reads the lines that a screen of n rows shows after a step.
func page(ctx context.Context, log *logfile.Log, view logfile.View, s step, top int64, n int) ([]logfile.Line, bool, error) {
	size := log.Size()
	from := top
	switch s.to {
	case theEnd:
		lines, err := log.Before(ctx, size, n, view)
		return lines, true, err
	case place:
		from = s.offset
		if s.above > 0 {
			before, err := log.Before(ctx, from, s.above, view)
			if err != nil {
				return nil, false, err
			}
			if len(before) > 0 {
				from = before[0].Offset
			}
		}
	case byLines:
		if s.by < 0 {
			before, err := log.Before(ctx, top, -s.by, view)
			if err != nil {
				return nil, false, err
			}
			if len(before) > 0 {
				from = before[0].Offset
			}
			break
		}
		skipped, err := log.Lines(ctx, top, s.by, view)
		if err != nil {
			return nil, false, err
		}
		if len(skipped) > 0 {
			from = skipped[len(skipped)-1].End
		}
	}
	lines, err := log.Lines(ctx, from, n, view)
	if err != nil {
		return nil, false, err
	}
	if len(lines) < n {
		// The end is on the screen: fill it from above.
		last, err := log.Before(ctx, size, n, view)
		return last, true, err
	}
	return lines, lines[len(lines)-1].End >= size, nil
}

func (m *Screen) arrived(msg read) tea.Cmd {
	if msg.gen != m.reading {
		return nil
	}
	m.reading = 0
	next := m.next
	m.next = step{}
	if msg.err != nil {
		if next.to != nowhere {
			return m.read(next)
		}
		return nav.Fail(msg.err)
	}
	m.lines, m.atEnd = msg.lines, msg.atEnd
	if next.to != nowhere {
		return m.read(next)
	}
	return nil
}

// scroll moves by lines. Going up stops following; reaching the end does not
// start it again, because what one reads would run away.
func (m *Screen) scroll(by int) tea.Cmd {
	if by < 0 {
		m.follow = false
	} else if m.atEnd && m.reading == 0 {
		return nil
	}
	return m.read(step{to: byLines, by: by})
}

// again reads the same place for another view.
func (m *Screen) again() tea.Cmd {
	if m.follow || len(m.lines) == 0 {
		return m.read(step{to: theEnd})
	}
	return m.read(step{to: place, offset: m.log.Start(m.lines[0].Offset)})
}
