package embedded

import (
	"fmt"
	"net/http"
)

// A person's term on an annotation is an AnnotationTerm, a job's is an
// AlgoAnnotationTerm; both are rows of one table.

// linkTerm puts a term on an annotation in the name of the caller. A job's term
// has a rate (0 unless given) and possibly an expected term.
func (s *Server) linkTerm(c *call, t *tx, a *annotation, term int64, expected, rate any) error {
	var ontology int64
	ok, err := one(t, "SELECT ontology FROM term WHERE id=?", []any{term}, &ontology)
	switch {
	case err != nil:
		return err
	case !ok:
		return wrong("term was not found with id:%d", term)
	}
	ok, err = exists(t, "SELECT 1 FROM project WHERE id=? AND ontology=?", a.project, ontology)
	if err != nil {
		return err
	}
	if !ok {
		return wrong("Term %d from ontology %d is not in ontology from the annotation project", term, ontology)
	}
	ok, err = exists(t, "SELECT 1 FROM annotation_term WHERE annotation=? AND term=? AND user=?", a.id, term, c.user.id)
	if err != nil {
		return err
	}
	if ok {
		return conflict("Annotation-Term with annotation %d and term %d and %d)", a.id, term, c.user.id)
	}
	if c.user.algo && rate == nil {
		rate = 0.0
	}
	return t.exec("INSERT INTO annotation_term (id, created, annotation, term, user, algo, expected, rate) VALUES (?,?,?,?,?,?,?,?)",
		t.id(), t.now, a.id, term, c.user.id, c.user.algo, expected, rate)
}

// showLink is one term on an annotation as the API shows it, nil when there is none.
func showLink(q querier, a *annotation, term int64, where string, args ...any) (map[string]any, error) {
	var l termLink
	var created int64
	ok, err := one(q, "SELECT id, term, user, algo, expected, rate, created FROM annotation_term x WHERE x.annotation=? AND x.term=?"+where+" ORDER BY id LIMIT 1",
		append([]any{a.id, term}, args...), &l.id, &l.term, &l.user, &l.algo, &l.expected, &l.rate, &created)
	if err != nil || !ok {
		return nil, err
	}
	return l.json(a, created), nil
}

func (l *termLink) json(a *annotation, created int64) map[string]any {
	out := map[string]any{"id": l.id, "created": fmt.Sprint(created), "updated": nil, "deleted": nil, "term": l.term, "user": l.user}
	if !l.algo {
		out["class"], out["userannotation"] = "be.cytomine.ontology.AnnotationTerm", a.id
		return out
	}
	out["class"] = "be.cytomine.ontology.AlgoAnnotationTerm"
	out["annotationIdent"], out["annotation"], out["annotationClassName"] = a.id, a.id, annotationClasses[a.kind]
	out["rate"], out["project"], out["expectedTerm"] = double(l.rate.Float64), a.project, nil
	if l.expected.Valid {
		out["expectedTerm"] = l.expected.Int64
	}
	return out
}

// linkEnvelope is the answer of a write; the Python client looks for the key of
// the class it used, which for a job need not be the one of the row.
func linkEnvelope(t *tx, verb string, a *annotation, link map[string]any) map[string]any {
	key, simple := "annotationterm", "AnnotationTerm"
	if _, algo := link["annotationIdent"]; algo {
		key, simple = "algoannotationterm", "AlgoAnnotationTerm"
	}
	return map[string]any{
		"message": simple + map[string]string{"Add": " added", "Delete": " deleted"}[verb], "printMessage": true, "command": t.id(), key: link,
		"callback": map[string]any{"method": "be.cytomine." + verb + simple + "Command", key + "ID": fmt.Sprint(link["id"]),
			"annotationID": a.id, "termID": link["term"], "imageID": a.image},
	}
}

// addTerm handles POST /annotation/{id}/term/{term}. What counts is the body, but
// a body that names nothing means what the path says.
func (s *Server) addTerm(clear bool) handler {
	return func(c *call) error {
		o, err := c.object()
		if err != nil {
			return err
		}
		if clear && c.user.algo {
			return wrong("A userJob cannot delete user term from userannotation")
		}
		var answer map[string]any
		err = s.store.update(c.ctx(), func(t *tx) error {
			id := c.id("id")
			for _, name := range []string{"userannotation", "annotation", "annotationIdent"} {
				id = o.long(name, id)
			}
			a, err := s.annotation(c, t, id)
			if err != nil {
				return err
			}
			if !c.user.algo && a.kind == byJob && !clear {
				return wrong("AnnotationTerm must have a valide userannotation:%d", id)
			}
			human, err := humanOf(t, a.user)
			if err != nil {
				return err
			}
			if err := c.mayWrite(t, a.project, human); err != nil {
				return err
			}
			if clear {
				cond, args := " AND user=?", []any{a.id, c.user.id}
				if c.flag("clearForAll", false) {
					cond, args = "", args[:1]
				}
				if err := t.exec("DELETE FROM annotation_term WHERE annotation=? AND NOT algo"+cond, args...); err != nil {
					return err
				}
			}
			term := o.long("term", c.id("term"))
			var expected, rate any
			if e, ok := o.longOK("expectedTerm"); ok && c.user.algo {
				expected = e
			}
			if r, ok := o.doubleOK("rate"); ok && c.user.algo {
				if r < 0 || r > 1 {
					return wrong("Property [rate] with value [%v] is outside of 0..1", r)
				}
				rate = r
			}
			if err := s.linkTerm(c, t, a, term, expected, rate); err != nil {
				return err
			}
			link, err := showLink(t, a, term, " AND user=?", c.user.id)
			if err != nil {
				return err
			}
			answer = linkEnvelope(t, "Add", a, link)
			return nil
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, answer)
	}
}

// removeTerm handles DELETE /annotation/{id}/term/{term}[/user/{user}].
func (s *Server) removeTerm(c *call) error {
	if c.user.algo {
		return wrong("A annotatation term from userJob cannot delete term")
	}
	var answer map[string]any
	err := s.store.update(c.ctx(), func(t *tx) error {
		a, err := s.annotation(c, t, c.id("id"))
		if err != nil {
			return err
		}
		user := c.user.id
		if c.raw("user") != "" {
			user = c.id("user")
		}
		link, err := showLink(t, a, c.id("term"), " AND user=?", user)
		if err != nil {
			return err
		}
		if link == nil {
			return gone("Annotation term not found: annotation %s term %s user %d", c.raw("id"), c.raw("term"), user)
		}
		human, err := humanOf(t, a.user)
		if err != nil {
			return err
		}
		if err := c.mayWrite(t, a.project, human); err != nil {
			return err
		}
		answer = linkEnvelope(t, "Delete", a, link)
		return t.exec("DELETE FROM annotation_term WHERE id=?", link["id"])
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

// showTerm handles GET /annotation/{id}/term/{term}[/user/{user}].
func (s *Server) showTerm(c *call) error {
	q := s.store.read(c.ctx())
	a, err := s.annotation(c, q, c.id("id"))
	if err != nil {
		return err
	}
	where, args := "", []any{}
	if c.raw("user") != "" {
		where, args = " AND user=?", append(args, c.id("user"))
	}
	link, err := showLink(q, a, c.id("term"), where, args...)
	if err != nil {
		return err
	}
	if link == nil {
		return message(http.StatusNotFound, "Annotation Term not found with id Term : "+c.raw("term")+" and  Annotation : "+c.raw("id"))
	}
	return c.json(http.StatusOK, link)
}

// annotationTerms lists the terms on an annotation, of people and of jobs.
func (s *Server) annotationTerms(c *call) error {
	q := s.store.read(c.ctx())
	a, err := s.annotation(c, q, c.id("id"))
	if err != nil {
		return err
	}
	rows, err := q.query("SELECT id, term, user, algo, expected, rate, created FROM annotation_term WHERE annotation=? ORDER BY algo, id", a.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	out := []map[string]any{}
	for rows.Next() {
		var l termLink
		var created int64
		if err := rows.Scan(&l.id, &l.term, &l.user, &l.algo, &l.expected, &l.rate, &created); err != nil {
			return err
		}
		out = append(out, l.json(a, created))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return slice(c, out)
}
