package logview

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// plotter draws a number that the log reports again and again, such as the loss or
// the progress, in place of the lines.
type plotter struct {
	on      bool
	gen     nav.Gen
	cancel  context.CancelFunc
	percent *atomic.Int64
	series  []logfile.Series
	err     error
	size    int64  // of the log when it was read
	name    string // of the series that is seen
	byTime  bool
}

var (
	plotKey  = keymap.Bind("p", "plot its numbers", "p")
	plotNext = keymap.Bind("y", "next number", "y", "down", "tab", "right")
	plotPrev = keymap.Bind("Y", "number before", "Y", "up", "shift+tab")
	plotTime = keymap.Bind("T", "over time", "T")
	plotEnd  = keymap.Bind("p", "back to the log", "p", "esc")
)

// largestFollowed is up to which size a log that grows is read again and again for
// its plot, in bytes.
const largestFollowed = 64 << 20

// plotted answers readSeries.
type plotted struct {
	gen    nav.Gen
	series []logfile.Series
	size   int64
	err    error
}

func (p *plotter) stop() {
	if p.cancel != nil {
		p.cancel()
	}
	p.cancel, p.gen = nil, 0
}

// startPlot reads the numbers of the log.
func (m *Screen) startPlot() tea.Cmd {
	m.plot.on = true
	return m.readSeries()
}

func (m *Screen) readSeries() tea.Cmd {
	m.plot.stop()
	ctx, cancel := context.WithCancel(context.Background())
	gen, percent, log := nav.NewGen(), &atomic.Int64{}, m.log
	m.plot.gen, m.plot.cancel, m.plot.percent = gen, cancel, percent
	return func() tea.Msg {
		size := log.Size()
		series, err := log.Series(ctx, func(done, total int64) {
			if total > 0 {
				percent.Store(100 * done / total)
			}
		})
		return plotted{gen, series, size, err}
	}
}

func (m *Screen) tookSeries(msg plotted) {
	if msg.gen != m.plot.gen {
		return
	}
	m.plot.stop()
	m.plot.series, m.plot.size, m.plot.err = msg.series, msg.size, msg.err
	if _, ok := m.plot.seen(); !ok && len(msg.series) > 0 {
		m.plot.name = msg.series[0].Name
	}
}

// tickPlot reads a log again that has grown.
func (m *Screen) tickPlot() tea.Cmd {
	if !m.plot.on || m.plot.gen != 0 || m.log == nil || m.log.Size() == m.plot.size || m.log.Size() > largestFollowed {
		return nil
	}
	return m.readSeries()
}

// seen is the series that is drawn.
func (p *plotter) seen() (int, bool) {
	for i, s := range p.series {
		if s.Name == p.name {
			return i, true
		}
	}
	return 0, false
}

func (m *Screen) plotKeys(k tea.KeyPressMsg) tea.Cmd {
	p := &m.plot
	step := func(by int) {
		if n := len(p.series); n > 0 {
			i, _ := p.seen()
			p.name = p.series[(i+by+n)%n].Name
		}
	}
	switch {
	case keymap.Is(k, plotEnd):
		p.stop()
		p.on = false
	case keymap.Is(k, plotNext):
		step(1)
	case keymap.Is(k, plotPrev):
		step(-1)
	case keymap.Is(k, plotTime):
		p.byTime = !p.byTime
	case keymap.Is(k, keymap.Refresh):
		return m.readSeries()
	}
	return nil
}

func (p *plotter) help() []key.Binding {
	many := len(p.series) > 1
	over := plotTime
	if p.byTime {
		over = keymap.As(plotTime, "by step")
	}
	return []key.Binding{keymap.When(many, plotNext), keymap.When(many, plotPrev), keymap.When(len(p.series) > 0, over), plotEnd, keymap.Refresh}
}

// view draws the plot, and below it what else could be drawn.
func (p *plotter) view(width, height int) string {
	t := style.Now()
	i, ok := p.seen()
	switch {
	case !ok && p.gen != 0:
		return widget.Fit(t.Faint.Render(fmt.Sprintf("\n  looking for numbers, %d%%", p.percent.Load())), width, height)
	case p.err != nil:
		return widget.Fit("\n"+strings.Join(widget.Paragraph(p.err.Error(), width-2, 2), "\n"), width, height)
	case !ok:
		said := "This log reports no number again and again, such as \"loss: 0.12\" or a progress bar."
		return widget.Fit("\n"+strings.Join(widget.Paragraph(said, width-2, 2), "\n"), width, height)
	}
	names := make([]string, len(p.series))
	for j, s := range p.series {
		names[j] = t.Faint.Render(s.Name)
		if j == i {
			names[j] = t.Accent.Underline(true).Render(s.Name)
		}
	}
	lines := Plot(p.series[i], p.byTime).Draw(width, height-1)
	return widget.Fit(strings.Join(append(lines, text.Truncate(" "+strings.Join(names, "  "), width)), "\n"), width, height)
}

// Plot puts a series over its epochs where they tell the points apart, over the
// reports else, or over time.
func Plot(s logfile.Series, byTime bool) widget.Plot {
	plot := widget.Plot{YLabel: s.Name, Lines: true, XLabel: "report"}
	last := s.Points[len(s.Points)-1]
	plot.Title = fmt.Sprintf(" %s, %d reports, now %g", s.Name, len(s.Points), last.Value)
	if s.Name == logfile.ProgressSeries {
		plot.YLabel = "percent"
	}
	epochs := true
	for i, x := range s.Points {
		epochs = epochs && x.Epoch > 0 && (i == 0 || x.Epoch > s.Points[i-1].Epoch)
	}
	first := s.Points[0].Time
	timed := byTime && !first.IsZero() && last.Time.After(first)
	unit, div := "seconds", 1.0
	if timed {
		switch d := last.Time.Sub(first); {
		case d > 3*time.Hour:
			unit, div = "hours", 3600
		case d > 3*time.Minute:
			unit, div = "minutes", 60
		}
		plot.XLabel = unit + " after " + first.Local().Format("15:04:05")
	} else if epochs {
		plot.XLabel = "epoch or step"
	}
	for i, x := range s.Points {
		at := float64(i + 1)
		switch {
		case timed:
			at = x.Time.Sub(first).Seconds() / div
		case epochs:
			at = x.Epoch
		}
		plot.X, plot.Y = append(plot.X, at), append(plot.Y, x.Value)
	}
	return plot
}
