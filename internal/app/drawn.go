package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Drawn sums up what an analysis drew: in all, per image, per term, and per term on
// each image.
type Drawn struct {
	Total              DrawnGroup
	Images, Terms, All []DrawnGroup
	// Unmeasured says why areas in pixels are missing, empty where they are not.
	Unmeasured string
}

// DrawnGroup is the annotations of one image, one term, or both. An annotation with
// several terms counts for each of them, and once for its image.
type DrawnGroup struct {
	Image     client.ID
	ImageName string
	Term      client.ID
	TermName  string // empty: without a term
	Count     int
	// Area is their sum in Unit; an empty Unit tells that it is not known, or not
	// in one unit.
	Area float64
	Unit string
	// Pixels is the sum in px², 0 where it is not known.
	Pixels float64
	// Scored is how many have a score, Score the mean of these.
	Scored   int
	Score    float64
	Reviewed int // confirmed by a person
}

// By are the groups by image, by term, by both or by neither.
func (d Drawn) By(image, term bool) []DrawnGroup {
	switch {
	case image && term:
		return d.All
	case image:
		return d.Images
	case term:
		return d.Terms
	}
	return []DrawnGroup{d.Total}
}

// Drawn reads what an analysis drew, in one pass over its annotations. seen is told
// of every thousand; it may be nil.
func (s *Session) Drawn(ctx context.Context, a Analysis, seen func(n int)) (Drawn, error) {
	s, lister, err := s.lister(a)
	if err != nil {
		return Drawn{}, err
	}
	c := newDrawnCounter()
	n := 0
	if a.JobID() != 0 {
		err = lister.Annotations(ctx, s.jobOf(a), false, func(x client.Annotation) error {
			c.add(x)
			if n++; n%1000 == 0 && seen != nil {
				seen(n)
			}
			return ctx.Err()
		})
	}
	if err != nil {
		return Drawn{}, fmt.Errorf("cannot read what %s drew: %w", a.Title(), err)
	}
	resolution, why := s.resolutions(ctx, a, c.measured)
	d := c.done(resolution)
	d.Unmeasured = why
	return d, nil
}

// lister is the session of an analysis' own server, if it lists annotations.
func (s *Session) lister(a Analysis) (*Session, client.AnnotationLister, error) {
	s, err := s.home(a)
	if err != nil {
		return s, nil, err
	}
	if s.redone(a) {
		return s, nil, fmt.Errorf("what %s drew is no longer on the server: a later run has redone its job; its files are in %s", a.Title(), a.Run.Folder)
	}
	lister, ok := s.Server.(client.AnnotationLister)
	if !ok {
		return s, nil, fmt.Errorf("cannot read what %s drew: %w", a.Title(), client.ErrUnsupported)
	}
	return s, lister, nil
}

// resolutions are the sizes of a pixel of the project's images in µm, asked for only
// where some areas are in µm².
func (s *Session) resolutions(ctx context.Context, a Analysis, wanted bool) (map[client.ID]float64, string) {
	if !wanted {
		return nil, ""
	}
	images, err := s.images(ctx, s.jobOf(a).Project)
	if err != nil {
		return nil, "the sizes of pixels are not known: " + err.Error()
	}
	out := make(map[client.ID]float64, len(images))
	for id, i := range images {
		out[id] = i.Resolution
	}
	return out, ""
}

// images lists the images of a project by their ids.
func (s *Session) images(ctx context.Context, project client.ID) (map[client.ID]client.Image, error) {
	lister, ok := s.Server.(client.ImageLister)
	if !ok {
		return nil, client.ErrUnsupported
	}
	out := map[client.ID]client.Image{}
	err := lister.Images(ctx, project, func(i client.Image) error { out[i.ID] = i; return ctx.Err() })
	return out, err
}

// drawnCounter sums up annotations as they come.
type drawnCounter struct {
	groups   map[drawnKey]*DrawnGroup
	measured bool // some areas are in µm²
}

// drawnKey tells groups apart; a level says what is summed up, because the id 0
// also means no term.
type drawnKey struct {
	level       drawnLevel
	image, term client.ID
}

type drawnLevel byte

const (
	drawnTotal drawnLevel = iota
	drawnImage
	drawnTerm
	drawnBoth
)

// mixed marks areas that cannot be added.
const mixed = "mixed"

func newDrawnCounter() *drawnCounter { return &drawnCounter{groups: map[drawnKey]*DrawnGroup{}} }

func (c *drawnCounter) add(a client.Annotation) {
	c.measured = c.measured || a.Unit == "µm²"
	c.count(drawnKey{drawnTotal, 0, 0}, a, "")
	c.count(drawnKey{drawnImage, a.Image, 0}, a, "")
	if len(a.Terms) == 0 {
		c.count(drawnKey{drawnBoth, a.Image, 0}, a, "")
		c.count(drawnKey{drawnTerm, 0, 0}, a, "")
	}
	for i, term := range a.Terms {
		c.count(drawnKey{drawnBoth, a.Image, term}, a, a.TermNames[i])
		c.count(drawnKey{drawnTerm, 0, term}, a, a.TermNames[i])
	}
}

func (c *drawnCounter) count(k drawnKey, a client.Annotation, term string) {
	g := c.groups[k]
	if g == nil {
		g = &DrawnGroup{Image: k.image, Term: k.term, TermName: term, Unit: a.Unit}
		if k.level == drawnImage || k.level == drawnBoth {
			g.ImageName = a.ImageName
		}
		c.groups[k] = g
	}
	if a.Unit == "" || g.Unit != a.Unit {
		g.Unit = mixed
	}
	g.Count++
	g.Area += a.Area
	if a.Scored {
		g.Scored++
		g.Score += (a.Score - g.Score) / float64(g.Scored)
	}
	if a.Reviewed {
		g.Reviewed++
	}
}

// done gives the sums. resolution is the size of a pixel by image, in µm.
func (c *drawnCounter) done(resolution map[client.ID]float64) Drawn {
	// Only of one image is the size of a pixel known: all others are sums of these.
	for k, g := range c.groups {
		if k.level != drawnImage && k.level != drawnBoth {
			continue
		}
		switch r := resolution[k.image]; {
		case g.Unit == "px²":
			g.Pixels = g.Area
		case g.Unit == "µm²" && r > 0:
			g.Pixels = g.Area / (r * r)
		}
	}
	missing := map[drawnKey]bool{}
	sum := func(of drawnKey, g *DrawnGroup) {
		if g.Pixels == 0 && g.Area > 0 || g.Unit == mixed {
			missing[of] = true
		}
		c.groups[of].Pixels += g.Pixels
	}
	for k, g := range c.groups {
		switch k.level {
		case drawnImage:
			sum(drawnKey{drawnTotal, 0, 0}, g)
		case drawnBoth:
			sum(drawnKey{drawnTerm, 0, k.term}, g)
		}
	}
	var d Drawn
	for k, g := range c.groups {
		if missing[k] {
			g.Pixels = 0
		}
		if g.Unit == mixed {
			g.Unit, g.Area = "", 0
		}
		switch k.level {
		case drawnTotal:
			d.Total = *g
		case drawnImage:
			d.Images = append(d.Images, *g)
		case drawnTerm:
			d.Terms = append(d.Terms, *g)
		case drawnBoth:
			d.All = append(d.All, *g)
		}
	}
	for _, groups := range [][]DrawnGroup{d.Images, d.Terms, d.All} {
		slices.SortFunc(groups, drawnOrder)
	}
	return d
}

// drawnOrder is by the names of images as people count, then by terms, those
// without a term last.
func drawnOrder(a, b DrawnGroup) int {
	if n := strings.Compare(naturalKey(a.ImageName), naturalKey(b.ImageName)); n != 0 {
		return n
	}
	if (a.Term == 0) != (b.Term == 0) {
		return cmp.Compare(b.Term, a.Term)
	}
	return cmp.Or(cmp.Compare(a.Image, b.Image), cmp.Compare(strings.ToLower(a.TermName), strings.ToLower(b.TermName)), cmp.Compare(a.Term, b.Term))
}
