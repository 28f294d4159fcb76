package logview

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/nav"
)

// finder is what is searched for, and the search under way.
type finder struct {
	text, filterText string
	pattern          *logfile.Pattern
	at               int64 // line of the present match, -1 for none

	gen    nav.Gen
	cancel context.CancelFunc
	done   *atomic.Int64 // percent
}

func (f *finder) busy() bool { return f.gen != 0 }

func (f *finder) stop() {
	if f.cancel != nil {
		f.cancel()
	}
	f.gen, f.cancel = 0, nil
}

// pattern reads what a person typed: text, or an expression between slashes.
// Small letters match capitals too.
func pattern(s string) (*logfile.Pattern, error) {
	fold := strings.ToLower(s) == s
	if len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/' {
		return logfile.Regexp(s[1:len(s)-1], fold)
	}
	return logfile.Literal(s, fold)
}

// found answers search.
type found struct {
	gen    nav.Gen
	offset int64
	ok     bool
	err    error
}

// search goes to the next match, or the one before, seen from the present one
// or the top of the screen.
func (m *Screen) search(backward bool) tea.Cmd {
	if m.find.pattern == nil {
		m.prompt.ask(searchPrompt, "")
		return nil
	}
	if len(m.lines) == 0 {
		return nil
	}
	m.find.stop()
	from := m.lines[0].Offset
	seen := m.find.at >= m.lines[0].Offset && m.find.at < m.lines[len(m.lines)-1].End
	switch {
	case seen && backward:
		from = m.find.at
	case seen:
		from = m.lineEnd(m.find.at)
	case backward && m.follow && m.atEnd:
		from = m.log.Size() // what is on the screen comes first
	}
	ctx, cancel := context.WithCancel(context.Background())
	gen, done := nav.NewGen(), &atomic.Int64{}
	m.find.gen, m.find.cancel, m.find.done = gen, cancel, done
	log, p := m.log, m.find.pattern
	return func() tea.Msg {
		off, ok, err := log.Search(ctx, p, from, backward, func(n, total int64) {
			if total > 0 {
				done.Store(100 * n / total)
			}
		})
		return found{gen, off, ok, err}
	}
}

func (m *Screen) lineEnd(off int64) int64 {
	for _, l := range m.lines {
		if l.Offset <= off && off < l.End {
			return l.End
		}
	}
	return off
}

func (m *Screen) foundMatch(msg found) tea.Cmd {
	if msg.gen != m.find.gen {
		return nil
	}
	m.find.stop()
	switch {
	case msg.err != nil:
		return nav.Fail(msg.err)
	case !msg.ok:
		return nav.Say(fmt.Sprintf("no more %q in this direction", text.Line(m.find.text)))
	}
	m.follow = false
	m.find.at = msg.offset
	for i, l := range m.lines {
		if l.Offset <= msg.offset && msg.offset < l.End && i < m.bodyHeight() {
			return nil // it is on the screen
		}
	}
	return m.read(step{to: place, offset: m.log.Start(msg.offset), above: m.bodyHeight() / 3})
}

// toError goes to the next error of the index, or the one before.
func (m *Screen) toError(direction int) tea.Cmd {
	errs, total, complete := m.log.Errors()
	if total == 0 {
		if !complete {
			return nav.Say("no error found yet, still looking")
		}
		return nav.Say("no error found in this log")
	}
	here := m.find.at
	if len(m.lines) > 0 && (here < m.lines[0].Offset || here >= m.lines[len(m.lines)-1].End) {
		here = m.lines[0].Offset - 1
		if direction < 0 {
			here++
		}
	}
	i := sort.Search(len(errs), func(i int) bool { return errs[i].Offset > here })
	if direction < 0 {
		i = sort.Search(len(errs), func(i int) bool { return errs[i].Offset >= here }) - 1
	}
	if i < 0 || i >= len(errs) {
		return nav.Say(fmt.Sprintf("no more errors in this direction; %d in all", total))
	}
	m.follow = false
	m.find.at = errs[i].Offset
	return tea.Batch(m.read(step{to: place, offset: errs[i].Offset, above: m.bodyHeight() / 4}),
		nav.Say(fmt.Sprintf("error %d of %d: %s", i+1, total, errs[i].Text)))
}

// inError tells whether a line belongs to an error.
func inError(errs []logfile.Error, off int64) bool {
	i := sort.Search(len(errs), func(i int) bool { return errs[i].End > off })
	return i < len(errs) && errs[i].Offset <= off
}
