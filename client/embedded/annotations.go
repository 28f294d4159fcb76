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
