package embedded

import (
	"net/http"
	"strings"
)

// Descriptions, properties, tags and attached files hang on any object, named by
// its class and id.

// owner is an object something hangs on.
type owner struct {
	class   string
	id      int64
	project int64 // 0 for what belongs to no project
	user    int64 // the person who made it, 0 for nobody
}

// projectOf tells, for each class with a project, where to find it and the owner.
var projectOf = map[string]string{
	"Project":            "SELECT id, 0, '' FROM project WHERE id=?",
	"ImageInstance":      "SELECT project, COALESCE(user, 0), '' FROM image_instance WHERE id=?",
	"Job":                "SELECT project, 0, '' FROM job WHERE id=?",
	"JobParameter":       "SELECT j.project, 0, '' FROM job_parameter t JOIN job j ON j.id = t.job WHERE t.id=?",
	"JobData":            "SELECT j.project, 0, '' FROM job_data t JOIN job j ON j.id = t.job WHERE t.id=?",
	"SoftwareProject":    "SELECT project, 0, '' FROM software_project WHERE id=?",
	"UserAnnotation":     ownerOfAnnotation,
	"AlgoAnnotation":     ownerOfAnnotation,
	"ReviewedAnnotation": ownerOfAnnotation,
	"AnnotationDomain":   ownerOfAnnotation,
	"annotation":         ownerOfAnnotation,
	"Software":           "SELECT 0, COALESCE(user, 0), '' FROM software WHERE id=?",
	"SoftwareParameter":  "SELECT 0, 0, '' FROM software_parameter WHERE id=?",
	"AbstractImage":      "SELECT 0, COALESCE(user, 0), '' FROM abstract_image WHERE id=?",
	"Ontology":           "SELECT 0, COALESCE(user, 0), '' FROM ontology WHERE id=?",
	"Term":               "SELECT 0, 0, '' FROM term WHERE id=?",
	"User":               "SELECT 0, id, '' FROM user WHERE id=?",
	"UserJob":            "SELECT 0, COALESCE(human, 0), '' FROM user WHERE id=?",
	"UploadedFile":       "SELECT 0, COALESCE(user, 0), '' FROM uploaded_file WHERE id=?",
	"Storage":            "SELECT 0, COALESCE(user, 0), '' FROM storage WHERE id=?",
}

// ownerOfAnnotation also tells which class of annotation it is.
const ownerOfAnnotation = `SELECT project, user, CASE kind WHEN 0 THEN 'be.cytomine.ontology.UserAnnotation'
	WHEN 1 THEN 'be.cytomine.ontology.AlgoAnnotation' ELSE 'be.cytomine.ontology.ReviewedAnnotation' END FROM annotation WHERE id=?`

// owner finds the object a class name (dots or underscores) and an id mean, once
// the caller may see it.
func (c *call) owner(q querier, class string, id int64) (owner, error) {
	class = strings.ReplaceAll(class, "_", ".")
	o := owner{class: class, id: id}
	sql, ok := projectOf[class[strings.LastIndexByte(class, '.')+1:]]
	if !ok {
		return o, notFound("Cytomine domain "+class, id)
	}
	var real string
	found, err := one(q, sql, []any{id}, &o.project, &o.user, &real)
	switch {
	case err != nil:
		return o, err
	case !found:
		return o, notFound("Cytomine domain "+class, id)
	}
	if real != "" {
		o.class = real
	}
	if o.user, err = humanOf(q, o.user); err != nil || o.project == 0 {
		return o, err
	}
	return o, c.mayRead(q, o.project)
}

// pathOwner is the owner the path names: /domain/{class}/{ident}, or the short
// forms with the class fixed by the route.
func (c *call) pathOwner(q querier, class string) (owner, error) {
	if class == "" {
		class = c.raw("class")
	}
	return c.owner(q, class, c.id("ident"))
}

// mayDecorate refuses callers who may not hang things on the owner.
func (c *call) mayDecorate(q querier, o owner) error {
	if o.project == 0 {
		return nil
	}
	return c.mayWrite(q, o.project, o.user)
}

// ownerAccess is the access hook of the classes in this file.
func ownerAccess(c *call, q querier, rec record, write bool) error {
	o, err := c.owner(q, rec.text("domainClassName"), rec.int("domainIdent"))
	if err != nil || !write {
		return err
	}
	return c.mayDecorate(q, o)
}

var descriptionClass = &class{
	name: "be.cytomine.meta.Description", key: "description", table: "description", order: "t.id",
	fields: []field{
		{name: "domainClassName", col: "class", must: true},
		{name: "domainIdent", col: "ident", kind: integer, must: true},
		{name: "data", col: "data", must: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "description", old, "class=? AND ident=?", "Description for", rec["domainClassName"], rec["domainIdent"])
	},
	access: ownerAccess,
}

var propertyClass = &class{
	name: "be.cytomine.meta.Property", key: "property", table: "property", label: "key", order: "t.id",
	fields: []field{
		{name: "domainClassName", col: "class", must: true},
		{name: "domainIdent", col: "ident", kind: integer, must: true},
		{name: "key", col: "key", must: true},
		{name: "value", col: "value", must: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "property", old, "value=? AND ident=? AND key=?", "Property", rec["value"], rec["domainIdent"], rec["key"])
	},
	access: ownerAccess,
}

var tagClass = &class{
	name: "be.cytomine.meta.Tag", key: "tag", table: "tag", label: "name", order: "t.id",
	from: "LEFT JOIN user u ON u.id = t.user",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "user", col: "user", kind: ref, out: true},
		{name: "creatorName", col: "u.username", out: true},
	},
	check: func(c *call, t *tx, old, rec record) error {
		if old == nil {
			rec["user"] = c.user.human
		}
		return unique(t, "tag", old, "name=? COLLATE NOCASE", "Tag", rec["name"])
	},
	drop: func(_ *call, t *tx, rec record) error {
		return t.exec("DELETE FROM tag_association WHERE tag=?", rec["id"])
	},
}

var tagAssociationClass = &class{
	name: "be.cytomine.meta.TagDomainAssociation", key: "tagdomainassociation", table: "tag_association", order: "t.id",
	from: "LEFT JOIN tag g ON g.id = t.tag",
	fields: []field{
		{name: "domainClassName", col: "class", must: true},
		{name: "domainIdent", col: "ident", kind: integer, must: true},
		{name: "tag", col: "tag", kind: ref, table: "tag", must: true},
		{name: "tagName", col: "g.name", out: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "tag_association", old, "ident=? AND class=? AND tag=?", "Tag association", rec["domainIdent"], rec["domainClassName"], rec["tag"])
	},
	access: ownerAccess,
}

// dropMeta deletes what hangs on an object.
func dropMeta(c *call, t *tx, id int64) error {
	for _, table := range []string{"description", "property", "tag_association"} {
		if err := t.exec("DELETE FROM "+table+" WHERE ident=?", id); err != nil {
			return err
		}
	}
	files, err := ids(t, "SELECT id FROM attached_file WHERE ident=?", id)
	if err != nil {
		return err
	}
	for _, f := range files {
		c.discard(c.s.file("attached", f))
		if err := t.exec("DELETE FROM attached_file WHERE id=?", f); err != nil {
			return err
		}
	}
	return nil
}

// hung lists what of a class hangs on the owner in the path.
func (s *Server) hung(cl *class, fixed string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		o, err := c.pathOwner(q, fixed)
		if err != nil {
			return err
		}
		l, err := c.listing(cl)
		if err != nil {
			return err
		}
		l.and("t.ident=? AND t.class=?", o.id, o.class)
		return s.list(c, cl, l, cl == tagAssociationClass)
	}
}

// hang adds to the owner in the path, or in the body where the path has none.
func (s *Server) hang(cl *class, fixed string) handler {
	return func(c *call) error {
		objs, list, err := c.body()
		if err != nil {
			return err
		}
		place := func(t *tx, o object) error {
			var where owner
			var err error
			if c.raw("ident") != "" {
				where, err = c.pathOwner(t, fixed)
			} else {
				class, _ := o.str("domainClassName")
				where, err = c.owner(t, class, o.long("domainIdent", 0))
			}
			o["domainClassName"], o["domainIdent"] = where.class, where.id
			return err
		}
		if list {
			return s.addMany(c, cl.simple(), objs, func(t *tx, i int) (int64, error) {
				if err := place(t, objs[i]); err != nil {
					return 0, err
				}
				rec, _, err := cl.create(c, t, objs[i])
				return rec.int("id"), err
			})
		}
		var answer map[string]any
		err = s.store.update(c.ctx(), func(t *tx) error {
			if err := place(t, objs[0]); err != nil {
				return err
			}
			_, answer, err = cl.create(c, t, objs[0])
			return err
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, answer)
	}
}

// alter is a PUT to something that hangs on an object; the Python client names
// the class of an annotation "annotation".
func (s *Server) alter(cl *class) handler {
	return func(c *call) error {
		o, err := c.object()
		if err != nil {
			return err
		}
		var answer map[string]any
		err = s.store.update(c.ctx(), func(t *tx) error {
			if class, ok := o.str("domainClassName"); ok {
				if where, err := c.owner(t, class, o.long("domainIdent", 0)); err == nil {
					o["domainClassName"] = where.class
				}
			}
			answer, err = cl.replace(c, t, o)
			return err
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, answer)
	}
}

// showByKey answers with the first property of a key.
func (s *Server) showByKey(fixed string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		o, err := c.pathOwner(q, fixed)
		if err != nil {
			return err
		}
		rec, err := propertyClass.first(q, "t.ident=? AND t.key=?", o.id, c.raw("key"))
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound("Property", c.raw("key"))
		}
		if err := propertyClass.json(c, q, rec); err != nil {
			return err
		}
		return c.json(http.StatusOK, rec)
	}
}

// propertyKeys lists the keys in use on the annotations or images of a project or
// an image.
func (s *Server) propertyKeys(table string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		where, id := "project", c.long("idProject", 0)
		if image := c.long("idImage", 0); image != 0 && table == "annotation" {
			where, id = "image", image
		}
		rows, err := q.query("SELECT DISTINCT p.key FROM property p JOIN "+table+" a ON a.id = p.ident WHERE a."+where+"=? ORDER BY p.key", id)
		if err != nil {
			return err
		}
		defer rows.Close()
		keys := []map[string]any{}
		for rows.Next() {
			var k string
			if err := rows.Scan(&k); err != nil {
				return err
			}
			keys = append(keys, map[string]any{"key": k})
		}
		return slice(c, keys)
	}
}

// description finds the one description of the owner in the path.
func (c *call) description(q querier) (record, error) {
	o, err := c.pathOwner(q, "")
	if err != nil {
		return nil, err
	}
	rec, err := descriptionClass.first(q, "t.ident=? AND t.class=?", o.id, o.class)
	if err == nil && rec == nil {
		err = notFound("Description with Project", c.raw("ident")+" and className="+o.class)
	}
	return rec, err
}

func (s *Server) showDescription(c *call) error {
	q := s.store.read(c.ctx())
	rec, err := c.description(q)
	if err != nil {
		return err
	}
	if err := descriptionClass.json(c, q, rec); err != nil {
		return err
	}
	return c.json(http.StatusOK, rec)
}

func (s *Server) removeDescription(c *call) error {
	rec, err := c.description(s.store.read(c.ctx()))
	if err != nil {
		return err
	}
	return s.removeOne(c, descriptionClass, rec.int("id"))
}
