package shapes

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// VectorType is EXACT's number for the form of an annotation type (contract
// §6.2).
type VectorType int

// The vector types of EXACT.
const (
	BoundingBox  VectorType = 1
	VectorPoint  VectorType = 2
	VectorLine   VectorType = 3
	MultiLine    VectorType = 4
	VectorRing   VectorType = 5
	FixedBox     VectorType = 6
	Global       VectorType = 7
	Segmentation VectorType = 8
)

// String is the form as people call it.
func (v VectorType) String() string {
	names := [...]string{"", "bounding box", "point", "line", "multi-line", "polygon", "fixed-size box", "global", "segmentation"}
	if v < 1 || int(v) >= len(names) {
		return fmt.Sprintf("vector type %d", int(v))
	}
	return names[v]
}

// Type is an annotation type that may be used on an image set.
type Type struct {
	ID         client.ID
	Name       string
	VectorType VectorType
	// Nodes fixes the number of points of a multi-line or polygon; 0 is any.
	Nodes int
	// Width and Height are the default size of boxes, 0 where there is none.
	Width, Height float64
}

// Types are those of an image set.
type Types []Type

// Find gives the type that a shape means: by id, by name in any case, or the only
// one where the shape names none.
func (ts Types) Find(s Shape) (Type, error) {
	var found []Type
	for _, t := range ts {
		switch {
		case s.TypeID != 0 && t.ID == s.TypeID,
			s.TypeID == 0 && s.TypeName != "" && strings.EqualFold(strings.TrimSpace(t.Name), s.TypeName),
			s.TypeID == 0 && s.TypeName == "" && len(ts) == 1:
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		// Products of one set may each have a type of this name: the form decides.
		if fit := slices.DeleteFunc(slices.Clone(found), func(t Type) bool { _, err := t.Vector(s); return err != nil }); len(fit) == 1 {
			return fit[0], nil
		}
		return Type{}, fmt.Errorf("%d annotation types are named %q; give one by its id: %s", len(found), s.TypeName, Types(found))
	case len(ts) == 0:
		return Type{}, fmt.Errorf("the image set has no annotation types; add a product with some on the server")
	case s.TypeID != 0:
		return Type{}, fmt.Errorf("the image set has no annotation type with the id %d; it has %s", s.TypeID, ts)
	case s.TypeName == "":
		return Type{}, fmt.Errorf("no annotation type is named, and the image set has several: %s", ts)
	}
	return Type{}, fmt.Errorf("the image set has no annotation type %q; it has %s", s.TypeName, ts)
}

// String lists the first types by name and id.
func (ts Types) String() string {
	const most = 12
	var b strings.Builder
	for i, t := range ts {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(ts)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%d, %s)", cut(t.Name), t.ID, t.VectorType)
	}
	return b.String()
}

// Vector is a shape as EXACT keeps one of this type: x1, y1, x2, y2 and so on;
// nothing for an annotation of the whole image. Coordinates are whole pixels, as the server's
// own viewers expect, except of shapes that would vanish by it.
func (t Type) Vector(s Shape) ([]float64, error) {
	cannot := func() ([]float64, error) {
		return nil, fmt.Errorf("a %s cannot be kept as a %s, which type %q is", s.Kind, t.VectorType, cut(t.Name))
	}
	switch t.VectorType {
	case Global:
		if s.Kind != Nothing {
			return cannot()
		}
		return nil, nil
	case Segmentation:
		return nil, fmt.Errorf("type %q is a segmentation, which is drawn in tiles; annotations cannot be of it", cut(t.Name))
	}
	if s.Kind == Nothing {
		return nil, fmt.Errorf("it has no place, and type %q is a %s", cut(t.Name), t.VectorType)
	}
	low, high := s.Bounds()
	switch t.VectorType {
	case VectorPoint:
		if s.Kind == Line {
			return cannot()
		}
		at := Point{math.Round((low.X + high.X) / 2), math.Round((low.Y + high.Y) / 2)}
		return vector(at, at), nil // the value is x1, y1; four keys are wanted
	case BoundingBox, FixedBox:
		switch {
		case s.Kind == Line:
			return cannot()
		case s.Kind == PointAt && (t.Width <= 0 || t.Height <= 0):
			return cannot()
		case s.Kind == PointAt:
			low, high = Point{low.X - t.Width/2, low.Y - t.Height/2}, Point{low.X + t.Width/2, low.Y + t.Height/2}
		}
		low, high = rounded(low), rounded(high)
		high.X, high.Y = max(high.X, low.X+1), max(high.Y, low.Y+1)
		return vector(low, high), nil
	case VectorLine, MultiLine:
		if s.Kind != Line || t.VectorType == VectorLine && len(s.Points) != 2 {
			return cannot()
		}
		return t.ring(s.Points, 2)
	case VectorRing:
		points := s.Points
		switch s.Kind {
		case Box:
			points = []Point{low, {high.X, low.Y}, high, {low.X, high.Y}}
		case PointAt, Line:
			return cannot()
		}
		return t.ring(points, 3)
	}
	return nil, fmt.Errorf("type %q is of a form that this program does not know, %s", cut(t.Name), t.VectorType)
}

// ring writes points of a multi-line or polygon, rounded where least different
// ones remain.
func (t Type) ring(points []Point, least int) ([]float64, error) {
	whole := make([]Point, 0, len(points))
	for _, p := range points {
		if p = rounded(p); len(whole) == 0 || whole[len(whole)-1] != p {
			whole = append(whole, p)
		}
	}
	if least == 3 {
		whole = open(whole)
	}
	if t.Nodes > 0 {
		if len(points) != t.Nodes {
			return nil, fmt.Errorf("it has %d points, and type %q takes exactly %d", len(points), cut(t.Name), t.Nodes)
		}
	}
	if len(whole) < least || t.Nodes > 0 && len(whole) != t.Nodes {
		whole = points
	}
	return vector(whole...), nil
}

func rounded(p Point) Point { return Point{math.Round(p.X), math.Round(p.Y)} }

func vector(points ...Point) []float64 {
	v := make([]float64, 0, 2*len(points))
	for _, p := range points {
		v = append(v, p.X+0, p.Y+0) // adding 0 turns a negative zero into a plain one
	}
	return v
}

// Survey is what one pass over a file found.
type Survey struct {
	Shapes  int
	ByType  map[client.ID]int
	Entries []string // in order; "" stands for the file's own
	Holes   int      // that EXACT cannot keep
	Outside int      // shapes that lie wholly beside the image
}

// Add counts a shape of a type on an image of so many pixels; 0 is unknown.
func (v *Survey) Add(s Shape, t Type, width, height int) {
	if v.ByType == nil {
		v.ByType = map[client.ID]int{}
	}
	v.Shapes++
	v.ByType[t.ID]++
	v.Holes += s.Holes
	if !slices.Contains(v.Entries, s.Entry) {
		v.Entries = append(v.Entries, s.Entry)
	}
	low, high := s.Bounds()
	if width > 0 && height > 0 && len(s.Points) > 0 &&
		(high.X < 0 || high.Y < 0 || low.X > float64(width) || low.Y > float64(height)) {
		v.Outside++
	}
}
