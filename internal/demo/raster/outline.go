package raster

import (
	"strconv"
	"strings"
)

// Polygon is the outline of a component: its outer ring first, then its holes.
type Polygon struct {
	Label int32
	Rings []Ring
}

// Ring is a closed line through the middles of pixel sides, in half pixels
// (both coordinates doubled), without its first point repeated at the end.
//
// Such rings never touch or cross themselves or one another, even where pixels
// meet at a corner only, so every polygon made of them is valid.
type Ring [][2]int

// Area is the area within the ring in pixels.
func (r Ring) Area() float64 {
	twice := 0
	for i, p := range r {
		q := r[(i+1)%len(r)]
		twice += p[0]*q[1] - q[0]*p[1]
	}
	if twice < 0 {
		twice = -twice
	}
	return float64(twice) / 8 // half of it, and 4 half-pixel squares to a pixel
}

// The four sides of a pixel, clockwise from the upper one.
var sides = [4][2]int{{0, -1}, {1, 0}, {0, 1}, {-1, 0}}

// Outlines traces the components for which keep is true. Holes smaller than
// minHole pixels are filled.
func Outlines(l *Labels, minHole float64, keep func(Component) bool) []Polygon {
	var out []Polygon
	at := make(map[int32]int) // label -> place in out
	// Every ring has a pixel whose upper side belongs to it, so rings are
	// looked for at upper sides only, and only those need to be remembered.
	seen := make([]bool, len(l.Of))
	for p, label := range l.Of {
		if label == 0 || seen[p] || !keep(l.Components[label-1]) {
			continue
		}
		x, y := p%l.W, p/l.W
		if l.is(x, y-1, label) {
			continue
		}
		ring := l.trace(x, y, label, seen)
		i, known := at[label]
		switch {
		case !known: // the first ring met from above is the outer one
			at[label] = len(out)
			out = append(out, Polygon{Label: label, Rings: []Ring{ring}})
		case ring.Area() >= minHole:
			out[i].Rings = append(out[i].Rings, ring)
		}
	}
	return out
}

func (l *Labels) is(x, y int, label int32) bool {
	return x >= 0 && y >= 0 && x < l.W && y < l.H && l.Of[y*l.W+x] == label
}

// trace follows the border from the upper side of pixel (x, y), the component
// on its right hand, and leaves out points in the middle of straight lines.
func (l *Labels) trace(x, y int, label int32, seen []bool) Ring {
	var ring Ring
	startX, startY, side := x, y, 0
	for {
		if side == 0 {
			seen[y*l.W+x] = true
		}
		out, along := sides[side], sides[(side+1)%4]
		ring = add(ring, [2]int{2*x + 1 + out[0], 2*y + 1 + out[1]})
		switch {
		case l.is(x+along[0]+out[0], y+along[1]+out[1], label):
			x, y, side = x+along[0]+out[0], y+along[1]+out[1], (side+3)%4
		case l.is(x+along[0], y+along[1], label):
			x, y = x+along[0], y+along[1]
		default:
			side = (side + 1) % 4
		}
		if x == startX && y == startY && side == 0 {
			return closeRing(ring)
		}
	}
}

// add appends p; if the last point lies straight between, p takes its place.
func add(r Ring, p [2]int) Ring {
	if n := len(r); n >= 2 && straight(r[n-2], r[n-1], p) {
		r[n-1] = p
		return r
	}
	return append(r, p)
}

// closeRing removes points in the middle of a line that runs over the start.
func closeRing(r Ring) Ring {
	if n := len(r); n > 3 && straight(r[n-2], r[n-1], r[0]) {
		r = r[:n-1]
	}
	if n := len(r); n > 3 && straight(r[n-1], r[0], r[1]) {
		r = r[1:]
	}
	return r
}

func straight(a, b, c [2]int) bool {
	return (b[0]-a[0])*(c[1]-b[1]) == (b[1]-a[1])*(c[0]-b[0])
}

// WKT writes the polygon as the server wants it: in pixels, y from the bottom
// of an image of the given height.
func (p Polygon) WKT(height int) string {
	var b strings.Builder
	b.WriteString("POLYGON (")
	for i, r := range p.Rings {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for _, q := range r {
			writePoint(&b, q, height)
			b.WriteString(", ")
		}
		writePoint(&b, r[0], height)
		b.WriteByte(')')
	}
	b.WriteByte(')')
	return b.String()
}

func writePoint(b *strings.Builder, p [2]int, height int) {
	writeHalf(b, p[0])
	b.WriteByte(' ')
	writeHalf(b, 2*height-p[1])
}

func writeHalf(b *strings.Builder, v int) {
	b.WriteString(strconv.Itoa(v / 2))
	if v%2 != 0 {
		b.WriteString(".5")
	}
}
