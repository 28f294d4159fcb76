package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/peterstace/simplefeatures/geom"

	"github.com/cytorun/cytorun/client"
)

// feature is one annotation as GeoJSON.
type feature struct {
	Type       string          `json:"type"`
	ID         int64           `json:"id"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties featureFacts    `json:"properties"`
}

type featureFacts struct {
	Analysis string   `json:"analysis"`
	Image    string   `json:"image"`
	ImageID  int64    `json:"image_id"`
	Terms    []string `json:"terms"`
	Area     float64  `json:"area,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Score    *float64 `json:"score,omitempty"`
	Reviewed bool     `json:"reviewed"`
	// Origin says where y = 0 is: "top-left" as in most programs, or "bottom-left"
	// as on the server, where the height of the image is not known.
	Origin string `json:"origin"`
	// Shape is what the server holds in place of a shape that cannot be read.
	Shape string `json:"unreadable_shape,omitempty"`
}

// WriteGeoJSON writes what analyses drew as one FeatureCollection, in pixels. An
// annotation whose shape cannot be read has no geometry and shows what it has
// instead. It returns how many were written; memory does not grow with them.
func (s *Session) WriteGeoJSON(ctx context.Context, w io.Writer, analyses []Analysis) (int, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(`{"type":"FeatureCollection","features":[`) // errors stay until Flush
	n := 0
	// Ids of images count within their server, and each project is asked once.
	type place struct {
		server  string
		project client.ID
	}
	heights := map[place]map[client.ID]client.Image{}
	for _, a := range analyses {
		s, lister, err := s.lister(a)
		if err != nil {
			return n, err
		}
		if a.JobID() == 0 {
			continue
		}
		job := s.jobOf(a)
		at := place{s.Profile.URL, job.Project}
		err = lister.Annotations(ctx, job, true, func(x client.Annotation) error {
			images, known := heights[at]
			if !known {
				// Without the heights the shapes stay as the server has them.
				images, _ = s.images(ctx, job.Project)
				heights[at] = images
			}
			line, err := json.Marshal(featureOf(a, x, images[x.Image].Height))
			if err != nil {
				return err
			}
			if n++; n > 1 {
				_ = out.WriteByte(',')
			}
			_ = out.WriteByte('\n')
			_, err = out.Write(line)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("cannot read what %s drew: %w", a.Title(), err)
		}
	}
	_, _ = out.WriteString("\n]}\n")
	return n, out.Flush()
}

// featureOf is an annotation with its y axis as images have it, where the height of
// the image is known.
func featureOf(a Analysis, x client.Annotation, height int) feature {
	f := feature{Type: "Feature", ID: int64(x.ID), Geometry: json.RawMessage("null")}
	f.Properties = featureFacts{
		Analysis: a.Title(), Image: x.ImageName, ImageID: int64(x.Image), Terms: x.TermNames,
		Area: x.Area, Unit: x.Unit, Reviewed: x.Reviewed, Origin: "bottom-left",
	}
	if x.Terms == nil {
		f.Properties.Terms = []string{}
	}
	if x.Scored {
		f.Properties.Score = &x.Score
	}
	g, err := geom.UnmarshalWKT(x.Shape, geom.NoValidate{})
	if err != nil {
		f.Properties.Shape = x.Shape
		return f
	}
	if height > 0 {
		f.Properties.Origin = "top-left"
		h := float64(height)
		g = g.TransformXY(func(p geom.XY) geom.XY { return geom.XY{X: p.X, Y: h - p.Y} })
	}
	shape, err := g.MarshalJSON()
	if err != nil {
		f.Properties.Shape = x.Shape
		return f
	}
	f.Geometry = shape
	return f
}
