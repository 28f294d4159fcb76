package logfile

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// Series is a number that a program reported again and again, such as its loss.
type Series struct {
	Name   string // in lower case, safe to show
	Points []Point
}

// Point is one report.
type Point struct {
	Offset int64 // of its line
	// Epoch is the round of training or the step that the program said it was in,
	// 0 while it had not said any.
	Epoch float64
	Value float64
	// Time is when it was written, zero where that was not recorded.
	Time time.Time
}

// ProgressSeries is the name of the series of a program's progress, in percent.
const ProgressSeries = "progress"

// Bounds of what is kept of a log, however long it is.
const (
	maxSeries = 48
	maxPoints = 4096
)

// Series reads the numbers out of the whole log: "loss: 0.12", "val_loss=0.3", and
// its progress. Those that were reported fewer than three times, or never changed,
// are left out. Of long ones some points are left out. seen is told how far the
// reading is and may be nil.
func (l *Log) Series(ctx context.Context, seen func(done, total int64)) ([]Series, error) {
	r, size := l.now()
	c := &collector{series: map[string]*Series{}}
	n := 0
	for in := linesFrom(r, 0, size); ; n++ {
		s, ok := in.next()
		if !ok {
			if in.err != nil {
				return nil, in.err
			}
			break
		}
		if n%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if seen != nil {
				seen(s.off, size)
			}
		}
		c.line(s)
	}
	out := c.done()
	for i := range out {
		for j := range out[i].Points {
			if at, ok := l.Time(out[i].Points[j].Offset); ok {
				out[i].Points[j].Time = at
			}
		}
	}
	return out, nil
}

// collector gathers the numbers of a log line by line.
type collector struct {
	series map[string]*Series
	order  []string
	epoch  float64
	meter  Meter
	last   int // progress as it was kept last, in percent
}

func (c *collector) line(s span) {
	// Most lines of most logs have neither.
	if !bytes.ContainsAny(s.data, "=:%/") {
		return
	}
	for state := range bytes.SplitSeq(s.data[:min(len(s.data), 64<<10)], []byte("\r")) {
		c.state(s.off, state)
	}
	if _, err := c.meter.Write(s.data); err == nil {
		if p, ok := c.meter.Progress(); ok && p != c.last {
			c.last = p
			c.add(ProgressSeries, Point{Offset: s.off, Value: float64(p)})
		}
	}
}

// state reads one state of a line.
func (c *collector) state(off int64, state []byte) {
	if len(state) > maxProgressLine || !bytes.ContainsAny(state, "0123456789") {
		return
	}
	line := string(state)
	if strings.IndexByte(line, 0x1b) >= 0 {
		line = text.Strip(line)
	}
	low := strings.ToLower(line)
	if i := strings.Index(low, "epoch"); i >= 0 {
		if k, _, ok := fraction(low[i+len("epoch"):]); ok {
			c.epoch = float64(k)
		}
	}
	numbers(low, func(name string, v float64) {
		switch name {
		case "epoch", "step", "global_step", "iter", "iteration":
			c.epoch = v
			return
		}
		c.add(name, Point{Offset: off, Epoch: c.epoch, Value: v})
	})
}

func (c *collector) add(name string, p Point) {
	s := c.series[name]
	if s == nil {
		if len(c.series) == maxSeries {
			return
		}
		s = &Series{Name: text.Line(name)}
		c.series[name] = s
		c.order = append(c.order, name)
	}
	// The last state of a bar counts, not each on the way.
	if n := len(s.Points); n > 0 && s.Points[n-1].Offset == p.Offset {
		s.Points[n-1] = p
		return
	}
	if s.Points = append(s.Points, p); len(s.Points) >= 2*maxPoints {
		kept := s.Points[:0]
		for i, x := range s.Points {
			if i%2 == 0 {
				kept = append(kept, x)
			}
		}
		s.Points = kept
	}
}

// done gives the series that say something: losses first, then the others, progress
// last.
func (c *collector) done() []Series {
	var out []Series
	for _, name := range c.order {
		s := c.series[name]
		changes := slices.ContainsFunc(s.Points, func(p Point) bool { return p.Value != s.Points[0].Value })
		if len(s.Points) >= 3 && changes {
			out = append(out, *s)
		}
	}
	rank := func(s Series) int {
		switch {
		case s.Name == ProgressSeries:
			return 2
		case strings.Contains(s.Name, "loss"):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b Series) int { return rank(a) - rank(b) })
	return out
}

// numbers finds "name: 1.5" and "name=1.5" in a line in lower case.
func numbers(low string, found func(name string, v float64)) {
	for i := 1; i < len(low)-1; i++ {
		if low[i] != '=' && low[i] != ':' {
			continue
		}
		name := nameBefore(low[:i])
		if name == "" {
			continue
		}
		if v, ok := numberAt(low[i+1:]); ok {
			found(name, v)
		}
	}
}

// longestName bounds what is taken for a name.
const longestName = 40

// nameBefore is the name that ends at the end of s, with a word before it that tells
// which one is meant.
func nameBefore(s string) string {
	s = strings.TrimRight(s, ` "'`)
	start := len(s)
	for start > 0 && len(s)-start < longestName && inName(s[start-1]) {
		start--
	}
	name := strings.Trim(s[start:], ".-")
	if name == "" || name[0] < 'a' || name[0] > 'z' || start > 0 && (s[start-1] == '/' || s[start-1] == ':') {
		return ""
	}
	before := strings.TrimRight(s[:start], " ")
	if len(before) == start-1 {
		word := before[strings.LastIndexByte(before, ' ')+1:]
		switch word {
		case "train", "training", "val", "valid", "validation", "test", "dice", "mean", "avg", "average", "learning", "total":
			return word + " " + name
		}
	}
	return name
}

func inName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

// numberAt reads the number at the start of s. What goes on as a word, a time or a
// version is none.
func numberAt(s string) (float64, bool) {
	s = strings.TrimLeft(s, " ")
	n := 0
	for n < len(s) && n < 32 && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' || s[n] == '-' || s[n] == '+' ||
		s[n] == 'e' && n > 0 && n+1 < len(s) && s[n+1] != ' ') {
		n++
	}
	v, err := strconv.ParseFloat(s[:n], 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	if n < len(s) && (inName(s[n]) || s[n] == ':' || s[n] == '/') {
		return 0, false
	}
	return v, true
}
