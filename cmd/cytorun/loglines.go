package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/logfile"
)

// logOptions say what of a log is printed.
type logOptions struct {
	follow     bool
	since      string
	grep       string
	context    int
	timestamps bool
	plot       string
}

// byLines tells whether the log is printed line by line, as the viewer shows it,
// rather than byte by byte.
func (o logOptions) byLines() bool { return o.since != "" || o.grep != "" || o.timestamps }

// start is the time that --since means: so long ago, or a date.
func (o logOptions) start(now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(o.since); err == nil {
		return now.Add(-d.Abs()), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, o.since, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError(fmt.Errorf("--since %q is no time; write 10m, 2h or 2026-05-01T14:30", o.since))
}

// pattern is what --grep looks for: text, or an expression between slashes. Small
// letters match capitals too.
func (o logOptions) pattern() (*logfile.Pattern, error) {
	if o.grep == "" {
		return nil, nil
	}
	fold := strings.ToLower(o.grep) == o.grep
	p, err := logfile.Literal(o.grep, fold)
	if n := len(o.grep); n > 2 && o.grep[0] == '/' && o.grep[n-1] == '/' {
		p, err = logfile.Regexp(o.grep[1:n-1], fold)
	}
	if err != nil {
		return nil, usageError(fmt.Errorf("--grep: %w", err))
	}
	return p, nil
}

// linePrinter prints a log line by line.
type linePrinter struct {
	log     *logfile.Log
	out     *bufio.Writer
	view    logfile.View
	at      int64 // where the next line begins
	stamps  bool
	colours bool
	printed int64 // the end of what was printed last, 0 for nothing yet
}

// printLines prints what of a log is asked for; following it ends with the
// analysis.
func (c *cli) printLines(ctx context.Context, s *app.Session, a app.Analysis, l app.Log, o logOptions) error {
	pattern, err := o.pattern()
	if err != nil {
		return err
	}
	var from time.Time
	if o.since != "" {
		if from, err = o.start(s.Env.Now()); err != nil {
			return err
		}
	}
	p := &linePrinter{out: bufio.NewWriterSize(c.out, 64<<10), view: logfile.View{Filter: pattern, Context: o.context}, stamps: o.timestamps}
	if t, ok := c.out.(*os.File); ok && isTerminal(t) {
		p.colours = true
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		// The state first: what was written before an end that we saw is read.
		live := o.follow && l.Live && a.State().Live
		if p.log == nil {
			p.log, err = logfile.Open(l.Path)
			switch {
			case err == nil:
				defer p.log.Close()
				if !from.IsZero() {
					if p.at = p.log.Since(from); p.at == 0 && !p.timed() {
						c.warn("when its lines were written is not known: all of the log is printed")
					}
				}
			case !errors.Is(err, fs.ErrNotExist) || !live:
				return err
			}
		}
		if p.log != nil {
			if err := p.more(ctx, live); err != nil {
				return err
			}
		}
		if err := p.out.Flush(); err != nil || !live {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if a, err = s.Refresh(ctx, a); err != nil {
			return err
		}
	}
}

// timed tells whether anything is known of when the log was written.
func (p *linePrinter) timed() bool {
	_, ok := p.log.Time(0)
	return ok
}

// more prints what has come. While the log grows, a line without its end waits.
func (p *linePrinter) more(ctx context.Context, live bool) error {
	change, err := p.log.Poll()
	if err != nil {
		return err
	}
	if change == logfile.Replaced {
		p.at, p.printed = 0, 0
	}
	end := p.log.Size()
	if live {
		end = p.whole(end)
	}
	for p.at < end {
		const some = 2000
		lines, err := p.log.Lines(ctx, p.at, some, p.view)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l.Offset >= end {
				break
			}
			p.print(l)
			p.at = l.End
		}
		if len(lines) < some {
			p.at = end
		}
	}
	return nil
}

// whole is where the last line begins that has no end yet.
func (p *linePrinter) whole(size int64) int64 {
	if size == 0 {
		return 0
	}
	last := make([]byte, 1)
	if _, err := io.ReadFull(p.log.Bytes(size-1, size), last); err == nil && last[0] == '\n' {
		return size
	}
	return p.log.Start(size)
}

func (p *linePrinter) print(l logfile.Line) {
	if p.view.Filter != nil && p.printed > 0 && l.Offset > p.printed {
		_, _ = p.out.WriteString("--\n") // errors stay until Flush
	}
	p.printed = l.End
	stamp := ""
	if p.stamps {
		stamp = strings.Repeat(" ", len("2006-01-02T15:04:05 "))
		if at, ok := p.log.Time(l.Offset); ok {
			stamp = at.Local().Format("2006-01-02T15:04:05 ")
		}
	}
	for _, row := range l.Rows {
		row = app.RedactLine(row)
		if !p.colours {
			row = text.Strip(row)
		}
		_, _ = p.out.WriteString(stamp + row + "\n")
	}
}
