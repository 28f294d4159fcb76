package embedded

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

var attachedFileClass = &class{
	name: "be.cytomine.meta.AttachedFile", key: "attachedfile", table: "attached_file", label: "filename", order: "t.id",
	fields: []field{
		{name: "domainClassName", col: "class", must: true},
		{name: "domainIdent", col: "ident", kind: integer, must: true},
		{name: "filename", col: "filename", must: true},
		{name: "size", col: "size", kind: integer, hide: true},
	},
	access: ownerAccess,
	view: func(_ *call, _ querier, recs []record) error {
		for _, rec := range recs {
			rec["url"] = fmt.Sprintf("/api/attachedfile/%d/download", rec.int("id"))
		}
		return nil
	},
	drop: func(c *call, _ *tx, rec record) error {
		c.discard(c.s.file("attached", rec.int("id")))
		return nil
	},
}

// attach stores a file that hangs on an object and answers with the bare object.
func (s *Server) attach(c *call) error {
	u, err := s.receive(c)
	if err != nil {
		return err
	}
	defer u.discard()
	pick := func(name string) string {
		if v := c.param(name); v != "" {
			return v
		}
		return u.form[name]
	}
	ident, _ := parseLong(pick("domainIdent"))
	// The original knows a filename only from the form; the query is kinder.
	name := u.form["filename"]
	if name == "" {
		name = c.param("filename")
	}
	if name == "" {
		name = u.name
	}
	if name == "" {
		return wrong("No File attached")
	}
	var rec record
	err = s.store.update(c.ctx(), func(t *tx) error {
		o, err := c.owner(t, pick("domainClassName"), ident)
		if err != nil {
			return err
		}
		if err := c.mayDecorate(t, o); err != nil {
			return err
		}
		rec = record{"domainClassName": o.class, "domainIdent": o.id, "filename": baseName(name), "size": u.size}
		if err := attachedFileClass.insert(t, rec); err != nil {
			return err
		}
		if rec, err = attachedFileClass.get(t, rec.int("id")); err != nil {
			return err
		}
		if err := u.take(s.file("attached", rec.int("id"))); err != nil {
			return err
		}
		return attachedFileClass.json(c, t, rec)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, rec)
}

func (s *Server) downloadAttached(c *call) error {
	rec, err := attachedFileClass.must(c, s.store.read(c.ctx()), c.id("id"))
	if err != nil {
		return err
	}
	return c.sendFile(s.file("attached", rec.int("id")), rec.text("filename"), false)
}

// jobLog answers with the attached file named log.out and its whole text.
func (s *Server) jobLog(c *call) error {
	q := s.store.read(c.ctx())
	if _, err := c.jobOf(q); err != nil {
		return err
	}
	rec, err := attachedFileClass.first(q, "t.ident=? AND t.class=? AND t.filename='log.out' ORDER BY t.id DESC", c.id("id"), jobClass.name)
	if err != nil {
		return err
	}
	if rec == nil {
		return notFound("Logs of Job", c.raw("id"))
	}
	b, err := os.ReadFile(s.file("attached", rec.int("id")))
	if err != nil {
		return crash("cannot read the log: %v", err)
	}
	if err := attachedFileClass.json(c, q, rec); err != nil {
		return err
	}
	rec["data"] = strings.ToValidUTF8(string(b), "\uFFFD")
	return c.json(http.StatusOK, rec)
}

var jobDataClass = &class{
	name: "be.cytomine.processing.JobData", key: "jobdata", table: "job_data", label: "filename", order: "t.id",
	fields: []field{
		{name: "key", col: "key", must: true},
		{name: "job", col: "job", kind: ref, table: "job", must: true},
		{name: "filename", col: "filename", must: true},
		{name: "size", col: "size", kind: integer, keep: true},
	},
	access: inJob,
	drop: func(c *call, _ *tx, rec record) error {
		c.discard(c.s.file("jobdata", rec.int("id")))
		return nil
	},
}

func (s *Server) listJobData(c *call) error {
	q := s.store.read(c.ctx())
	if _, err := c.jobOf(q); err != nil {
		return err
	}
	l, err := c.listing(jobDataClass)
	if err != nil {
		return err
	}
	l.and("t.job=?", c.id("id"))
	return s.list(c, jobDataClass, l, false)
}

// uploadJobData stores the bytes of a result announced before and answers with
// the bare object.
func (s *Server) uploadJobData(c *call) error {
	u, err := s.receive(c)
	if err != nil {
		return err
	}
	defer u.discard()
	var rec record
	err = s.store.update(c.ctx(), func(t *tx) error {
		rec, err = jobDataClass.get(t, c.id("id"))
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound("JobData", c.raw("id"))
		}
		if err := inJob(c, t, rec, true); err != nil {
			return err
		}
		if err := u.take(s.file("jobdata", rec.int("id"))); err != nil {
			return err
		}
		rec["size"] = u.size
		if err := jobDataClass.store(t, rec); err != nil {
			return err
		}
		return jobDataClass.json(c, t, rec)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, rec)
}

// downloadJobData answers with the bytes of a result; before the upload there is
// nothing to read, which the original does not foresee.
func (s *Server) downloadJobData(inline bool) handler {
	return func(c *call) error {
		rec, err := jobDataClass.must(c, s.store.read(c.ctx()), c.id("id"))
		if err != nil {
			return err
		}
		if rec["size"] == nil {
			return crash("Cannot get property 'data' on null object: job data %v has no file yet", rec["id"])
		}
		return c.sendFile(s.file("jobdata", rec.int("id")), baseName(rec.text("filename")), inline)
	}
}
