package embedded

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// userClass holds people and the users of jobs, which the API shows differently.
var userClass = &class{
	name: "be.cytomine.security.User", key: "user", table: "user", label: "username", order: "t.created DESC, t.id DESC",
	from: "LEFT JOIN user h ON h.id = t.human",
	fields: []field{
		{name: "username", col: "username", must: true},
		{name: "algo", col: "algo", kind: boolean, def: false, out: true},
		{name: "origin", col: "origin", def: "ADMINISTRATOR"},
		{name: "firstname", col: "firstname", must: true},
		{name: "lastname", col: "lastname", must: true},
		{name: "email", col: "email", must: true},
		{name: "language", col: "language", def: "EN"},
		{name: "color", col: "color"},
		{name: "role", col: "role", def: roleUser, out: true, hide: true},
		{name: "publicKey", col: "public_key", out: true},
		{name: "privateKey", col: "private_key", out: true},
		{name: "enabled", col: "enabled", kind: boolean, def: true, out: true},
		{name: "user", col: "creator", kind: ref, out: true},
		{name: "human", col: "human", kind: ref, out: true, hide: true},
		{name: "job", col: "job", kind: ref, out: true},
		{name: "rate", col: "rate", kind: number, def: -1.0, out: true},
		{name: "humanUsername", col: "h.username", out: true},
	},
	access: writeAdmin,
	view:   viewUsers,
}

func init() {
	userClass.check = func(c *call, t *tx, old, rec record) error {
		taken, err := exists(t, "SELECT 1 FROM user WHERE algo=0 AND username=? COLLATE NOCASE AND id<>?", rec["username"], old.int("id"))
		if err != nil {
			return err
		}
		if taken {
			return conflict("User %s already exist!", rec["username"])
		}
		if old == nil {
			rec["publicKey"], rec["privateKey"], rec["user"] = uuid.NewString(), uuid.NewString(), c.user.id
		}
		return nil
	}
	userClass.added = func(_ *call, t *tx, rec record) error {
		return storageClass.insert(t, record{"name": rec["username"], "user": rec["id"]})
	}
	userClass.drop = func(_ *call, t *tx, rec record) error {
		if err := t.exec("DELETE FROM storage WHERE user=?", rec["id"]); err != nil {
			return err
		}
		return t.exec("DELETE FROM member WHERE user=?", rec["id"])
	}
}

// viewUsers gives people and job users their two shapes. Keys of a person are
// shown to that person only; keys of a job's user to everybody who finds it.
func viewUsers(c *call, _ querier, recs []record) error {
	for _, rec := range recs {
		if rec.bool("algo") {
			rec["class"] = "be.cytomine.security.UserJob"
			rec["user"] = rec["human"]
			for _, name := range []string{"firstname", "lastname", "email", "language", "color", "enabled"} {
				delete(rec, name)
			}
			continue
		}
		for _, name := range []string{"job", "rate", "humanUsername"} {
			delete(rec, name)
		}
		if rec.int("id") == c.user.id {
			rec["passwordExpired"] = false
		} else {
			delete(rec, "publicKey")
			delete(rec, "privateKey")
		}
		rec["isDeveloper"] = false
	}
	return nil
}

// withRoles adds the role flags. "user" loses the creator's id to a boolean, as
// in the original.
func withRoles(rec record, role string) {
	rec["admin"], rec["user"], rec["guest"] = role == roleAdmin, role != roleGuest, role == roleGuest
}

// newUserJob makes the user in whose name a job acts, with keys of its own.
func (s *Server) newUserJob(t *tx, human, job int64, created int64) (int64, error) {
	var username string
	if _, err := one(t, "SELECT username FROM user WHERE id=?", []any{human}, &username); err != nil {
		return 0, err
	}
	at := time.UnixMilli(t.now).UTC()
	rec := record{
		"username": fmt.Sprintf("JOB[%s ], %s:%02d", username, at.Format("2006-01-02 15:04:05"), at.Nanosecond()/1e7),
		"created":  created, "algo": true, "origin": "JOB", "role": roleUser, "enabled": true, "rate": -1.0,
		"publicKey": uuid.NewString(), "privateKey": uuid.NewString(), "user": human, "human": human, "job": job,
	}
	if err := userClass.insert(t, rec); err != nil {
		return 0, err
	}
	return rec.int("id"), t.exec("UPDATE job SET user_job=?, launcher=? WHERE id=?", rec["id"], human, job)
}

func (s *Server) currentUser(c *call) error {
	q := s.store.read(c.ctx())
	rec, err := userClass.get(q, c.user.id)
	if err != nil {
		return err
	}
	if err := userClass.json(c, q, rec); err != nil {
		return err
	}
	if !c.user.algo {
		withRoles(rec, c.user.role)
		rec["adminByNow"], rec["userByNow"], rec["guestByNow"] = rec["admin"], rec["user"], rec["guest"]
		rec["isSwitched"] = false
	}
	return c.json(http.StatusOK, rec)
}

// findUser returns the user a path segment names, by id or by user name.
func (c *call) findUser(q querier, segment string) (record, error) {
	where, arg := "t.username=? AND t.algo=0", any(c.raw(segment))
	if id, err := strconv.ParseInt(c.raw(segment), 10, 64); err == nil {
		where, arg = "t.id=?", id
	}
	rec, err := userClass.first(q, where, arg)
	if err == nil && rec == nil {
		err = notFound("User", c.raw(segment))
	}
	return rec, err
}

func (s *Server) showUser(c *call) error {
	q := s.store.read(c.ctx())
	rec, err := c.findUser(q, "id")
	if err != nil {
		return err
	}
	who, err := s.identity(q, "u.id=?", rec["id"])
	if err != nil {
		return err
	}
	algo := rec.bool("algo")
	if err := userClass.json(c, q, rec); err != nil {
		return err
	}
	human := rec["user"]
	withRoles(rec, who.role)
	if algo { // the id of the person is worth more than the flag
		rec["user"] = human
	}
	return c.json(http.StatusOK, rec)
}

func (s *Server) showUserJob(c *call) error {
	q := s.store.read(c.ctx())
	rec, err := c.findUser(q, "id")
	if err != nil {
		return err
	}
	if !rec.bool("algo") {
		return notFound("UserJob", c.raw("id"))
	}
	if err := userClass.json(c, q, rec); err != nil {
		return err
	}
	return c.json(http.StatusOK, rec)
}

// showKeys answers with a key pair, to its owner only.
func (s *Server) showKeys(c *call) error {
	q := s.store.read(c.ctx())
	var rec record
	var err error
	if key := c.raw("publicKey"); key != "" {
		rec, err = userClass.first(q, "t.public_key=?", key)
	} else {
		rec, err = c.findUser(q, "id")
	}
	switch {
	case err != nil:
		return err
	case rec == nil || rec.int("id") != c.user.id && !(c.user.isAdmin() && !c.user.algo):
		return forbidden()
	}
	return c.json(http.StatusOK, map[string]any{"publicKey": rec["publicKey"], "privateKey": rec["privateKey"]})
}

// showSignature signs a request for the caller, a help for those who write clients.
func (s *Server) showSignature(c *call) error {
	p := c.params()
	contentType, path := p.Get("content-type"), p.Get("forwardURI")
	if p.Has("Content-Type") {
		contentType = p.Get("Content-Type")
	}
	if qs := p.Get("queryString"); qs != "" {
		path += "?" + qs
	}
	user, err := userClass.get(s.store.read(c.ctx()), c.user.id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]any{
		"signature": sign(c.user.privateKey, p.Get("method"), p.Get("content-MD5"), contentType, p.Get("date"), path),
		"publicKey": user["publicKey"],
	})
}

func (s *Server) listUsers(c *call) error {
	if key := c.param("publicKey"); key != "" {
		q := s.store.read(c.ctx())
		rec, err := userClass.first(q, "t.public_key=?", key)
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound("User", key)
		}
		if err := userClass.json(c, q, rec); err != nil {
			return err
		}
		return c.json(http.StatusOK, rec)
	}
	l, err := c.listing(userClass)
	if err != nil {
		return err
	}
	l.and("t.algo=0")
	return s.list(c, userClass, l, true)
}

// projectUsers lists the members of a project; where narrows the membership m.
func (s *Server) projectUsers(where string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		project, err := c.project(q, "id")
		if err != nil {
			return err
		}
		l, err := c.listing(userClass)
		if err != nil {
			return err
		}
		l.and("t.id IN (SELECT user FROM member m WHERE m.project=?"+where+")", project)
		return s.list(c, userClass, l, where == "")
	}
}

func (s *Server) ontologyUsers(c *call) error {
	l, err := c.listing(userClass)
	if err != nil {
		return err
	}
	l.and("t.id IN (SELECT m.user FROM member m JOIN project p ON p.id=m.project WHERE p.ontology=?)", c.id("id"))
	return s.list(c, userClass, l, false)
}

// setMember makes a person a member of a project, or one no longer.
func (s *Server) setMember(member, manager bool) handler {
	return func(c *call) error {
		err := s.store.update(c.ctx(), func(t *tx) error {
			project, err := c.project(t, "id")
			if err != nil {
				return err
			}
			if err := c.mayManage(t, project); err != nil {
				return err
			}
			user, err := c.findUser(t, "user")
			if err != nil {
				return err
			}
			switch {
			case member:
				return addMember(t, project, user.int("id"), manager)
			case manager:
				return t.exec("UPDATE member SET manager=0 WHERE project=? AND user=?", project, user["id"])
			}
			return t.exec("DELETE FROM member WHERE project=? AND user=?", project, user["id"])
		})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, map[string]any{"data": map[string]any{"message": "OK"}, "status": 200})
	}
}

// addMember adds a member or raises one to manager; it never lowers.
func addMember(t *tx, project, user int64, manager bool) error {
	return t.exec(`INSERT INTO member (project, user, manager) VALUES (?, ?, ?)
		ON CONFLICT (project, user) DO UPDATE SET manager = MAX(manager, excluded.manager)`, project, user, manager)
}
