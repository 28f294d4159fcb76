package embedded

import (
	"database/sql"
	"net/http"
)

// reviewAnnotation makes a ReviewedAnnotation of an annotation, or takes it back.
func (s *Server) reviewAnnotation(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		a, err := s.annotation(c, t, c.id("id"))
		if err != nil {
			return err
		}
		if err := c.mayAdd(t, a.project); err != nil {
			return err
		}
		if c.r.Method == http.MethodDelete {
			r := *a
			if a.kind != reviewed {
				ok, err := one(t, "SELECT "+annotationColumns+" FROM annotation a WHERE a.kind=2 AND a.parent=?", []any{a.id}, r.dest()...)
				if err != nil {
					return err
				}
				if !ok {
					return gone("Annotation %d was not reviewed", a.id)
				}
			}
			if answer, err = r.reviewEnvelope(c, t, "Delete"); err != nil {
				return err
			}
			return t.exec("DELETE FROM annotation WHERE id=?", r.id)
		}
		done, err := exists(t, "SELECT 1 FROM annotation WHERE kind=2 AND parent=?", a.id)
		if err != nil {
			return err
		}
		if done || a.kind == reviewed {
			return conflict("Annotation is already accepted by user %s", c.user.username)
		}
		inReview, err := exists(t, "SELECT 1 FROM image_instance WHERE id=? AND review_start IS NOT NULL AND review_user=?", a.image, c.user.id)
		if err != nil {
			return err
		}
		if !inReview {
			return wrong("Cannot accept annotation, enable image review mode!")
		}
		r := *a
		r.id, r.created, r.kind, r.reviews = t.id(), t.now, reviewed, 0
		r.updated = sql.NullInt64{}
		r.parent, r.reviewUser = sql.NullInt64{Int64: a.id, Valid: true}, sql.NullInt64{Int64: c.user.id, Valid: true}
		if err := r.insert(t); err != nil {
			return err
		}
		terms := o.list("terms")
		if len(terms) == 0 {
			if terms, err = ids(t, "SELECT DISTINCT term FROM annotation_term WHERE annotation=?", a.id); err != nil {
				return err
			}
		}
		for _, term := range terms {
			if err := s.linkTerm(c, t, &r, term, nil, nil); err != nil {
				return err
			}
		}
		answer, err = r.reviewEnvelope(c, t, "Add")
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

func (a *annotation) reviewEnvelope(c *call, t *tx, verb string) (map[string]any, error) {
	answer, err := a.envelope(c, t, verb)
	if err != nil {
		return nil, err
	}
	answer["reviewedannotation"] = answer["annotation"]
	delete(answer, "annotation")
	return answer, nil
}

// reviewImage starts the review of an image, or ends it (DELETE; cancel=true
// takes it back).
func (s *Server) reviewImage(c *call) error {
	err := s.store.update(c.ctx(), func(t *tx) error {
		image, err := imageClass.retrieve(c, t, c.id("id"), c.raw("id"))
		if err != nil {
			return err
		}
		switch {
		case c.r.Method != http.MethodDelete && image["reviewStart"] != nil:
			return wrong("Image is already in review mode")
		case c.r.Method != http.MethodDelete:
			image["reviewStart"], image["reviewUser"] = t.now, c.user.id
		case c.flag("cancel", false):
			image["reviewStart"], image["reviewStop"], image["reviewUser"] = nil, nil, nil
		default:
			image["reviewStop"] = t.now
		}
		return imageClass.store(t, image)
	})
	if err != nil {
		return err
	}
	return s.show(imageClass)(c)
}
