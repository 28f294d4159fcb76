package shapes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// geoFeature is a Feature as QuPath and others write it.
type geoFeature struct {
	ID         json.RawMessage `json:"id"`
	Geometry   *geometry       `json:"geometry"`
	Properties struct {
		Name           string          `json:"name"`
		Classification json.RawMessage `json:"classification"`
		Type           json.RawMessage `json:"annotation_type"`
		Score          *float64        `json:"score"`
		Measurements   json.RawMessage `json:"measurements"`
		Metadata       json.RawMessage `json:"metadata"`
		Entry          string          `json:"entry"`
	} `json:"properties"`
}

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// feature reads one Feature, which may be several shapes.
func (in *reader) feature(v json.RawMessage) error {
	wrong := func(format string, args ...any) error { return &Error{in.next, fmt.Errorf(format, args...)} }
	var f geoFeature
	if err := json.Unmarshal(v, &f); err != nil {
		return wrong("%w", plain(err))
	}
	p := f.Properties
	base := Shape{Name: p.Name, Entry: p.Entry, Score: p.Score, ID: textOf(f.ID)}
	var err error
	if base.TypeName, err = classOf(p.Classification); err != nil {
		return wrong("%w", err)
	}
	if base.TypeName == "" {
		if base.TypeName, base.TypeID, err = typeOf(p.Type); err != nil {
			return wrong("%w", err)
		}
	}
	base.Meta = metaOfFeature(p.Metadata, p.Measurements)
	if base.Score == nil {
		base.Score = scoreIn(p.Measurements)
	}
	if f.Geometry == nil {
		base.Kind = Nothing
		return in.give(base)
	}
	parts, err := f.Geometry.parts()
	if err != nil {
		return wrong("%w", err)
	}
	for i, part := range parts {
		s := base
		s.Part, s.Kind, s.Points, s.Holes = i, part.Kind, part.Points, part.Holes
		if err := in.give(s); err != nil {
			return err
		}
	}
	return nil
}

// parts are the shapes of a geometry.
func (g geometry) parts() ([]Shape, error) {
	bad := fmt.Errorf("the coordinates are none of a %s", cut(g.Type))
	read := func(v any) error {
		if json.Unmarshal(g.Coordinates, v) != nil {
			return bad
		}
		return nil
	}
	switch g.Type {
	case "Point":
		var c []float64
		if err := read(&c); err != nil {
			return nil, err
		}
		points, ok := places([][]float64{c})
		return one(PointAt, points, ok, bad)
	case "LineString":
		var c [][]float64
		if err := read(&c); err != nil {
			return nil, err
		}
		points, ok := places(c)
		return one(Line, points, ok, bad)
	case "Polygon":
		var c [][][]float64
		if err := read(&c); err != nil {
			return nil, err
		}
		return polygons([][][][]float64{c}, bad)
	case "MultiPolygon":
		var c [][][][]float64
		if err := read(&c); err != nil {
			return nil, err
		}
		return polygons(c, bad)
	case "MultiPoint", "MultiLineString":
		return g.several(bad)
	}
	return nil, fmt.Errorf("geometry %q is not known; write Point, LineString, Polygon or MultiPolygon", cut(g.Type))
}

// several are the parts of a MultiPoint or a MultiLineString.
func (g geometry) several(bad error) ([]Shape, error) {
	var raw []json.RawMessage
	if json.Unmarshal(g.Coordinates, &raw) != nil || len(raw) == 0 {
		return nil, bad
	}
	var out []Shape
	for _, c := range raw {
		parts, err := geometry{strings.TrimPrefix(g.Type, "Multi"), c}.parts()
		if err != nil {
			return nil, bad
		}
		out = append(out, parts...)
	}
	return out, nil
}

func one(kind Kind, points []Point, ok bool, bad error) ([]Shape, error) {
	if !ok {
		return nil, bad
	}
	return []Shape{{Kind: kind, Points: points}}, nil
}

// polygons are the outer rings.
func polygons(all [][][][]float64, bad error) ([]Shape, error) {
	var out []Shape
	for _, rings := range all {
		if len(rings) == 0 {
			return nil, bad
		}
		points, ok := places(rings[0])
		if !ok {
			return nil, bad
		}
		out = append(out, Shape{Kind: Polygon, Points: open(points), Holes: len(rings) - 1})
	}
	if len(out) == 0 {
		return nil, bad
	}
	return out, nil
}

func places(list [][]float64) ([]Point, bool) {
	points := make([]Point, len(list))
	for i, p := range list {
		if len(p) < 2 {
			return nil, false
		}
		points[i] = Point{p[0], p[1]}
	}
	return points, true
}

// classOf is QuPath's classification: an object with a name or names, or a bare
// name.
func classOf(v json.RawMessage) (string, error) {
	if !given(v) {
		return "", nil
	}
	var name string
	if json.Unmarshal(v, &name) == nil {
		return name, nil
	}
	var c struct {
		Name  string   `json:"name"`
		Names []string `json:"names"`
	}
	if json.Unmarshal(v, &c) != nil {
		return "", errors.New("classification should be an object with a name")
	}
	if c.Name == "" {
		c.Name = strings.Join(c.Names, ": ") // how QuPath joins them
	}
	return c.Name, nil
}

// textOf is an identifier: text, or a number as it is written.
func textOf(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(v, &n) == nil {
		return n.String()
	}
	return ""
}

// measure is one measurement, as older QuPath writes them.
type measure struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// measures are the measurements by name, of either form: an object, or a list of
// names and values.
func measures(v json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	if json.Unmarshal(v, &m) == nil && m != nil {
		return m
	}
	m = map[string]json.RawMessage{}
	var list []measure
	if json.Unmarshal(v, &list) == nil {
		for _, one := range list {
			if given(one.Value) {
				m[one.Name] = one.Value
			}
		}
	}
	return m
}

// scoreIn looks for a score among measurements.
func scoreIn(v json.RawMessage) *float64 {
	all := measures(v)
	for _, want := range []string{"score", "Score", "probability", "Probability", "confidence", "Confidence"} {
		var n float64
		if json.Unmarshal(all[want], &n) == nil && given(all[want]) {
			return &n
		}
	}
	return nil
}

// metaOfFeature puts what a feature says besides its shape into one object;
// nothing where it says nothing.
func metaOfFeature(metadata, measurements json.RawMessage) json.RawMessage {
	m := map[string]json.RawMessage{}
	if given(metadata) && json.Unmarshal(metadata, &m) != nil || m == nil {
		m = map[string]json.RawMessage{}
	}
	if all := measures(measurements); len(all) > 0 {
		if data, err := json.Marshal(all); err == nil {
			m["measurements"] = data
		}
	}
	if len(m) == 0 {
		return nil
	}
	data, err := json.Marshal(m)
	if err != nil || len(data) > mostMeta {
		return nil // of use to nobody on the server
	}
	return data
}
