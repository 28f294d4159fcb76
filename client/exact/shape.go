package exact

import (
	"math"
	"strconv"
	"strings"
)

// form is the vector type of a shape, guessed from its corners where the type of
// the annotation is not known.
func (v Vector) form(known VectorType) VectorType {
	if known != 0 {
		return known
	}
	switch {
	case len(v) < 4:
		return Global
	case len(v) == 4:
		return BoundingBox
	}
	return Polygon
}

// area is in square pixels, 0 for what has none.
func (v Vector) area(form VectorType) float64 {
	switch {
	case (form == BoundingBox || form == FixedBoundingBox) && len(v) >= 4:
		return math.Abs((v[2] - v[0]) * (v[3] - v[1]))
	case form == Polygon && len(v) >= 6:
		sum := 0.0
		for i := 0; i+1 < len(v); i += 2 {
			j := (i + 2) % len(v)
			sum += v[i]*v[j+1] - v[j]*v[i+1]
		}
		return math.Abs(sum) / 2
	}
	return 0
}

// wkt writes a shape as WKT with the origin at the bottom left, which needs the
// height of the image. What is nowhere is empty.
func (v Vector) wkt(form VectorType, height int) string {
	at := func(b *strings.Builder, x, y float64) {
		b.WriteString(strconv.FormatFloat(x, 'f', -1, 64))
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(float64(height)-y, 'f', -1, 64))
	}
	var b strings.Builder
	switch {
	case form == Point && len(v) >= 2:
		b.WriteString("POINT (")
		at(&b, v[0], v[1])
		b.WriteString(")")
	case (form == Line || form == MultiLine) && len(v) >= 4:
		b.WriteString("LINESTRING (")
		for i := 0; i+1 < len(v); i += 2 {
			if i > 0 {
				b.WriteString(", ")
			}
			at(&b, v[i], v[i+1])
		}
		b.WriteString(")")
	case (form == BoundingBox || form == FixedBoundingBox) && len(v) >= 4:
		return Vector{v[0], v[1], v[2], v[1], v[2], v[3], v[0], v[3]}.wkt(Polygon, height)
	case form == Polygon && len(v) >= 6:
		b.WriteString("POLYGON ((")
		for i := 0; i+1 < len(v); i += 2 {
			at(&b, v[i], v[i+1])
			b.WriteString(", ")
		}
		at(&b, v[0], v[1])
		b.WriteString("))")
	}
	return b.String()
}
