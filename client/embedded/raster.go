package embedded

import (
	"image"
	"math"
	"sort"

	"github.com/peterstace/simplefeatures/geom"
)

// view is a window of an image at a scale: the mapping from the coordinates of
// annotations (origin bottom left) to the pixels of an answer (origin top left).
type view struct {
	left, top      float64 // of the window in the image, top left origin
	height         float64 // of the whole image
	scaleX, scaleY float64 // answer pixels per image pixel
	w, h           int     // size of the answer
}

func (v view) x(x float64) float64 { return (x - v.left) * v.scaleX }
func (v view) y(y float64) float64 { return (v.height - y - v.top) * v.scaleY }

// mask paints shapes white on black. A pixel belongs to a polygon when its centre
// does; points and lines are one pixel wide.
func (v view) mask(shapes ...geom.Geometry) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, v.w, v.h))
	for _, g := range shapes {
		v.paint(m, g)
	}
	return m
}

func (v view) paint(m *image.Gray, g geom.Geometry) {
	switch {
	case g.IsPolygon():
		v.fill(m, g.MustAsPolygon())
	case g.IsMultiPolygon():
		mp := g.MustAsMultiPolygon()
		for i := range mp.NumPolygons() {
			v.fill(m, mp.PolygonN(i))
		}
	case g.IsGeometryCollection(), g.IsMultiPoint(), g.IsMultiLineString():
		for _, part := range g.Dump() {
			v.paint(m, part)
		}
	default:
		seq := g.DumpCoordinates()
		for i := range seq.Length() {
			to := seq.GetXY(i)
			from := seq.GetXY(max(i-1, 0))
			v.line(m, from, to)
		}
	}
}

// fill paints the inside of a polygon, holes left out, row by row.
func (v view) fill(m *image.Gray, p geom.Polygon) {
	rows := make([][]float64, v.h)
	for _, ring := range p.DumpRings() {
		seq := ring.Coordinates()
		for i := 1; i < seq.Length(); i++ {
			a, b := seq.GetXY(i-1), seq.GetXY(i)
			ax, ay, bx, by := v.x(a.X), v.y(a.Y), v.x(b.X), v.y(b.Y)
			if ay > by {
				ax, ay, bx, by = bx, by, ax, ay
			}
			// Rows whose centre y+0.5 lies in [ay, by).
			first := max(int(math.Ceil(ay-0.5)), 0)
			last := min(int(math.Ceil(by-0.5))-1, v.h-1)
			for y := first; y <= last; y++ {
				rows[y] = append(rows[y], ax+(float64(y)+0.5-ay)*(bx-ax)/(by-ay))
			}
		}
	}
	for y, xs := range rows {
		sort.Float64s(xs)
		for i := 0; i+1 < len(xs); i += 2 {
			from, to := max(int(math.Ceil(xs[i]-0.5)), 0), min(int(math.Ceil(xs[i+1]-0.5))-1, v.w-1)
			for x := from; x <= to; x++ {
				m.Pix[y*m.Stride+x] = 255
			}
		}
	}
}

// line paints a line between two corners; both the same is a point.
func (v view) line(m *image.Gray, from, to geom.XY) {
	x0, y0, x1, y1 := v.x(from.X), v.y(from.Y), v.x(to.X), v.y(to.Y)
	steps := math.Ceil(math.Max(math.Abs(x1-x0), math.Abs(y1-y0)))
	if !(steps < 1<<20) { // far outside of any image, or no number
		return
	}
	for i := 0.0; i <= steps; i++ {
		t := 0.0
		if steps > 0 {
			t = i / steps
		}
		x, y := int(math.Floor(x0+t*(x1-x0))), int(math.Floor(y0+t*(y1-y0)))
		if x >= 0 && y >= 0 && x < v.w && y < v.h {
			m.Pix[y*m.Stride+x] = 255
		}
	}
}

// cutout is an image with transparency even where none of its pixels uses it, so
// that a mask that covers everything is a fourth channel all the same.
type cutout struct{ *image.NRGBA }

// Opaque is what the encoders ask.
func (cutout) Opaque() bool { return false }

// cutOut makes everything outside the mask transparent.
func cutOut(img image.Image, mask *image.Gray) image.Image {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			o := out.PixOffset(x, y)
			switch src := img.(type) {
			case *image.NRGBA:
				copy(out.Pix[o:o+3], src.Pix[src.PixOffset(b.Min.X+x, b.Min.Y+y):])
			case *image.Gray:
				g := src.GrayAt(b.Min.X+x, b.Min.Y+y).Y
				out.Pix[o], out.Pix[o+1], out.Pix[o+2] = g, g, g
			default:
				r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				out.Pix[o], out.Pix[o+1], out.Pix[o+2] = byte(r>>8), byte(g>>8), byte(bl>>8)
			}
			out.Pix[o+3] = mask.Pix[y*mask.Stride+x]
		}
	}
	return cutout{out}
}
