package embedded

import (
	"database/sql"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/peterstace/simplefeatures/geom"
)

// The three kinds of annotation, as stored.
const (
	byUser   = 0
	byJob    = 1
	reviewed = 2
)

// annotationClasses are the class names by kind.
var annotationClasses = [...]string{"be.cytomine.ontology.UserAnnotation", "be.cytomine.ontology.AlgoAnnotation", "be.cytomine.ontology.ReviewedAnnotation"}

// annotation is one row.
type annotation struct {
	id, created, image, project, user, kind int64
	updated, slice, parent, reviewUser      sql.NullInt64
	location                                string
	compression                             float64
	m                                       measure
	reviews                                 int64
}

const annotationColumns = `a.id, a.created, a.updated, a.kind, a.image, a.project, a.user, a.slice, a.location, a.compression,
	a.area, a.perimeter, a.micron, a.x, a.y, a.minx, a.miny, a.maxx, a.maxy, a.parent, a.review_user, a.reviews`

func (a *annotation) dest() []any {
	return []any{&a.id, &a.created, &a.updated, &a.kind, &a.image, &a.project, &a.user, &a.slice, &a.location, &a.compression,
		&a.m.area, &a.m.perimeter, &a.m.micron, &a.m.x, &a.m.y, &a.m.minX, &a.m.minY, &a.m.maxX, &a.m.maxY, &a.parent, &a.reviewUser, &a.reviews}
}

// annotation returns an annotation the caller may see.
func (s *Server) annotation(c *call, q querier, id int64) (*annotation, error) {
	var a annotation
	ok, err := one(q, "SELECT "+annotationColumns+" FROM annotation a WHERE a.id=?", []any{id}, a.dest()...)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, gone("Annotation %s not found", c.raw("id"))
	}
	return &a, c.mayRead(q, a.project)
}

// wkt writes a shape as the original does: POLYGON ((0 0, 0 1, 1 1, 0 0)).
func wkt(g geom.Geometry) string {
	s := strings.ReplaceAll(g.AsText(), ",", ", ")
	if i := strings.IndexByte(s, '('); i > 0 && s[i-1] != ' ' {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// units are the words for area and perimeter.
func (m measure) units() (area, perimeter string) {
	if m.micron {
		return "micron²", "mm"
	}
	return "pixels²", "pixels"
}

// cropURLs are the addresses of an annotation's pixels.
func (a *annotation) cropURLs(base string) (crop, small, page string) {
	kind, ext := "userannotation", "jpg"
	switch a.kind {
	case byJob:
		kind, ext = "algoannotation", "png"
	case reviewed:
		kind = "reviewedannotation"
	}
	id := strconv.FormatInt(a.id, 10)
	crop = base + "/api/" + kind + "/" + id + "/crop." + ext
	small = base + "/api/" + kind + "/" + id + "/crop.png?maxSize=256"
	page = fmt.Sprintf("%s/#/project/%d/image/%d/annotation/%d", base, a.project, a.image, a.id)
	return crop, small, page
}

// json is a single annotation as the API shows it.
func (a *annotation) json(c *call, q querier) (map[string]any, error) {
	terms, err := ids(q, "SELECT DISTINCT term FROM annotation_term WHERE annotation=? ORDER BY id", a.id)
	if err != nil {
		return nil, err
	}
	areaUnit, perimeterUnit := a.m.units()
	crop, small, page := a.cropURLs(c.serverURL())
	out := map[string]any{
		"class": annotationClasses[a.kind], "id": a.id, "created": strconv.FormatInt(a.created, 10), "updated": nil, "deleted": nil,
		"location": a.location, "image": a.image, "geometryCompression": double(a.compression), "project": a.project, "container": a.project,
		"user": a.user, "nbComments": 0, "area": double(a.m.area), "areaUnit": areaUnit, "perimeter": double(a.m.perimeter), "perimeterUnit": perimeterUnit,
		"centroid": map[string]any{"x": double(a.m.x), "y": double(a.m.y)}, "term": terms, "track": []int64{},
		"similarity": nil, "rate": nil, "idTerm": nil, "idExpectedTerm": nil,
		"cropURL": crop, "smallCropURL": small, "url": crop, "imageURL": page, "reviewed": a.reviews > 0,
	}
	if a.m.area < 1 {
		out["centroid"] = nil
	}
	if a.updated.Valid {
		out["updated"] = strconv.FormatInt(a.updated.Int64, 10)
	}
	if a.slice.Valid {
		out["slice"] = a.slice.Int64
	}
	if a.kind == reviewed {
		out["parentIdent"], out["reviewUser"], out["reviewed"] = a.parent.Int64, a.reviewUser.Int64, true
	}
	return out, nil
}

// canvas is what an annotation needs to know of its image.
type canvas struct {
	image, project, width, height int64
	slice                         sql.NullInt64
	resolution                    float64
	ontology                      sql.NullInt64
}

const canvasSQL = `SELECT i.id, i.project, COALESCE(a.width, 0), COALESCE(a.height, 0), i.slice,
	COALESCE(NULLIF(i.resolution, 0), a.resolution, 0), p.ontology
	FROM image_instance i JOIN abstract_image a ON a.id = i.base_image JOIN project p ON p.id = i.project WHERE `

func findCanvas(q querier, where string, id int64) (*canvas, error) {
	var v canvas
	ok, err := one(q, canvasSQL+where, []any{id}, &v.image, &v.project, &v.width, &v.height, &v.slice, &v.resolution, &v.ontology)
	if err != nil || !ok {
		return nil, err
	}
	return &v, nil
}

// canvasOf finds the image of an annotation in a request, by image or by slice.
func canvasOf(q querier, o object) (*canvas, error) {
	image, ok := o.longOK("image")
	where := "i.id=?"
	if !ok {
		if image, ok = o.longOK("slice"); ok {
			where = "i.slice=?"
		}
	}
	v, err := findCanvas(q, where, image)
	switch {
	case err != nil:
		return nil, err
	case v != nil:
		return v, nil
	case o["project"] == nil:
		return nil, wrong("Annotation must have a valid project:%v", o["project"])
	}
	return nil, wrong("Annotation must have a valid image%v", o["image"])
}

// shape reads, checks and clips the location of a request.
func (v *canvas) shape(o object) (geom.Geometry, error) {
	loc, ok := o.str("location")
	if !ok {
		return geom.Geometry{}, wrong("Annotation must have a valid geometry:null")
	}
	g, err := parseShape(loc)
	if err != nil {
		return g, err
	}
	if g, err = clip(g, v.width, v.height); err != nil {
		return g, wrong("Annotation location not valid")
	}
	return g, keepable(g)
}

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

// envelope is the answer of a write. Its key is "annotation" whatever the kind.
func (a *annotation) envelope(c *call, t *tx, verb string) (map[string]any, error) {
	body, err := a.json(c, t)
	if err != nil {
		return nil, err
	}
	simple := annotationClasses[a.kind][strings.LastIndexByte(annotationClasses[a.kind], '.')+1:]
	return map[string]any{
		"message":      fmt.Sprintf("Annotation %d %s", a.id, map[string]string{"Add": "added", "Edit": "edited", "Delete": "deleted"}[verb]),
		"callback":     map[string]any{"method": "be.cytomine." + verb + simple + "Command", strings.ToLower(simple) + "ID": strconv.FormatInt(a.id, 10), "annotationID": a.id, "imageID": a.image},
		"printMessage": true, "command": t.id(), "annotation": body,
	}, nil
}

func (s *Server) showAnnotation(c *call) error {
	q := s.store.read(c.ctx())
	a, err := s.annotation(c, q, c.id("id"))
	if err != nil {
		return err
	}
	body, err := a.json(c, q)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, body)
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

// remeasure computes area and perimeter of an image's annotations again, after
// its resolution has changed.
func remeasure(t *tx, image record) error {
	rows, err := t.query("SELECT "+annotationColumns+" FROM annotation a WHERE a.image=?", image["id"])
	if err != nil {
		return err
	}
	var all []*annotation
	for rows.Next() {
		a := &annotation{}
		if err := rows.Scan(a.dest()...); err != nil {
			rows.Close()
			return err
		}
		all = append(all, a)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	resolution, _ := image["resolution"].(float64)
	for _, a := range all {
		g, err := geom.UnmarshalWKT(a.location, geom.NoValidate{})
		if err != nil {
			return err
		}
		m := measureShape(g, resolution)
		if err := t.exec("UPDATE annotation SET area=?, perimeter=?, micron=? WHERE id=?", m.area, m.perimeter, m.micron, a.id); err != nil {
			return err
		}
	}
	return nil
}

// fillAnnotation removes the holes of an annotation.
func (s *Server) fillAnnotation(c *call) error {
	c.params().Set("fill", "true")
	c.r.Body = http.NoBody
	return s.updateAnnotation(c)
}
