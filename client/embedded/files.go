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
