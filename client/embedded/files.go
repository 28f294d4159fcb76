package embedded

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// file is where the bytes of an attached file or a job's result lie.
func (s *Server) file(what string, id int64) string {
	return filepath.Join(s.dir, "files", what+"-"+strconv.FormatInt(id, 10))
}

// upload is what a request brought: a file on disk that is not yet anybody's.
type upload struct {
	path string
	size int64
	name string            // of the file part, base name only
	form map[string]string // the other parts
}

// discard deletes an upload that became nobody's.
func (u *upload) discard() {
	if u.path != "" {
		_ = os.Remove(u.path) // gone already when it was taken
	}
}

// take gives the upload its place.
func (u *upload) take(to string) error {
	if err := os.Rename(u.path, to); err != nil {
		return fmt.Errorf("cannot keep the uploaded file: %w", err)
	}
	return nil
}

// receive stores the file of a request: the part files[] of a multipart body
// (any part with a file name will do), or the whole body otherwise. There is no
// limit but the disk's.
func (s *Server) receive(c *call) (*upload, error) {
	u := &upload{form: map[string]string{}}
	mediaType, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		return u, s.keep(u, c.r.Body)
	}
	parts := multipart.NewReader(c.r.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			u.discard()
			return nil, wrong("cannot read the uploaded form: %v", err)
		}
		if name := fileName(p); name != "" && u.path == "" {
			u.name = name
			if err := s.keep(u, p); err != nil {
				u.discard()
				return nil, err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(p, 1<<20))
		if err != nil {
			u.discard()
			return nil, wrong("cannot read the uploaded form: %v", err)
		}
		u.form[p.FormName()] = string(value)
	}
	if u.path == "" {
		return nil, wrong("No File attached")
	}
	return u, nil
}

// fileName is the base name of a file part, "" for a plain field.
func fileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name, ok := params["filename"]
	if !ok {
		if p.FormName() == "files[]" {
			return "file"
		}
		return ""
	}
	return baseName(name)
}

// baseName is the last part of a client's path, whatever system it comes from.
func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		return "file"
	}
	return name
}

// keep writes a stream to a file in the data folder.
func (s *Server) keep(u *upload, r io.Reader) error {
	f, err := os.CreateTemp(filepath.Join(s.dir, "files"), "incoming-*")
	if err != nil {
		return fmt.Errorf("cannot store an upload: %w", err)
	}
	u.path = f.Name()
	u.size, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		u.discard()
		return fmt.Errorf("cannot store an upload: %w", err)
	}
	return nil
}

// sendFile answers with a file as a download, or inline to be looked at.
func (c *call) sendFile(file, name string, inline bool) error {
	f, err := os.Open(file)
	if err != nil {
		return crash("cannot read the stored file of %s: %v", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return crash("cannot read the stored file of %s: %v", name, err)
	}
	h := c.w.Header()
	disposition, contentType := "attachment", "application/octet-stream"
	if inline {
		disposition = "inline"
		if t := mime.TypeByExtension(path.Ext(name)); t != "" && !strings.Contains(t, "html") && !strings.Contains(t, "svg") {
			contentType = t
		}
	}
	h.Set("Content-Disposition", disposition+"; filename*=UTF-8''"+url.PathEscape(name))
	if plainName(name) {
		h.Set("Content-Disposition", disposition+"; filename="+name)
	}
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(c.w, c.r, "", info.ModTime(), f)
	return nil
}

// plainName reports whether a file name needs no quoting in a header.
func plainName(name string) bool {
	for _, r := range name {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"\;,%`, r) {
			return false
		}
	}
	return name != ""
}

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
