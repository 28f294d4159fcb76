package embedded

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// envelope is the answer of a successful write: always 200, the object under the
// lower case name of its class.
func (cl *class) envelope(t *tx, verb string, rec record) map[string]any {
	id := rec.int("id")
	simple := cl.simple()
	callback := map[string]any{
		"method":                       "be.cytomine." + verb + simple + "Command",
		strings.ToLower(simple) + "ID": strconv.FormatInt(id, 10),
	}
	what := fmt.Sprintf("%s %d", simple, id)
	if cl.label != "" && rec[cl.label] != nil {
		what += fmt.Sprintf(" (%v)", rec[cl.label])
	}
	return map[string]any{
		"message":      what + map[string]string{"Add": " added", "Edit": " edited", "Delete": " deleted"}[verb],
		"callback":     callback,
		"printMessage": true,
		"command":      t.id(),
		cl.key:         rec,
	}
}

// create adds one object and returns the answer.
func (cl *class) create(c *call, t *tx, o object) (record, map[string]any, error) {
	rec, err := cl.decode(t, o, nil)
	if err != nil {
		return nil, nil, err
	}
	if ms, ok := o.longOK("created"); ok && c.user.isAdmin() {
		rec["created"] = ms
	}
	if cl.access != nil {
		if err := cl.access(c, t, rec, true); err != nil {
			return nil, nil, err
		}
	}
	if cl.check != nil {
		if err := cl.check(c, t, nil, rec); err != nil {
			return nil, nil, err
		}
	}
	if err := cl.insert(t, rec); err != nil {
		return nil, nil, err
	}
	if cl.added != nil {
		if err := cl.added(c, t, rec); err != nil {
			return nil, nil, err
		}
	}
	if rec, err = cl.get(t, rec.int("id")); err != nil {
		return nil, nil, err
	}
	if err := cl.json(c, t, rec); err != nil {
		return nil, nil, err
	}
	return rec, cl.envelope(t, "Add", rec), nil
}

// add handles a POST of one object or an array of objects.
func (s *Server) add(cl *class) handler {
	return func(c *call) error {
		objs, list, err := c.body()
		if err != nil {
			return err
		}
		if list {
			return s.addMany(c, cl.simple(), objs, func(t *tx, i int) (int64, error) {
				rec, _, err := cl.create(c, t, objs[i])
				return rec.int("id"), err
			})
		}
		var answer map[string]any
		err = s.store.update(c.ctx(), func(t *tx) error {
			_, answer, err = cl.create(c, t, objs[0])
			return err
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, answer)
	}
}

// addMany adds each object for itself: what is refused does not undo the others.
// All added is 200, some 206, none 400. add gets the index of the object.
func (s *Server) addMany(c *call, simple string, objs []object, add func(*tx, int) (int64, error)) error {
	var added []string
	failed := []map[string]any{}
	err := s.store.update(c.ctx(), func(t *tx) error {
		for i, o := range objs {
			id, err := t.savepoint(func() (int64, error) { return add(t, i) })
			if err != nil {
				failed = append(failed, map[string]any{"data": o, "message": asAPIError(err).text})
				continue
			}
			added = append(added, strconv.FormatInt(id, 10))
		}
		return nil
	})
	if err != nil {
		return err
	}
	what := strings.ToLower(simple) + "s " + strings.Join(added, ",")
	switch {
	case len(failed) == 0:
		return c.json(http.StatusOK, map[string]any{"message": what + " added"})
	case len(added) == 0:
		return c.json(http.StatusBadRequest, map[string]any{"success": false, "message": "No entry saved", "errors": failed})
	}
	return c.json(http.StatusPartialContent, map[string]any{"success": false, "errors": failed,
		"message": "Only part of the entries (" + what + ") added."})
}

// savepoint undoes what fn wrote when fn fails, and only that.
func (t *tx) savepoint(fn func() (int64, error)) (int64, error) {
	if err := t.exec("SAVEPOINT entry"); err != nil {
		return 0, err
	}
	id, err := fn()
	if err != nil {
		if rerr := t.exec("ROLLBACK TO entry"); rerr != nil {
			return 0, rerr
		}
	}
	if rerr := t.exec("RELEASE entry"); rerr != nil {
		return 0, rerr
	}
	return id, err
}

// show handles the GET of one object.
func (s *Server) show(cl *class) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		rec, err := cl.must(c, q, c.id("id"))
		if err != nil {
			return err
		}
		if err := cl.json(c, q, rec); err != nil {
			return err
		}
		return c.json(http.StatusOK, rec)
	}
}

// must returns an object the caller may see, or the 404 or 403 to answer.
func (cl *class) must(c *call, q querier, id int64) (record, error) {
	rec, err := cl.get(q, id)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, notFound(cl.simple(), c.raw("id"))
	}
	if cl.access != nil {
		if err := cl.access(c, q, rec, false); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

// retrieve finds the object a change or a deletion is about, with the write
// permission; missing is 404 in the string shape.
func (cl *class) retrieve(c *call, t *tx, id int64, shown any) (record, error) {
	rec, err := cl.get(t, id)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, gone("class %s %v not found", cl.name, shown)
	}
	if cl.access != nil {
		if err := cl.access(c, t, rec, true); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

// update handles a PUT: a full replacement of the object the body's id names.
func (s *Server) update(cl *class) handler {
	return func(c *call) error {
		o, err := c.object()
		if err != nil {
			return err
		}
		var answer map[string]any
		err = s.store.update(c.ctx(), func(t *tx) error {
			answer, err = cl.replace(c, t, o)
			return err
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, answer)
	}
}

func (cl *class) replace(c *call, t *tx, o object) (map[string]any, error) {
	old, err := cl.retrieve(c, t, o.long("id", 0), o["id"])
	if err != nil {
		return nil, err
	}
	rec, err := cl.decode(t, o, old)
	if err != nil {
		return nil, err
	}
	rec["id"], rec["updated"] = old["id"], t.now
	rec["created"] = o.long("created", t.now)
	if cl.access != nil {
		if err := cl.access(c, t, rec, true); err != nil {
			return nil, err
		}
	}
	if cl.check != nil {
		if err := cl.check(c, t, old, rec); err != nil {
			return nil, err
		}
	}
	if err := cl.store(t, rec); err != nil {
		return nil, err
	}
	if rec, err = cl.get(t, old.int("id")); err != nil {
		return nil, err
	}
	if err := cl.json(c, t, rec); err != nil {
		return nil, err
	}
	return cl.envelope(t, "Edit", rec), nil
}

// remove handles the DELETE of one object and answers with what it was.
func (s *Server) remove(cl *class) handler {
	return func(c *call) error { return s.removeOne(c, cl, c.id("id")) }
}

func (s *Server) removeOne(c *call, cl *class, id int64) error {
	var answer map[string]any
	err := s.store.update(c.ctx(), func(t *tx) error {
		rec, err := cl.retrieve(c, t, id, c.raw("id"))
		if err != nil {
			return err
		}
		if err := cl.json(c, t, rec); err != nil {
			return err
		}
		// The JSON is made first: it may show what is about to go.
		plain, err := cl.get(t, id)
		if err != nil {
			return err
		}
		answer = cl.envelope(t, "Delete", rec)
		return cl.remove(c, t, plain)
	})
	if err != nil {
		return err
	}
	c.after()
	return c.json(http.StatusOK, answer)
}
