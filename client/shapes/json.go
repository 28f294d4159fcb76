package shapes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Schema is the version of our own format.
const Schema = 1

// annotation is one annotation of our own format. Exactly one of vector, points
// and box says where it is; none of them is the whole image.
type annotation struct {
	Type   json.RawMessage `json:"type"`
	Vector json.RawMessage `json:"vector"`
	Points json.RawMessage `json:"points"`
	Box    json.RawMessage `json:"box"`
	Shape  Kind            `json:"shape"`
	Score  *float64        `json:"score"`
	UUID   string          `json:"uuid"`
	Name   string          `json:"name"`
	Entry  string          `json:"entry"`
	Meta   json.RawMessage `json:"meta"`
}

// ours reads an annotation of our own format.
func (in *reader) ours(v json.RawMessage) error {
	wrong := func(format string, args ...any) error { return &Error{in.next, fmt.Errorf(format, args...)} }
	var a annotation
	if err := json.Unmarshal(v, &a); err != nil {
		return wrong("%w", plain(err))
	}
	s := Shape{Score: a.Score, ID: a.UUID, Name: a.Name, Entry: a.Entry}
	var err error
	if s.TypeName, s.TypeID, err = typeOf(a.Type); err != nil {
		return wrong("%w", err)
	}
	if s.Meta, err = metaOf(a.Meta); err != nil {
		return wrong("%w", err)
	}
	places := 0
	for _, p := range []json.RawMessage{a.Vector, a.Points, a.Box} {
		if given(p) {
			places++
		}
	}
	switch {
	case places > 1:
		return wrong("give one of vector, points and box")
	case given(a.Box):
		s.Kind = Box
		s.Points, err = boxPoints(a.Box)
	case given(a.Vector):
		s.Kind = a.Shape
		s.Points, err = vectorPoints(a.Vector)
	case given(a.Points):
		s.Kind = a.Shape
		s.Points, err = pairs(a.Points)
	default:
		s.Kind = Nothing
	}
	if err != nil {
		return wrong("%w", err)
	}
	switch s.Kind {
	case Polygon:
		s.Points = open(s.Points)
	case PointAt, Box, Line, Nothing:
	case "":
		s.Kind, s.Points = guess(s.Points)
	default:
		return wrong("shape should be point, box, line or polygon, but is %q", cut(string(s.Kind)))
	}
	return in.give(s)
}

// guess is the form of points that nobody named: one is a point, two are the
// corners of a box, more a polygon.
func guess(points []Point) (Kind, []Point) {
	switch len(points) {
	case 0, 1:
		return PointAt, points
	case 2:
		if points[0] == points[1] {
			return PointAt, points[:1] // how EXACT itself writes a point
		}
		return Box, points
	}
	return Polygon, open(points)
}

func given(v json.RawMessage) bool { return len(v) > 0 && string(v) != "null" }

// typeOf is a name, or the id of a type.
func typeOf(v json.RawMessage) (string, client.ID, error) {
	if !given(v) {
		return "", 0, nil
	}
	var name string
	if json.Unmarshal(v, &name) == nil {
		return strings.TrimSpace(name), 0, nil
	}
	var id int64
	if json.Unmarshal(v, &id) == nil && id > 0 {
		return "", client.ID(id), nil
	}
	return "", 0, errors.New("type should be the name or the id of an annotation type")
}

// metaOf is an object, kept as it is.
func metaOf(v json.RawMessage) (json.RawMessage, error) {
	if !given(v) {
		return nil, nil
	}
	if v[0] != '{' {
		return nil, errors.New("meta should be an object")
	}
	return v, nil
}

// pairs reads [[x, y], ...]. Further numbers of a place are left out.
func pairs(v json.RawMessage) ([]Point, error) {
	var list [][]float64
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, errors.New("points should be a list of [x, y]")
	}
	points := make([]Point, len(list))
	for i, p := range list {
		if len(p) < 2 {
			return nil, fmt.Errorf("point %d has %d numbers, and needs x and y", i+1, len(p))
		}
		points[i] = Point{p[0], p[1]}
	}
	return points, nil
}

func boxPoints(v json.RawMessage) ([]Point, error) {
	var list []float64
	if err := json.Unmarshal(v, &list); err != nil || len(list) != 4 {
		return nil, errors.New("box should be [x1, y1, x2, y2]")
	}
	return []Point{{list[0], list[1]}, {list[2], list[3]}}, nil
}

// vectorPoints reads {"x1":..., "y1":..., ...} as EXACT writes it.
func vectorPoints(v json.RawMessage) ([]Point, error) {
	var m map[string]float64
	if err := json.Unmarshal(v, &m); err != nil {
		return nil, errors.New("vector should be an object of numbers x1, y1, x2 and so on")
	}
	n := len(m) / 2
	points := make([]Point, n)
	for i := range n {
		at := strconv.Itoa(i + 1)
		x, okX := m["x"+at]
		y, okY := m["y"+at]
		if !okX || !okY {
			return nil, fmt.Errorf("vector lacks x%s or y%s", at, at)
		}
		points[i] = Point{x, y}
	}
	if len(m) != 2*n || n == 0 {
		return nil, errors.New("vector should hold x1, y1, x2 and so on, and nothing else")
	}
	return points, nil
}

// open takes the end of a ring away that repeats its beginning.
func open(ring []Point) []Point {
	for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}
	return slices.Clip(ring)
}

// plain is a message about a value without the names of our own types.
func plain(err error) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		if t.Field == "" {
			return fmt.Errorf("an annotation should be an object, but is a %s", t.Value)
		}
		return fmt.Errorf("%s should not be a %s", t.Field, t.Value)
	}
	return err
}
