package embedded

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// groups are the sets of attributes a list of annotations can show.
type groups struct{ meta, wkt, gis, term, image, algo, user, slice, track bool }

// groupsOf reads showX and hideX. Without any showX the list shows meta and term.
func groupsOf(c *call) groups {
	var g groups
	any := false
	all := map[string]*bool{"Meta": &g.meta, "WKT": &g.wkt, "GIS": &g.gis, "Term": &g.term, "Image": &g.image, "Algo": &g.algo,
		"User": &g.user, "Slice": &g.slice, "Track": &g.track}
	for name, on := range all {
		*on = c.flag("show"+name, false)
		any = any || *on
	}
	if c.flag("showDefault", false) || !any && !c.flag("showBasic", false) {
		g.meta, g.term = true, true
	}
	for name, on := range all {
		*on = *on && !c.flag("hide"+name, false)
	}
	return g
}

// listedAnnotation is an annotation with what its list may show of others.
type listedAnnotation struct {
	annotation
	username, first, last, software, filename, original sql.NullString
	jobCreated                                          sql.NullInt64
}

// rows runs the search: the page and the size of the whole.
func (a *annotationSearch) rows(q querier, off, limit int64) ([]*listedAnnotation, int64, error) {
	order := " ORDER BY a.id DESC"
	if a.byRate {
		order = " ORDER BY (SELECT MAX(x.rate) FROM annotation_term x WHERE x.annotation=a.id AND x.algo) DESC, a.id DESC"
	}
	spatial := a.touching != nil || a.near != nil
	page, args := "", a.args
	if !spatial && (limit > 0 || off > 0) {
		n := limit
		if n <= 0 {
			n = -1
		}
		page, args = " LIMIT ? OFFSET ?", append(args[:len(args):len(args)], n, max(off, 0))
	}
	rows, err := q.query("SELECT "+annotationColumns+`, u.username, u.firstname, u.lastname, s.name, j.created,
		COALESCE(NULLIF(TRIM(i.instance_filename), ''), b.original_filename), b.original_filename
		FROM annotation a LEFT JOIN user u ON u.id=a.user LEFT JOIN job j ON j.id=u.job LEFT JOIN software s ON s.id=j.software
		LEFT JOIN image_instance i ON i.id=a.image LEFT JOIN abstract_image b ON b.id=i.base_image WHERE `+a.sql()+order+page, args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var out []*listedAnnotation
	for rows.Next() {
		r := &listedAnnotation{}
		if err := rows.Scan(append(r.dest(), &r.username, &r.first, &r.last, &r.software, &r.jobCreated, &r.filename, &r.original)...); err != nil {
			return nil, 0, err
		}
		if a.keeps(&r.annotation) {
			out = append(out, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	size := int64(len(out))
	switch {
	case spatial:
		from := min(max(off, 0), size)
		to := size
		if limit > 0 {
			to = min(from+limit, size)
		}
		out = out[from:to]
	case page != "":
		if _, err := one(q, "SELECT COUNT(*) FROM annotation a WHERE "+a.sql(), a.args, &size); err != nil {
			return nil, 0, err
		}
	}
	return out, size, nil
}

// termLink is a term on an annotation.
type termLink struct {
	id, term, user int64
	algo           bool
	expected       sql.NullInt64
	rate           sql.NullFloat64
}

// termLinks loads the terms of many annotations.
func termLinks(q querier, rows []*listedAnnotation) (map[int64][]termLink, error) {
	out := map[int64][]termLink{}
	for chunk := range slices.Chunk(rows, 500) {
		part := make([]int64, len(chunk))
		for i, r := range chunk {
			part[i] = r.id
		}
		found, err := q.query("SELECT annotation, id, term, user, algo, expected, rate FROM annotation_term WHERE annotation IN (" + joinIDs(part) + ") ORDER BY annotation, term, id")
		if err != nil {
			return nil, err
		}
		for found.Next() {
			var a int64
			var l termLink
			if err := found.Scan(&a, &l.id, &l.term, &l.user, &l.algo, &l.expected, &l.rate); err != nil {
				found.Close()
				return nil, err
			}
			out[a] = append(out[a], l)
		}
		found.Close()
		if err := found.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// show is one row of the list; here dates are numbers.
func (r *listedAnnotation) show(base string, g groups, links []termLink) map[string]any {
	out := map[string]any{"class": annotationClasses[r.kind], "id": r.id}
	if g.meta {
		out["countReviewedAnnotations"], out["reviewed"] = r.reviews, r.reviews > 0 || r.kind == reviewed
		out["image"], out["project"], out["container"], out["user"] = r.image, r.project, r.project, r.user
		out["created"], out["updated"] = r.created, nil
		if r.updated.Valid {
			out["updated"] = r.updated.Int64
		}
		out["countComments"], out["nbComments"], out["geometryCompression"] = 0, 0, double(r.compression)
		if r.slice.Valid {
			out["slice"] = r.slice.Int64
		}
		if r.kind == reviewed {
			out["parentIdent"], out["reviewUser"] = r.parent.Int64, r.reviewUser.Int64
		}
		crop, small, page := r.cropURLs(base)
		out["cropURL"], out["smallCropURL"], out["url"], out["imageURL"] = crop, small, crop, page
	}
	if g.wkt {
		out["location"] = r.location
	}
	if g.gis {
		areaUnit, perimeterUnit := r.m.units()
		out["area"], out["areaUnit"] = double(r.m.area), areaUnit
		out["perimeter"], out["perimeterUnit"] = double(r.m.perimeter), perimeterUnit
		out["x"], out["y"] = double(r.m.x), double(r.m.y)
	}
	if g.term {
		r.showTerms(out, links)
	}
	if g.image {
		out["originalfilename"], out["instancefilename"] = nullText(r.original), nullText(r.filename)
	}
	if g.user {
		out["creator"] = nullText(r.username)
		if r.kind == byJob {
			out["software"], out["job"] = nullText(r.software), r.jobCreated.Int64
		} else {
			out["firstname"], out["lastname"] = nullText(r.first), nullText(r.last)
		}
	}
	if g.algo {
		for _, l := range links {
			if l.algo {
				out["idTerm"], out["rate"], out["idExpectedTerm"] = l.term, double(l.rate.Float64), nil
				if l.expected.Valid {
					out["idExpectedTerm"] = l.expected.Int64
				}
				break
			}
		}
	}
	if g.track {
		out["track"], out["annotationTrack"] = []int64{}, []int64{}
	}
	return out
}

func nullText(s sql.NullString) any {
	if !s.Valid {
		return nil
	}
	return s.String
}

// showTerms adds the terms and who gave each.
func (r *listedAnnotation) showTerms(out map[string]any, links []termLink) {
	terms := []int64{}
	byTerm := []map[string]any{}
	for _, l := range links {
		if l.algo != (r.kind == byJob) {
			continue
		}
		if n := len(terms); n > 0 && terms[n-1] == l.term {
			byTerm[n-1]["user"] = append(byTerm[n-1]["user"].([]int64), l.user)
			continue
		}
		terms = append(terms, l.term)
		byTerm = append(byTerm, map[string]any{"id": l.id, "term": l.term, "user": []int64{l.user}})
		if r.kind == byJob && l.rate.Valid {
			out["rate"] = double(l.rate.Float64)
		}
	}
	out["term"], out["userByTerm"] = terms, byTerm
}

// listAnnotations is the annotation list, also as a POST to /search with the
// filters in the body.
func (s *Server) listAnnotations(c *call) error {
	if c.r.Method == http.MethodPost {
		o, err := c.object()
		if err != nil {
			return err
		}
		for name, v := range o {
			if t, ok := text(v); ok && !c.params().Has(name) {
				c.params().Set(name, strings.Trim(t, "[]"))
			}
		}
	}
	q := s.store.read(c.ctx())
	search, err := s.searchAnnotations(c, q)
	if err != nil {
		return err
	}
	return s.sendAnnotations(c, q, search)
}

func (s *Server) sendAnnotations(c *call, q querier, search *annotationSearch) error {
	off, limit := c.long("offset", 0), c.long("max", 0)
	rows, size, err := search.rows(q, off, limit)
	if err != nil {
		return err
	}
	g := groupsOf(c)
	var links map[int64][]termLink
	if g.term || g.algo {
		if links, err = termLinks(q, rows); err != nil {
			return err
		}
	}
	base := c.serverURL()
	out := make([]map[string]any, len(rows))
	for i, r := range rows {
		out[i] = r.show(base, g, links[r.id])
	}
	return c.json(http.StatusOK, listEnvelope(out, off, limit, size))
}

// includedAnnotations lists the annotations of an image that touch a geometry or
// another annotation.
func (s *Server) includedAnnotations(c *call) error {
	p := c.params()
	p.Set("image", c.raw("id"))
	p.Del("images")
	if a := p.Get("annotation"); a != "" {
		p.Set("bboxAnnotation", a)
		p.Set("excludedAnnotation", a)
	} else if g := p.Get("geometry"); g != "" {
		p.Set("bbox", g)
	} else {
		return wrong("annotation or geometry must be set")
	}
	return s.listAnnotations(c)
}

// countAnnotations answers {"total": n} for a project or a user.
func (s *Server) countAnnotations(kind int, column string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		l := &listing{}
		l.and("a.kind=?", kind)
		l.and("a."+column+"=?", c.id("id"))
		if column == "project" {
			if _, err := c.project(q, "id"); err != nil {
				return err
			}
		} else {
			c.visible(l, "a.project")
			if n := c.long("project", 0); n != 0 {
				l.and("a.project=?", n)
			}
		}
		if n := c.long("startDate", 0); n != 0 {
			l.and("a.created>?", n)
		}
		if n := c.long("endDate", 0); n != 0 {
			l.and("a.created<?", n)
		}
		var total int64
		if _, err := one(q, "SELECT COUNT(*) FROM annotation a WHERE "+l.sql(), l.args, &total); err != nil {
			return fmt.Errorf("cannot count annotations: %w", err)
		}
		return c.json(http.StatusOK, map[string]any{"total": total})
	}
}
