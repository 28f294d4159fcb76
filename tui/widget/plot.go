package widget

import (
	"math"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// Plot is numbers against numbers, with axes, in dots of braille: eight to a cell.
// Titles and labels may be untrusted.
type Plot struct {
	Title  string
	XLabel string
	YLabel string
	X, Y   []float64 // points; those that are no numbers are left out
	// Lines joins the points in their order.
	Lines bool
	// Names stand below the axis at 0, 1, 2 … instead of numbers.
	Names []string
	// Tick writes a number at the x axis; nil writes it as it is.
	Tick func(float64) string
}

// Draw draws the plot in at most width and height cells. It says so where there is
// nothing to draw, or no room.
func (p Plot) Draw(width, height int) []string {
	t := style.Now()
	title := t.Head.Render(text.Truncate(text.Line(p.Title), max(width, 1)))
	xs, ys := p.points()
	switch {
	case len(xs) == 0:
		return []string{title, t.Faint.Render(text.Truncate("no numbers to draw", max(width, 1)))}
	case width < 20 || height < 6:
		return []string{title, t.Faint.Render(text.Truncate("no room to draw", max(width, 1)))}
	}
	y := newAxis(ys, max((height-4)/3, 2))
	labels := make([]string, len(y.ticks))
	gutter := 0
	for i, v := range y.ticks {
		labels[i] = tickText(v, y.step)
		gutter = max(gutter, text.Width(labels[i]))
	}
	gutter = min(gutter, width/3)
	w, h := width-gutter-2, height-4
	x := newAxis(xs, max(w/12, 2))
	if p.Names != nil {
		x = axis{low: -0.5, high: float64(len(p.Names)) - 0.5}
		for i := range p.Names {
			x.ticks = append(x.ticks, float64(i))
		}
	}
	c := newCanvas(w, h)
	for i := range xs {
		cx, cy := x.place(xs[i], 2*w), 4*h-1-y.place(ys[i], 4*h)
		if p.Lines && i > 0 {
			c.line(x.place(xs[i-1], 2*w), 4*h-1-y.place(ys[i-1], 4*h), cx, cy)
		}
		c.dot(cx, cy)
		if !p.Lines { // a single dot is hard to see
			cx, cy = min(cx, 2*w-2), min(cy, 4*h-2)
			for i := range 4 {
				c.dot(cx+i%2, cy+i/2)
			}
		}
	}
	across := text.Truncate(text.Line(p.XLabel), width/2) + " →"
	lines := []string{title, t.Faint.Render(Ends("↑ "+text.Truncate(text.Line(p.YLabel), max(width/2-4, 1)), across, width))}
	at := map[int]string{}
	for i, v := range y.ticks {
		at[h-1-y.place(v, 4*h)/4] = labels[i]
	}
	for row := range h {
		sign := "│"
		if at[row] != "" {
			sign = "┤"
		}
		lines = append(lines, t.Faint.Render(text.PadLeft(at[row], gutter)+" "+sign)+t.Busy.Render(strings.TrimRight(c.row(row), " ")))
	}
	return append(lines, p.below(x, gutter, w)...)
}

// below is the x axis with its numbers.
func (p Plot) below(x axis, gutter, w int) []string {
	t := style.Now()
	rule := []rune(strings.Repeat("─", w))
	numbers := strings.Repeat(" ", gutter+2)
	for i, v := range x.ticks {
		cell := min(x.place(v, 2*w)/2, w-1)
		rule[cell] = '┬'
		word := tickText(v, x.step)
		if p.Names != nil {
			word = text.Line(p.Names[i])
		} else if p.Tick != nil {
			word = text.Line(p.Tick(v))
		}
		word = text.Truncate(word, max(w/len(x.ticks), 4))
		start := gutter + 2 + cell - text.Width(word)/2
		start = max(min(start, gutter+2+w-text.Width(word)), 0)
		if have := text.Width(strings.TrimRight(numbers, " ")); start <= have && have > 0 {
			continue
		}
		numbers = text.Pad(numbers, start) + word
	}
	ruler := t.Faint.Render(strings.Repeat(" ", gutter) + " └" + string(rule))
	return []string{ruler, t.Faint.Render(text.Truncate(numbers, gutter+2+w))}
}

// points are those that are numbers.
func (p Plot) points() (xs, ys []float64) {
	for i := range min(len(p.X), len(p.Y)) {
		if ok(p.X[i]) && ok(p.Y[i]) {
			xs, ys = append(xs, p.X[i]), append(ys, p.Y[i])
		}
	}
	return xs, ys
}

// ok leaves out what is no number, or too large to be drawn beside another.
func ok(v float64) bool { return !math.IsNaN(v) && math.Abs(v) < 1e300 }

// axis is a span of numbers with round ones in it.
type axis struct {
	low, high, step float64
	ticks           []float64
}

// newAxis spans the values with about n round numbers.
func newAxis(values []float64, n int) axis {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	if low == high {
		pad := math.Abs(low) / 2
		if pad == 0 {
			pad = 1
		}
		low, high = low-pad, high+pad
	}
	step := roundStep((high - low) / float64(n))
	a := axis{low: math.Floor(low/step) * step, high: math.Ceil(high/step) * step, step: step}
	for i := range 4 * (n + 2) {
		v := a.low + float64(i)*step
		if v > a.high+step/2 {
			break
		}
		a.ticks = append(a.ticks, v)
	}
	return a
}

// roundStep is 1, 2 or 5 times a power of ten.
func roundStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	switch f := rough / power; {
	case f <= 1:
		return power
	case f <= 2:
		return 2 * power
	case f <= 5:
		return 5 * power
	}
	return 10 * power
}

// place is where a value stands among n dots.
func (a axis) place(v float64, n int) int {
	if a.high <= a.low {
		return 0
	}
	return max(min(int((v-a.low)/(a.high-a.low)*float64(n-1)+0.5), n-1), 0)
}

func tickText(v, step float64) string {
	if math.Abs(v) < step/1000 {
		return "0"
	}
	s := strconv.FormatFloat(v, 'g', 10, 64)
	if len(s) > 8 {
		s = strconv.FormatFloat(v, 'g', 4, 64)
	}
	return s
}

// canvas is dots of braille, two wide and four high in each cell.
type canvas struct {
	w, h int
	bits []byte
}

func newCanvas(w, h int) *canvas { return &canvas{w, h, make([]byte, w*h)} }

// brailleBits are the dots of a cell by row and column.
var brailleBits = [4][2]byte{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

func (c *canvas) dot(x, y int) {
	if x < 0 || y < 0 || x >= 2*c.w || y >= 4*c.h {
		return
	}
	c.bits[y/4*c.w+x/2] |= brailleBits[y%4][x%2]
}

func (c *canvas) line(x0, y0, x1, y1 int) {
	n := max(abs(x1-x0), abs(y1-y0))
	for i := 1; i < n; i++ {
		c.dot(x0+(x1-x0)*i/n, y0+(y1-y0)*i/n)
	}
}

func abs(n int) int { return max(n, -n) }

func (c *canvas) row(y int) string {
	var b strings.Builder
	for x := range c.w {
		if bits := c.bits[y*c.w+x]; bits == 0 {
			b.WriteByte(' ') // an empty cell of braille costs three bytes
		} else {
			b.WriteRune(0x2800 + rune(bits))
		}
	}
	return b.String()
}
