package embedded

import "net/http"

var projectClass = &class{
	name: "be.cytomine.project.Project", key: "project", table: "project", label: "name", order: "t.created DESC, t.id DESC",
	from: "LEFT JOIN ontology o ON o.id = t.ontology LEFT JOIN discipline d ON d.id = t.discipline",
	fields: []field{
		{name: "name", col: "name", must: true, max: 150},
		{name: "ontology", col: "ontology", kind: ref, table: "ontology"},
		{name: "ontologyName", col: "o.name", out: true},
		{name: "discipline", col: "discipline", kind: ref, table: "discipline"},
		{name: "disciplineName", col: "d.name", out: true},
		{name: "blindMode", col: "blind", kind: boolean, def: false},
		{name: "areImagesDownloadable", col: "downloadable", kind: boolean, def: false},
		{name: "numberOfSlides", col: "(0)", kind: integer, out: true},
		{name: "numberOfImages", col: "images", kind: integer, def: int64(0), out: true},
		{name: "numberOfAnnotations", col: "user_annotations", kind: integer, def: int64(0), out: true},
		{name: "numberOfJobAnnotations", col: "job_annotations", kind: integer, def: int64(0), out: true},
		{name: "numberOfReviewedAnnotations", col: "reviewed_annotations", kind: integer, def: int64(0), out: true},
		{name: "retrievalDisable", col: "retrieval_disable", kind: boolean, def: false},
		{name: "retrievalAllOntology", col: "retrieval_all", kind: boolean, def: true},
		{name: "isClosed", col: "closed", kind: boolean, def: false},
		{name: "isReadOnly", col: "readonly", kind: boolean, def: false},
		{name: "isRestricted", col: "restricted", kind: boolean, def: false},
		{name: "hideUsersLayers", col: "hide_users", kind: boolean, def: false},
		{name: "hideAdminsLayers", col: "hide_admins", kind: boolean, def: false},
	},
	check: func(c *call, t *tx, old, rec record) error {
		taken, err := exists(t, "SELECT 1 FROM project WHERE name=? COLLATE NOCASE AND id<>?", rec["name"], old.int("id"))
		if err != nil {
			return err
		}
		if taken {
			return conflict("Project %s already exist!", rec["name"])
		}
		if old != nil {
			return c.mayManage(t, old.int("id"))
		}
		return nil
	},
	access: func(c *call, q querier, rec record, write bool) error {
		switch {
		case rec["id"] == nil: // anybody but a guest may found a project
			if c.user.role == roleGuest {
				return forbidden()
			}
			return nil
		case write:
			return c.mayManage(q, rec.int("id"))
		}
		return c.mayRead(q, rec.int("id"))
	},
	view: func(_ *call, _ querier, recs []record) error {
		for _, rec := range recs {
			rec["retrievalProjects"] = []int64{}
			rec["disciplineShortName"] = rec["disciplineName"]
			rec["mode"] = "CLASSIC"
			if rec.bool("isReadOnly") {
				rec["mode"] = "READ_ONLY"
			} else if rec.bool("isRestricted") {
				rec["mode"] = "RESTRICTED"
			}
		}
		return nil
	},
}

func init() {
	projectClass.added = func(c *call, t *tx, rec record) error {
		return addMember(t, rec.int("id"), c.user.human, true)
	}
	projectClass.drop = func(c *call, t *tx, rec record) error {
		id := rec["id"]
		if err := jobClass.removeAll(c, t, "t.project=?", id); err != nil {
			return err
		}
		if err := imageClass.removeAll(c, t, "t.project=?", id); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM software_project WHERE project=?", id); err != nil {
			return err
		}
		return t.exec("DELETE FROM member WHERE project=?", id)
	}
}

// project returns the project a path segment names, once the caller may see it.
func (c *call) project(q querier, segment string) (int64, error) {
	id := c.id(segment)
	ok, err := exists(q, "SELECT 1 FROM project WHERE id=?", id)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return 0, notFound("Project", c.raw(segment))
	}
	return id, c.mayRead(q, id)
}

// addProject also makes the people named in users and admins members.
func (s *Server) addProject(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		var rec record
		if rec, answer, err = projectClass.create(c, t, o); err != nil {
			return err
		}
		for _, u := range o.list("users") {
			if err := addMember(t, rec.int("id"), u, false); err != nil {
				return err
			}
		}
		for _, u := range o.list("admins") {
			if err := addMember(t, rec.int("id"), u, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

// projects lists the visible projects for which where, over t and the path's id,
// holds. Without a condition, where is "".
func (s *Server) projects(where string) handler {
	return func(c *call) error {
		l, err := c.listing(projectClass)
		if err != nil {
			return err
		}
		if where != "" {
			l.and(where, c.id("id"))
		}
		c.visible(l, "t.id")
		if c.r.PathValue("id") == "" || where == inUserProjects {
			return s.list(c, projectClass, l, true)
		}
		return s.list(c, projectClass, l, false)
	}
}

// inUserProjects selects the projects of the person the path names.
const inUserProjects = "t.id IN (SELECT m.project FROM member m JOIN user u ON m.user = COALESCE(u.human, u.id) WHERE u.id=?)"

var disciplineClass = &class{
	name: "be.cytomine.project.Discipline", key: "discipline", table: "discipline", label: "name", order: "t.name",
	fields: []field{{name: "name", col: "name", must: true}},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "discipline", old, "name=? COLLATE NOCASE", "Discipline", rec["name"])
	},
}

// unique refuses a second object with the same values; the last value names it.
func unique(t *tx, table string, old record, where, what string, args ...any) error {
	taken, err := exists(t, "SELECT 1 FROM "+table+" WHERE "+where+" AND id<>?", append(args[:len(args):len(args)], old.int("id"))...)
	if err == nil && taken {
		return conflict("%s %v already exist!", what, args[len(args)-1])
	}
	return err
}
