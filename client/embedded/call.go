package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// maxBody bounds a JSON body. The largest honest ones are arrays of polygons.
const maxBody = 256 << 20

// handler answers one call or returns the error to answer with.
type handler func(*call) error

// call is one request on its way through a handler.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	user   *identity // nil on the open paths when nobody signed
	format string    // extension of the path: json, png, jpg, tif or ""
	query  url.Values
	stale  []string // files to delete once the transaction is through

	lastCanvas   *canvas // the image of the annotation added before this one
	listsJobs    bool    // the job list hides fewer values than a single job
	listsImages  bool    // the image list also tells the name of the project
	noParameters bool    // jobs without their parameters
}

// plain is a text/plain body.
type plain string

func (c *call) ctx() context.Context { return c.r.Context() }

// raw returns a path segment as sent.
func (c *call) raw(name string) string { return c.r.PathValue(name) }

// id returns a path segment as a number, 0 (which no object has) when it is none.
func (c *call) id(name string) int64 {
	n, err := strconv.ParseInt(c.raw(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// params returns the query parameters. A query that cannot be parsed whole gives
// the part that can.
func (c *call) params() url.Values {
	if c.query == nil {
		c.query, _ = url.ParseQuery(c.r.URL.RawQuery)
	}
	return c.query
}

func (c *call) param(name string) string { return c.params().Get(name) }

// long returns a query parameter as a number, or def.
func (c *call) long(name string, def int64) int64 {
	if n, ok := parseLong(c.param(name)); ok {
		return n
	}
	return def
}

// flag returns a boolean query parameter, or def when it is absent.
func (c *call) flag(name string, def bool) bool {
	switch strings.ToLower(c.param(name)) {
	case "":
		return def
	case "true", "on", "1", "yes":
		return true
	}
	return false
}

// longs returns a list parameter: numbers separated by commas or underscores.
func (c *call) longs(name string) []int64 {
	var out []int64
	for _, s := range strings.FieldsFunc(c.param(name), func(r rune) bool { return r == ',' || r == '_' || r == ' ' }) {
		if n, ok := parseLong(s); ok {
			out = append(out, n)
		}
	}
	return out
}

// body reads the JSON of the request.
func (c *call) body() ([]object, bool, error) {
	objs, list, err := parseBody(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		return nil, false, wrong("cannot read the JSON of the request: %v", err)
	}
	return objs, list, nil
}

// object reads the JSON of the request, which must be one object.
func (c *call) object() (object, error) {
	objs, list, err := c.body()
	if err != nil {
		return nil, err
	}
	if list {
		return nil, wrong("the body must be one object, not an array")
	}
	return objs[0], nil
}

// serverURL is the address clients know this server by: configured, or the host
// the request named, so that URLs in answers are signed and reached alike.
func (c *call) serverURL() string {
	if c.s.opts.ServerURL != "" {
		return strings.TrimSuffix(c.s.opts.ServerURL, "/")
	}
	return "http://" + c.r.Host
}

// json writes an answer.
func (c *call) json(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	c.bytes(status, "application/json;charset=UTF-8", b)
	return nil
}

func (c *call) bytes(status int, contentType string, b []byte) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b) // the client is gone; nobody is left to tell
}

// fail writes an error in its shape.
func (c *call) fail(err error) {
	e := asAPIError(err)
	switch body := e.body.(type) {
	case nil:
		if c.ctx().Err() != nil { // the client has gone, and took the query with it
			return
		}
		c.s.opts.Log.Error("request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", e.text)
		c.bytes(e.status, "text/html;charset=UTF-8", []byte("<!DOCTYPE html><html><head><title>Error "+strconv.Itoa(e.status)+
			"</title></head><body><h1>Error "+strconv.Itoa(e.status)+"</h1><p>"+html.EscapeString(e.text)+"</p></body></html>\n"))
	case plain:
		c.bytes(e.status, "text/plain;charset=UTF-8", []byte(body))
	default:
		if err := c.json(e.status, body); err != nil {
			c.bytes(http.StatusInternalServerError, "text/plain", []byte(err.Error()))
		}
	}
}

// discard notes a file to delete after the transaction.
func (c *call) discard(file string) { c.stale = append(c.stale, file) }

// after deletes the files whose records are gone. A file that stays behind costs
// space only, so a failure is logged and no more.
func (c *call) after() {
	for _, f := range c.stale {
		if err := os.Remove(f); err != nil && !os.IsNotExist(err) {
			c.s.opts.Log.Warn("cannot delete a file no record names any more", "file", f, "error", err)
		}
	}
	c.stale = nil
}
