package embedded

import "net/http"

var ontologyClass = &class{
	name: "be.cytomine.ontology.Ontology", key: "ontology", table: "ontology", label: "name", order: "t.id",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "user", col: "user", kind: ref, out: true},
	},
	check: func(c *call, t *tx, old, rec record) error {
		if old == nil {
			rec["user"] = c.user.human
		}
		return unique(t, "ontology", old, "name=?", "Ontology", rec["name"])
	},
	access: func(c *call, _ querier, rec record, write bool) error {
		if write && rec["id"] != nil && !c.user.isAdmin() && rec.int("user") != c.user.human {
			return forbidden()
		}
		return nil
	},
}

func init() {
	ontologyClass.view = viewOntologies
	ontologyClass.drop = func(c *call, t *tx, rec record) error {
		used, err := exists(t, "SELECT 1 FROM project WHERE ontology=?", rec["id"])
		if err != nil {
			return err
		}
		if used {
			return wrong("Ontology %v is used by a project and cannot be deleted", rec["name"])
		}
		return termClass.removeAll(c, t, "t.ontology=?", rec["id"])
	}
	termClass.drop = func(_ *call, t *tx, rec record) error {
		used, err := exists(t, "SELECT 1 FROM annotation_term WHERE term=?", rec["id"])
		if err != nil {
			return err
		}
		if used {
			return wrong("Term %v is still linked with annotations. Cannot delete term!", rec["name"])
		}
		return t.exec("UPDATE term SET parent=NULL WHERE parent=?", rec["id"])
	}
}

var termClass = &class{
	name: "be.cytomine.ontology.Term", key: "term", table: "term", label: "name", order: "t.id",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "comment", col: "comment"},
		{name: "ontology", col: "ontology", kind: ref, table: "ontology", must: true},
		{name: "color", col: "color"},
		{name: "parent", col: "parent", kind: ref, table: "term", keep: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "term", old, "ontology=? AND name=? COLLATE NOCASE", "Term", rec["ontology"], rec["name"])
	},
	view: func(_ *call, _ querier, recs []record) error {
		for _, rec := range recs {
			if rec["color"] == nil {
				delete(rec, "color")
			}
		}
		return nil
	},
}

// viewOntologies adds what the original's tree widget wanted: the terms as
// children, nested under their parents.
func viewOntologies(c *call, q querier, recs []record) error {
	for _, rec := range recs {
		id := rec["id"]
		terms, err := termClass.find(q, "t.ontology=?", "ORDER BY t.name", id)
		if err != nil {
			return err
		}
		projects, err := projectClass.find(q, "t.ontology=?", "ORDER BY t.id", id)
		if err != nil {
			return err
		}
		seen := []map[string]any{}
		for _, p := range projects {
			if c.mayRead(q, p.int("id")) == nil {
				seen = append(seen, map[string]any{"id": p["id"], "name": p["name"]})
			}
		}
		known := map[int64]bool{}
		for _, t := range terms {
			known[t.int("id")] = true
		}
		children := map[int64][]record{}
		for _, t := range terms {
			parent := t.int("parent")
			if !known[parent] {
				parent = 0
			}
			children[parent] = append(children[parent], t)
		}
		rec["title"], rec["data"], rec["key"] = rec["name"], rec["name"], id
		rec["attr"] = map[string]any{"id": id, "type": ontologyClass.name}
		rec["isFolder"], rec["hideCheckbox"], rec["state"] = true, true, "open"
		rec["projects"] = seen
		rec["children"] = branch(children, 0, len(terms))
	}
	return nil
}

// branch is the tree under a parent; depth ends circles that bad data could have.
func branch(children map[int64][]record, parent int64, depth int) []map[string]any {
	out := []map[string]any{}
	if depth < 0 {
		return out
	}
	for _, t := range children[parent] {
		below := branch(children, t.int("id"), depth-1)
		node := map[string]any{
			"id": t["id"], "name": t["name"], "title": t["name"], "data": t["name"], "key": t["id"], "class": termClass.name,
			"attr": map[string]any{"id": t["id"], "type": termClass.name}, "state": "open", "checked": false,
			"parent": t["parent"], "isFolder": len(below) > 0, "hideCheckbox": false, "children": below,
		}
		if t["color"] != nil {
			node["color"] = t["color"]
		}
		out = append(out, node)
	}
	return out
}

func (s *Server) listOntologies(c *call) error {
	l, err := c.listing(ontologyClass)
	if err != nil {
		return err
	}
	return s.list(c, ontologyClass, l, false)
}

// terms lists the terms for which where, over t and the path's id, holds. what
// names the object of the id in a 404, "" for a list that has none.
func (s *Server) terms(what, table, where string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		l, err := c.listing(termClass)
		if err != nil {
			return err
		}
		if what != "" {
			id := c.id("id")
			ok, err := exists(q, "SELECT 1 FROM "+table+" WHERE id=?", id)
			if err != nil {
				return err
			}
			if !ok {
				return message(http.StatusNotFound, "Term not found with id "+what+" : "+c.raw("id"))
			}
			if table == "project" {
				if err := c.mayRead(q, id); err != nil {
					return err
				}
			}
			l.and(where, id)
		}
		return s.list(c, termClass, l, false)
	}
}

// relationTerm is the view of a parent relation, which is stored in the child.
func relationTerm(parent, child any) map[string]any {
	return map[string]any{"class": "be.cytomine.ontology.RelationTerm", "id": child, "relation": 1, "term1": parent, "term2": child}
}

func (s *Server) addRelation(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		parent, err := termClass.get(t, o.long("term1", 0))
		if err != nil {
			return err
		}
		child, err := termClass.get(t, o.long("term2", 0))
		if err != nil {
			return err
		}
		if parent == nil || child == nil {
			return wrong("term1 and term2 must be terms")
		}
		if child["parent"] != nil {
			return conflict("RelationTerm with relation=parent and term2 %v already exist!", child["id"])
		}
		rel := relationTerm(parent["id"], child["id"])
		answer = map[string]any{"message": "RelationTerm added", "printMessage": true, "command": t.id(), "relationterm": rel,
			"callback": map[string]any{"method": "be.cytomine.AddRelationTermCommand"}}
		return t.exec("UPDATE term SET parent=? WHERE id=?", parent["id"], child["id"])
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

func (s *Server) showRelation(c *call) error {
	ok, err := exists(s.store.read(c.ctx()), "SELECT 1 FROM term WHERE id=? AND parent=?", c.id("term2"), c.id("term1"))
	if err != nil {
		return err
	}
	if !ok {
		return notFound("RelationTerm", c.raw("term1"))
	}
	return c.json(http.StatusOK, relationTerm(c.id("term1"), c.id("term2")))
}

func (s *Server) removeRelation(c *call) error {
	var command int64
	err := s.store.update(c.ctx(), func(t *tx) error {
		ok, err := exists(t, "SELECT 1 FROM term WHERE id=? AND parent=?", c.id("term2"), c.id("term1"))
		if err != nil {
			return err
		}
		if !ok {
			return gone("Relation-term not found")
		}
		command = t.id()
		return t.exec("UPDATE term SET parent=NULL WHERE id=?", c.id("term2"))
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]any{"message": "RelationTerm deleted", "printMessage": true, "command": command,
		"callback": map[string]any{"method": "be.cytomine.DeleteRelationTermCommand"}, "relationterm": relationTerm(c.id("term1"), c.id("term2"))})
}
