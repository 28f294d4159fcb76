package embedded

import (
	"net/http"
)

// image returns the image in a project that the path names, once the caller may
// see it.
func (c *call) image(q querier) (record, error) { return imageClass.must(c, q, c.id("id")) }

func (s *Server) listImages(c *call) error {
	q := s.store.read(c.ctx())
	project, err := c.project(q, "id")
	if err != nil {
		return err
	}
	l, err := c.listing(imageClass)
	if err != nil {
		return err
	}
	l.and("t.project=?", project)
	return s.sendImages(c, l)
}

// userImages lists the images of all projects a person may see.
func (s *Server) userImages(c *call) error {
	l, err := c.listing(imageClass)
	if err != nil {
		return err
	}
	c.visible(l, "t.project")
	return s.sendImages(c, l)
}

func (s *Server) sendImages(c *call, l *listing) error {
	c.listsImages = true
	q := s.store.read(c.ctx())
	recs, size, err := imageClass.page(q, l)
	if err != nil {
		return err
	}
	if err := imageClass.json(c, q, recs...); err != nil {
		return err
	}
	light := c.flag("light", false)
	for i, rec := range recs {
		rec["projectName"] = rec["_projectName"]
		delete(rec, "_projectName")
		if light {
			recs[i] = record{"id": rec["id"], "instanceFilename": rec["instanceFilename"], "blindedName": rec["blindedName"], "fullPath": rec["fullPath"]}
		}
	}
	if c.flag("tree", false) {
		children := []map[string]any{}
		for _, rec := range recs {
			children = append(children, map[string]any{"id": rec["id"], "key": rec["id"], "title": rec["instanceFilename"], "isFolder": false, "children": []any{}})
		}
		return c.json(http.StatusOK, map[string]any{"isFolder": true, "hideCheckbox": true, "name": "Root", "title": "Root", "key": "0", "id": 0, "children": children, "size": size})
	}
	return c.json(http.StatusOK, map[string]any{"collection": recs, "size": size})
}

// addImage shows an image file in a project.
func (s *Server) addImage(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	switch {
	case o.long("baseImage", 0) == 0:
		return wrong("abstract image not set")
	case o.long("project", 0) == 0:
		return wrong("project not set")
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		rec, a, err := imageClass.create(c, t, o)
		if err != nil {
			return err
		}
		answer = a
		stored, err := imageClass.get(t, rec.int("id"))
		if err != nil {
			return err
		}
		ownAttributes(o, stored)
		if err := imageClass.store(t, stored); err != nil {
			return err
		}
		rec, err = imageClass.get(t, stored.int("id"))
		if err != nil {
			return err
		}
		answer[imageClass.key] = rec
		return imageClass.json(c, t, rec)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

func (s *Server) updateImage(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		if answer, err = imageClass.replace(c, t, o); err != nil {
			return err
		}
		rec, err := imageClass.get(t, o.long("id", 0))
		if err != nil {
			return err
		}
		before := rec["resolution"]
		ownAttributes(o, rec)
		if err := imageClass.store(t, rec); err != nil {
			return err
		}
		if rec, err = imageClass.get(t, rec.int("id")); err != nil {
			return err
		}
		if rec["resolution"] != before {
			if err := remeasure(t, rec); err != nil {
				return err
			}
		}
		answer[imageClass.key] = rec
		return imageClass.json(c, t, rec)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

// neighbour answers with the next or previous image of the same project, or {}.
func (s *Server) neighbour(op, order string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		rec, err := c.image(q)
		if err != nil {
			return err
		}
		recs, err := imageClass.find(q, "t.project=? AND (t.created, t.id) "+op+" (?, ?)", "ORDER BY t.created "+order+", t.id "+order+" LIMIT 1",
			rec["project"], rec["created"], rec["id"])
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			return c.json(http.StatusOK, map[string]any{})
		}
		if err := imageClass.json(c, q, recs[0]); err != nil {
			return err
		}
		return c.json(http.StatusOK, recs[0])
	}
}

// baseOf returns the image file behind the path: /abstractimage/{id}, or
// /imageinstance/{id} and /sliceinstance/{id}.
func (s *Server) baseOf(c *call, q querier, kind string) (record, error) {
	switch kind {
	case "abstractimage":
		return abstractImageClass.must(c, q, c.id("id"))
	case "sliceinstance":
		rec, err := imageClass.first(q, "t.slice=?", c.id("id"))
		if err != nil {
			return nil, err
		}
		if rec == nil {
			return nil, notFound("SliceInstance", c.raw("id"))
		}
		if err := imageClass.access(c, q, rec, false); err != nil {
			return nil, err
		}
		return abstractImageClass.get(q, rec.int("baseImage"))
	}
	rec, err := c.image(q)
	if err != nil {
		return nil, err
	}
	return abstractImageClass.get(q, rec.int("baseImage"))
}

// downloadImage answers with the file as it was brought.
func (s *Server) downloadImage(kind string) handler {
	return func(c *call) error {
		rec, err := s.baseOf(c, s.store.read(c.ctx()), kind)
		if err != nil {
			return err
		}
		return c.sendFile(s.imageFile(rec.int("id"), rec.text("extension")), rec.text("originalFilename"), false)
	}
}

func (s *Server) projectAbstractImages(c *call) error {
	project, err := c.project(s.store.read(c.ctx()), "id")
	if err != nil {
		return err
	}
	l, err := c.listing(abstractImageClass)
	if err != nil {
		return err
	}
	l.and("t.id IN (SELECT base_image FROM image_instance WHERE project=?)", project)
	return s.list(c, abstractImageClass, l, false)
}

func (s *Server) listAbstractImages(c *call) error {
	l, err := c.listing(abstractImageClass)
	if err != nil {
		return err
	}
	if !c.user.isAdmin() {
		l.and(`(t.user=? OR t.id IN (SELECT i.base_image FROM image_instance i JOIN member m ON m.project = i.project WHERE m.user=?))`, c.user.human, c.user.human)
	}
	return s.list(c, abstractImageClass, l, true)
}
