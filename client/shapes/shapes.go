// Package shapes reads the annotation files that programs write, and turns what
// is in them into the vectors of EXACT.
//
// A program that works on files (descriptor.IsFileProgram) knows no server: it
// leaves its findings as JSON of our own, described by
// docs/annotations.schema.json, or as GeoJSON as QuPath writes it. All
// coordinates are pixels of the full image (level 0), the origin at the top left.
//
// The package is pure. Files come from programs that nobody vouches for: reading
// streams, so that memory does not grow with the file, and whatever is wrong is
// an error that names the annotation by its place.
package shapes

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Kind is the form of a shape.
type Kind string

// The forms. Nothing is an annotation of the whole image.
const (
	Nothing Kind = "nothing"
	PointAt Kind = "point"
	Box     Kind = "box" // two opposite corners
	Line    Kind = "line"
	Polygon Kind = "polygon" // a ring, its first point not repeated
)

// Point is a place in pixels of the full image.
type Point struct{ X, Y float64 }

// Shape is one annotation of a file.
type Shape struct {
	// Index is the place of the annotation in its file, from 0; Part tells the
	// pieces of one apart (MultiPolygon), from 0.
	Index, Part int
	// TypeName or TypeID say what it is. Both may be empty.
	TypeName string
	TypeID   client.ID
	Kind     Kind
	Points   []Point
	// Score is how sure the program is, nil where it does not say.
	Score *float64
	// ID is the program's own identifier, any text, and Name its words for it.
	ID, Name string
	// Entry groups annotations in a plugin result; empty is the file's name.
	Entry string
	// Meta is what else the program says: a JSON object, or nil.
	Meta json.RawMessage
	// Holes counts the holes of a polygon, which EXACT cannot keep.
	Holes int
}

// Limits of what one annotation may be.
const (
	mostPoints = 1_000_000
	farthest   = 1e9 // no image has such a coordinate
	longest    = 200 // characters of a name
	mostMeta   = 64 << 10
)

// check tells what is wrong with a shape in itself.
func (s Shape) check() error {
	least := map[Kind]int{PointAt: 1, Box: 2, Line: 2, Polygon: 3}[s.Kind]
	switch {
	case len(s.Points) < least:
		return fmt.Errorf("a %s needs %d points, not %d", s.Kind, least, len(s.Points))
	case len(s.Points) > mostPoints:
		return fmt.Errorf("a %s of more than %d points", s.Kind, mostPoints)
	case s.Score != nil && *s.Score != *s.Score:
		return fmt.Errorf("its score is no number")
	case len(s.Meta) > mostMeta:
		return fmt.Errorf("its meta has more than %d KiB", mostMeta>>10)
	}
	for _, p := range s.Points {
		if !(p.X > -farthest && p.X < farthest && p.Y > -farthest && p.Y < farthest) {
			return fmt.Errorf("coordinate %g, %g lies on no image", p.X, p.Y)
		}
	}
	return nil
}

// Bounds is the box around a shape.
func (s Shape) Bounds() (low, high Point) {
	for i, p := range s.Points {
		if i == 0 {
			low, high = p, p
		}
		low.X, low.Y = min(low.X, p.X), min(low.Y, p.Y)
		high.X, high.Y = max(high.X, p.X), max(high.Y, p.Y)
	}
	return low, high
}

// Key tells the annotations of one file apart by their place, which stays as long
// as the file does. The program's own identifiers need not be unique.
func (s Shape) Key() string {
	key := "#" + strconv.Itoa(s.Index)
	if s.Part > 0 {
		key += "/" + strconv.Itoa(s.Part)
	}
	return key
}

// cut keeps a name within what servers take.
func cut(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > longest {
		return string(r[:longest])
	}
	return s
}
