package embedded

import (
	"math"
	"strconv"

	"github.com/peterstace/simplefeatures/geom"
)

// annotationSearch is a list request for annotations: conditions in SQL, and
// those that need the shapes.
type annotationSearch struct {
	listing
	kinds     map[int]bool
	touching  *geom.Geometry
	near      *geom.Geometry
	maxNear   float64
	byRate    bool
	projectID int64
}

// searchAnnotations reads the filters of the annotation list.
func (s *Server) searchAnnotations(c *call, q querier) (*annotationSearch, error) {
	a := &annotationSearch{kinds: map[int]bool{}}
	if err := a.scope(c, q); err != nil {
		return nil, err
	}
	if err := a.people(c, q); err != nil {
		return nil, err
	}
	if err := a.terms(c, q); err != nil {
		return nil, err
	}
	if tags := c.longs("tags"); len(tags) > 0 {
		cond := "EXISTS (SELECT 1 FROM tag_association g WHERE g.ident=a.id AND g.tag IN (" + joinIDs(tags) + "))"
		if c.flag("noTag", false) {
			cond = "(" + cond + " OR NOT EXISTS (SELECT 1 FROM tag_association g WHERE g.ident=a.id))"
		}
		a.and(cond)
	}
	if c.flag("notReviewedOnly", false) {
		a.and("a.reviews=0")
	}
	if n := c.long("excludedAnnotation", 0); n != 0 {
		a.and("a.id<>?", n)
	}
	if n := c.long("afterThan", 0); n != 0 {
		a.and("a.created>?", n)
	}
	if n := c.long("beforeThan", 0); n != 0 {
		a.and("a.created<?", n)
	}
	if parents := c.longs("parents"); len(parents) > 0 {
		a.in("a.parent", parents)
	}
	return a, a.space(c, q)
}

// scope reads project, image and images: without one of them nobody could tell
// who may see the answer.
func (a *annotationSearch) scope(c *call, q querier) error {
	images := c.longs("images")
	if n := c.long("image", 0); n != 0 {
		images = append(images, n)
	} else if c.param("image") != "" {
		images = append(images, c.longs("image")...)
	}
	if slices := append(c.longs("slices"), c.longs("slice")...); len(slices) > 0 {
		of, err := ids(q, "SELECT id FROM image_instance WHERE slice IN ("+joinIDs(slices)+")")
		if err != nil {
			return err
		}
		images = append(images, of...)
		a.in("a.slice", slices)
	}
	a.projectID = c.long("project", 0)
	if a.projectID == 0 && len(images) == 0 {
		return wrong("There is no project or image filter. We cannot check acl!")
	}
	if n := c.long("image", 0); n != 0 {
		if ok, err := exists(q, "SELECT 1 FROM image_instance WHERE id=?", n); err != nil {
			return err
		} else if !ok {
			return gone("Image %d not exist!", n)
		}
	}
	if a.projectID == 0 {
		projects, err := ids(q, "SELECT DISTINCT project FROM image_instance WHERE id IN ("+joinIDs(images)+")")
		switch {
		case err != nil:
			return err
		case len(projects) == 0:
			return gone("The image has been deleted!")
		case len(projects) > 1:
			return wrong("Images from filter must all be from the same project!")
		}
		a.projectID = projects[0]
	} else {
		if ok, err := exists(q, "SELECT 1 FROM project WHERE id=?", a.projectID); err != nil {
			return err
		} else if !ok {
			return gone("Project %d not exist!", a.projectID)
		}
		if len(images) == 0 {
			a.and("a.project=?", a.projectID)
		}
	}
	if len(images) > 0 {
		a.in("a.image", images)
		a.and("+a.project=?", a.projectID)
	}
	return c.mayRead(q, a.projectID)
}

// people reads user, users, job and reviewed, which also decide between the
// annotations of persons and of jobs.
func (a *annotationSearch) people(c *call, q querier) error {
	var users []int64
	if n := c.long("user", 0); n != 0 {
		ok, err := exists(q, "SELECT 1 FROM user WHERE id=?", n)
		if err != nil {
			return err
		}
		if !ok {
			return gone("User %d not exist!", n)
		}
		users = []int64{n}
	}
	users = append(users, c.longs("users")...)
	jobs := c.longs("job")
	if len(jobs) > 0 {
		of, err := ids(q, "SELECT id FROM user WHERE job IN ("+joinIDs(jobs)+")")
		if err != nil {
			return err
		}
		users = append(users, of...)
	}
	if len(users) > 0 || len(jobs) > 0 || c.params().Has("users") && c.param("users") != "" {
		a.in("a.user", users)
	}
	if reviewers := c.longs("reviewUsers"); len(reviewers) > 0 {
		a.in("a.review_user", reviewers)
	}
	algo := c.flag("includeAlgo", false)
	if !algo && len(users) > 0 {
		var err error
		if algo, err = exists(q, "SELECT 1 FROM user WHERE algo=1 AND id IN ("+joinIDs(users)+")"); err != nil {
			return err
		}
	}
	switch {
	case c.flag("reviewed", false):
		a.and("a.kind=2")
		a.kinds[reviewed] = true
	case algo:
		a.and("a.kind<>2")
		a.kinds[byUser], a.kinds[byJob] = true, true
	default:
		a.and("a.kind=0")
		a.kinds[byUser] = true
	}
	return nil
}

// terms reads everything about terms.
func (a *annotationSearch) terms(c *call, q querier) error {
	link := func(cond string) string {
		return "EXISTS (SELECT 1 FROM annotation_term x WHERE x.annotation=a.id AND " + cond + ")"
	}
	own := "x.algo=(a.kind=1)" // a person's annotation can also have terms suggested by jobs
	if term := c.longs("term"); len(term) > 0 && a.kinds[byJob] {
		// Where annotations of jobs are asked for, those of people are found by the
		// terms that jobs gave them.
		a.and(link("x.algo AND x.term IN (" + joinIDs(term) + ")"))
		c.params().Del("term")
	}
	terms := append(c.longs("term"), c.longs("terms")...)
	for _, name := range []string{"term", "suggestedTerm"} {
		if n := c.long(name, 0); n != 0 {
			ok, err := exists(q, "SELECT 1 FROM term WHERE id=?", n)
			if err != nil {
				return err
			}
			if !ok {
				return gone("Term %d not exist!", n)
			}
		}
	}
	noTerm := c.flag("noTerm", false)
	switch {
	case len(terms) > 0 && noTerm:
		a.and("(" + link(own+" AND x.term IN ("+joinIDs(terms)+")") + " OR NOT " + link(own) + ")")
	case len(terms) > 0:
		a.and(link(own + " AND x.term IN (" + joinIDs(terms) + ")"))
	case noTerm:
		a.and("NOT " + link(own))
	}
	if c.flag("noAlgoTerm", false) {
		a.and("NOT " + link("x.algo"))
	}
	if c.flag("multipleTerm", false) {
		a.and("(SELECT COUNT(DISTINCT x.term) FROM annotation_term x WHERE x.annotation=a.id AND " + own + ")>1")
	}
	if t := append(c.longs("suggestedTerm"), c.longs("suggestedTerms")...); len(t) > 0 {
		a.and(link("x.algo AND x.term IN (" + joinIDs(t) + ")"))
		a.byRate = true
	}
	users := append(c.longs("userForTermAlgo"), c.longs("usersForTermAlgo")...)
	if jobs := c.longs("jobForTermAlgo"); len(jobs) > 0 {
		of, err := ids(q, "SELECT id FROM user WHERE job IN ("+joinIDs(jobs)+")")
		if err != nil {
			return err
		}
		users = append(users, append(of, 0)...)
	}
	if len(users) > 0 {
		a.and(link("x.algo AND x.user IN (" + joinIDs(users) + ")"))
		a.byRate = true
	}
	if users := c.longs("usersForTerm"); len(users) > 0 {
		a.and(link("x.user IN (" + joinIDs(users) + ")"))
	}
	return nil
}

// space reads bbox, bboxAnnotation and the distance to a base annotation. SQL
// compares rectangles; the shapes themselves are compared afterwards.
func (a *annotationSearch) space(c *call, q querier) error {
	touch := func(g geom.Geometry) {
		if lo, hi, ok := g.Envelope().MinMaxXYs(); ok {
			a.and("a.minx<=? AND a.maxx>=? AND a.miny<=? AND a.maxy>=?", hi.X, lo.X, hi.Y, lo.Y)
		}
		a.touching = &g
	}
	if b := c.param("bbox"); b != "" {
		g, err := boundingBox(b)
		if err != nil {
			return err
		}
		touch(g)
	}
	if n := c.long("bboxAnnotation", 0); n != 0 {
		g, err := storedShape(q, n)
		if err != nil {
			return err
		}
		touch(g)
	}
	limit := c.param("maxDistanceBaseAnnotation")
	if limit == "" {
		return nil
	}
	d, err := strconv.ParseFloat(limit, 64)
	if err != nil || math.IsNaN(d) {
		return wrong("maxDistanceBaseAnnotation must be a number: %s", limit)
	}
	base := c.param("baseAnnotation")
	if base == "" {
		return gone("You need to provide a 'baseAnnotation' parameter (annotation id/location = null)!")
	}
	var g geom.Geometry
	if n, ok := parseLong(base); ok {
		g, err = storedShape(q, n)
	} else {
		g, err = parseShape(base)
	}
	if err != nil {
		return err
	}
	if lo, hi, ok := g.Envelope().MinMaxXYs(); ok {
		a.and("a.minx<=? AND a.maxx>=? AND a.miny<=? AND a.maxy>=?", hi.X+d, lo.X-d, hi.Y+d, lo.Y-d)
	}
	a.near, a.maxNear = &g, d
	return nil
}

// storedShape is the shape of an annotation named in a filter.
func storedShape(q querier, id int64) (geom.Geometry, error) {
	var loc string
	ok, err := one(q, "SELECT location FROM annotation WHERE id=?", []any{id}, &loc)
	if err != nil {
		return geom.Geometry{}, err
	}
	if !ok {
		return geom.Geometry{}, gone("Annotation %d not found", id)
	}
	return geom.UnmarshalWKT(loc, geom.NoValidate{})
}

// keeps compares the shape of an annotation with the shapes of the request.
func (a *annotationSearch) keeps(row *annotation) bool {
	if a.touching == nil && a.near == nil {
		return true
	}
	g, err := geom.UnmarshalWKT(row.location, geom.NoValidate{})
	if err != nil {
		return false
	}
	if a.touching != nil && !geom.Intersects(g, *a.touching) {
		return false
	}
	if a.near != nil {
		if d, ok := geom.Distance(g, *a.near); !ok || d > a.maxNear {
			return false
		}
	}
	return true
}
