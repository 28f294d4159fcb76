package embedded

import (
	"math"
	"strconv"
	"strings"

	"github.com/peterstace/simplefeatures/geom"
)

// Annotations are shapes in pixels with the origin at the bottom left of the
// image, y upwards, written as WKT.

// parseShape reads WKT the way the original does: what is no valid geometry is
// refused, and so are the kinds it does not keep.
func parseShape(wkt string) (geom.Geometry, error) {
	g, err := geom.UnmarshalWKT(strings.TrimSpace(wkt))
	if err != nil {
		return g, wrong("Annotation location not valid")
	}
	return g.Force2D(), nil
}

// clip cuts a shape to the image, as the original does on every write.
func clip(g geom.Geometry, width, height int64) (geom.Geometry, error) {
	if width <= 0 || height <= 0 { // size unknown
		return g, nil
	}
	env := g.Envelope()
	lo, hi, ok := env.MinMaxXYs()
	if !ok || lo.X >= 0 && lo.Y >= 0 && hi.X <= float64(width) && hi.Y <= float64(height) {
		return g, nil
	}
	return geom.Intersection(g, box(0, 0, float64(width), float64(height)))
}

// box is a rectangle as a shape.
func box(minX, minY, maxX, maxY float64) geom.Geometry {
	env := geom.NewEnvelope(geom.XY{X: minX, Y: minY}, geom.XY{X: maxX, Y: maxY})
	return env.AsGeometry()
}

// keepable refuses the shapes an annotation cannot have.
func keepable(g geom.Geometry) error {
	if g.IsEmpty() {
		return wrong("%s is an empty geometry!", g.AsText())
	}
	if g.IsGeometryCollection() || g.IsMultiLineString() {
		return wrong("%s is not a valid geometry type!", g.Type())
	}
	return nil
}

// points counts the corners of a shape.
func points(g geom.Geometry) int { return g.DumpCoordinates().Length() }

// simplify reduces a shape of 100 points or more, in steps of a quarter pixel,
// until it has no more than a limit that depends on its size, or on what the
// client asked for. It returns the tolerance used.
func simplify(g geom.Geometry, minPoint, maxPoint int64) (geom.Geometry, float64) {
	n := points(g)
	if n < 100 {
		return g, 0
	}
	parts := rings(g)
	if parts > 10 {
		parts /= 2
	}
	parts = min(max(parts, 1), 10)
	most := math.Max(float64(n)/1.3, float64(parts)*maxPoints)
	if maxPoint > 0 {
		most = float64(maxPoint) * float64(parts)
	}
	least := math.Min(math.Max(float64(n)/1.7, 10), float64(parts)*100)
	if minPoint > 0 {
		least = float64(minPoint) * float64(parts)
	}
	out, rate := g, 0.0
	for step := 0; float64(n) > most && step < 1000; step++ {
		tolerance := float64(step) * 0.25
		next, err := g.Simplify(tolerance)
		if err != nil || next.IsEmpty() {
			break
		}
		out, rate, n = next, tolerance, points(next)
		if float64(n) < least {
			break
		}
	}
	return out, rate
}

// maxPoints is how many points a ring keeps unless the client says otherwise.
const maxPoints = 200

// rings counts the holes of a polygon, or the parts and holes of several, as the
// simplification weighs them.
func rings(g geom.Geometry) int {
	if p, ok := g.AsPolygon(); ok {
		return p.NumInteriorRings()
	}
	if mp, ok := g.AsMultiPolygon(); ok {
		n := 0
		for i := range mp.NumPolygons() {
			n += mp.PolygonN(i).NumInteriorRings()
		}
		return n
	}
	return 1
}

// measure is what is stored beside a shape to list and filter without reading it.
type measure struct {
	area, perimeter        float64
	micron                 bool // area in µm² and perimeter in mm, else pixels
	x, y                   float64
	minX, minY, maxX, maxY float64
}

// measureShape computes area and length; resolution is µm per pixel, 0 when it is
// not known.
func measureShape(g geom.Geometry, resolution float64) measure {
	m := measure{area: g.Area(), perimeter: perimeter(g)}
	if resolution > 0 {
		m.micron = true
		m.area *= resolution * resolution
		m.perimeter *= resolution / 1000
	} else {
		m.area, m.perimeter = math.Round(m.area), math.Round(m.perimeter)
	}
	if c, ok := g.Centroid().XY(); ok {
		m.x, m.y = c.X, c.Y
	}
	if lo, hi, ok := g.Envelope().MinMaxXYs(); ok {
		m.minX, m.minY, m.maxX, m.maxY = lo.X, lo.Y, hi.X, hi.Y
	}
	return m
}

// perimeter is the length of all rings and lines.
func perimeter(g geom.Geometry) float64 {
	if g.Dimension() == 2 {
		return g.Boundary().Length()
	}
	return g.Length()
}

// boundingBox reads the bbox of a request: four numbers minx,miny,maxx,maxy, or a
// polygon.
func boundingBox(s string) (geom.Geometry, error) {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(s)), "POLYGON") {
		return parseShape(s)
	}
	parts := strings.Split(s, ",")
	var v [4]float64
	if len(parts) != 4 {
		return geom.Geometry{}, wrong("bbox must be minx,miny,maxx,maxy or a polygon: %s", s)
	}
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return geom.Geometry{}, wrong("bbox must be minx,miny,maxx,maxy or a polygon: %s", s)
		}
		v[i] = f
	}
	return box(v[0], v[1], v[2], v[3]), nil
}
