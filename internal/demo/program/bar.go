package program

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bar is a progress bar that draws over itself, in the format that the Python
// package tqdm made common.
type bar struct {
	out         io.Writer
	name        string
	done, total int
	started     time.Time
	drawn       time.Time
}

// barPause is the least time between two drawings.
const barPause = 100 * time.Millisecond

func newBar(out io.Writer, name string, total int) *bar {
	return &bar{out: out, name: name, total: total, started: time.Now()}
}

func (b *bar) step() {
	b.done++
	if now := time.Now(); now.Sub(b.drawn) >= barPause {
		b.drawn = now
		b.draw(now)
	}
}

// end draws the bar a last time and leaves its line.
func (b *bar) end() {
	b.draw(time.Now())
	fmt.Fprintln(b.out)
}

const barWidth = 20

func (b *bar) draw(now time.Time) {
	full := barWidth * b.done / max(b.total, 1)
	spent := now.Sub(b.started)
	rate := float64(b.done) / max(spent.Seconds(), 1e-6)
	left := time.Duration(float64(b.total-b.done) / max(rate, 1e-6) * float64(time.Second))
	fmt.Fprintf(b.out, "\r%s: %3d%%|%s%s| %d/%d [%s<%s, %.1fit/s]", b.name, 100*b.done/max(b.total, 1),
		strings.Repeat("█", full), strings.Repeat(" ", barWidth-full), b.done, b.total, clock(spent), clock(left), rate)
}

func clock(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
