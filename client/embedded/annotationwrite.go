package embedded

import (
	"database/sql"
	"fmt"
	"net/http"

	"github.com/peterstace/simplefeatures/geom"
)

// draft is an annotation read and checked, not yet stored.
type draft struct {
	annotation
	terms []int64
	err   error
}

// draftAnnotation does everything that needs no write, above all the geometry, so
// that the one writer is not kept waiting by it. A job's user makes an
// AlgoAnnotation.
func (s *Server) draftAnnotation(c *call, q querier, o object) (d draft) {
	if _, ok := o.str("location"); !ok {
		d.err = wrong("Annotation must have a valid geometry:null")
		return d
	}
	v, err := c.canvas(q, o)
	if err != nil {
		d.err = err
		return d
	}
	g, err := v.shape(o)
	if err != nil {
		d.err = err
		return d
	}
	g, rate := simplify(g, c.long("minPoint", o.long("minPoint", 0)), c.long("maxPoint", o.long("maxPoint", 0)))
	d.annotation = annotation{kind: byUser, image: v.image, project: v.project, user: c.user.id, slice: v.slice,
		location: wkt(g), compression: rate, m: measureShape(g, v.resolution)}
	if c.user.algo {
		d.kind = byJob
	}
	if d.terms = o.list("term"); len(d.terms) == 0 {
		d.terms = o.list("terms")
	}
	return d
}

// store adds the annotation and its terms.
func (d *draft) store(c *call, t *tx) error {
	if d.err != nil {
		return d.err
	}
	if ok, err := exists(t, "SELECT 1 FROM image_instance WHERE id=?", d.image); err != nil {
		return err
	} else if !ok {
		return wrong("Annotation must have a valid image%d", d.image)
	}
	d.id, d.created = t.id(), t.now
	if err := d.insert(t); err != nil {
		return err
	}
	for _, term := range d.terms {
		if err := c.s.linkTerm(c, t, &d.annotation, term, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// canvas is canvasOf with the permission to add, remembered for the next
// annotation of the same image in one request.
func (c *call) canvas(q querier, o object) (*canvas, error) {
	if id, ok := o.longOK("image"); ok && c.lastCanvas != nil && c.lastCanvas.image == id {
		return c.lastCanvas, nil
	}
	v, err := canvasOf(q, o)
	if err != nil {
		return nil, err
	}
	if err := c.mayAdd(q, v.project); err != nil {
		return nil, err
	}
	c.lastCanvas = v
	return v, nil
}

func (a *annotation) insert(t *tx) error {
	m := &a.m
	err := t.exec(`INSERT INTO annotation (id, created, kind, image, project, user, slice, location, compression, area, perimeter, micron,
		x, y, minx, miny, maxx, maxy, parent, review_user) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		a.id, a.created, a.kind, a.image, a.project, a.user, a.slice, a.location, a.compression, m.area, m.perimeter, m.micron,
		m.x, m.y, m.minX, m.minY, m.maxX, m.maxY, a.parent, a.reviewUser)
	if err != nil {
		return fmt.Errorf("cannot add the annotation: %w", err)
	}
	return nil
}

// addAnnotation handles a POST of one annotation or an array.
func (s *Server) addAnnotation(c *call) error {
	objs, list, err := c.body()
	if err != nil {
		return err
	}
	q := s.store.read(c.ctx())
	drafts := make([]draft, len(objs))
	for i, o := range objs {
		drafts[i] = s.draftAnnotation(c, q, o)
	}
	if list {
		simple := "UserAnnotation"
		if c.user.algo {
			simple = "AlgoAnnotation"
		}
		return s.addMany(c, simple, objs, func(t *tx, i int) (int64, error) {
			err := drafts[i].store(c, t)
			return drafts[i].id, err
		})
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		if err := drafts[0].store(c, t); err != nil {
			return err
		}
		answer, err = drafts[0].envelope(c, t, "Add")
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

// mayChange refuses those who may not change an annotation: of a job only the
// job's own user and its person (and managers), of a person by the project's mode.
func (c *call) mayChange(q querier, a *annotation) error {
	human, err := humanOf(q, a.user)
	if err != nil {
		return err
	}
	if a.kind == byJob && human != c.user.human {
		return c.mayManage(q, a.project)
	}
	return c.mayWrite(q, a.project, human)
}

// updateAnnotation replaces location and image; terms have calls of their own.
func (s *Server) updateAnnotation(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		if c.flag("fill", false) && o["id"] == nil {
			o["id"] = c.raw("id")
		}
		a, err := s.annotation(c, t, o.long("id", 0))
		if err != nil {
			return err
		}
		if err := c.mayChange(t, a); err != nil {
			return err
		}
		if c.flag("fill", false) {
			o = object{"image": a.image, "location": a.location}
		}
		v, err := canvasOf(t, o)
		if err != nil {
			return err
		}
		if err := c.mayRead(t, v.project); err != nil {
			return err
		}
		g, err := v.shape(o)
		if err != nil {
			return err
		}
		if c.flag("fill", false) {
			g = fillHoles(g)
		}
		a.image, a.project, a.slice = v.image, v.project, v.slice
		if err := a.reshape(t, g, v.resolution); err != nil {
			return err
		}
		answer, err = a.envelope(c, t, "Edit")
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

// reshape stores a new shape.
func (a *annotation) reshape(t *tx, g geom.Geometry, resolution float64) error {
	a.location, a.m = wkt(g), measureShape(g, resolution)
	a.updated = sql.NullInt64{Int64: t.now, Valid: true}
	m := &a.m
	return t.exec(`UPDATE annotation SET updated=?, image=?, project=?, slice=?, location=?, area=?, perimeter=?, micron=?,
		x=?, y=?, minx=?, miny=?, maxx=?, maxy=? WHERE id=?`, a.updated, a.image, a.project, a.slice, a.location, m.area, m.perimeter, m.micron,
		m.x, m.y, m.minX, m.minY, m.maxX, m.maxY, a.id)
}

// fillHoles removes the holes of polygons.
func fillHoles(g geom.Geometry) geom.Geometry {
	solid := func(p geom.Polygon) geom.Polygon {
		return geom.NewPolygon([]geom.LineString{p.ExteriorRing()})
	}
	if p, ok := g.AsPolygon(); ok {
		return solid(p).AsGeometry()
	}
	mp, ok := g.AsMultiPolygon()
	if !ok {
		return g
	}
	var parts []geom.Geometry
	for i := range mp.NumPolygons() {
		parts = append(parts, solid(mp.PolygonN(i)).AsGeometry())
	}
	if all, err := geom.UnionMany(parts); err == nil {
		return all
	}
	return g
}

func (s *Server) removeAnnotation(c *call) error {
	var answer map[string]any
	err := s.store.update(c.ctx(), func(t *tx) error {
		a, err := s.annotation(c, t, c.id("id"))
		if err != nil {
			return err
		}
		if err := c.mayChange(t, a); err != nil {
			return err
		}
		if answer, err = a.envelope(c, t, "Delete"); err != nil {
			return err
		}
		if err := dropMeta(c, t, a.id); err != nil {
			return err
		}
		return t.exec("DELETE FROM annotation WHERE id=?", a.id)
	})
	if err != nil {
		return err
	}
	c.after()
	return c.json(http.StatusOK, answer)
}

// fillAnnotation removes the holes of an annotation.
func (s *Server) fillAnnotation(c *call) error {
	c.params().Set("fill", "true")
	c.r.Body = http.NoBody
	return s.updateAnnotation(c)
}
