package exacttest

import (
	"fmt"
	"strconv"
	"strings"
)

// answer finds what a path is and lets it answer.
func (c *call) answer() answer {
	path := c.path
	if !strings.HasSuffix(path, "/") && !strings.HasPrefix(path, "/media/") {
		if known(path + "/") {
			return c.noSlash()
		}
		return c.lost()
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/timesync/":
		return answer{recording: "016", status: 200, allow: "OPTIONS, GET",
			body: fmt.Appendf(nil, `{"unixtime":%.7f}`, float64(c.s.Now().UnixMicro())/1e6)}
	case strings.HasPrefix(path, "/users/api/tokens/"):
		return c.tokenCalls(parts[3:])
	case path == "/processing/api/plugin_job/create/":
		return c.createJob()
	case strings.HasPrefix(path, "/images/api/image/download/"):
		return c.download(parts[len(parts)-1])
	case path == "/annotations/api/annotation/loadannotationtypes/":
		return c.typesOfSet()
	case path == "/administration/api/plugins/product/add/":
		return c.addProduct()
	case strings.HasPrefix(path, "/media/"):
		return c.mediaFile()
	case strings.HasPrefix(path, "/api/v1/"):
		return c.api(parts[2:])
	}
	return c.lost()
}

func known(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch path {
	case "/timesync/", "/users/api/tokens/", "/processing/api/plugin_job/create/":
		return true
	}
	return len(parts) >= 4 && parts[0] == "api" && schemas[parts[3]] != nil && schemas[parts[3]].path == parts[2]+"/"+parts[3]
}

// noSlash is what becomes of a path without its final slash: a redirect, which
// turns a POST into a GET.
func (c *call) noSlash() answer {
	to := c.s.opt.Prefix + c.path + "/"
	if c.URL.RawQuery != "" {
		to += "?" + c.URL.RawQuery
	}
	a := answer{recording: "042", status: 301, kind: html, vary: slashVary, header: map[string]string{"Location": to, "Connection": "close"}}
	switch {
	case c.Method == "GET" || c.Method == "HEAD":
	case c.s.opt.Debug:
		a = debug500("043", "RuntimeError")
		a.vary, a.header = slashVary, map[string]string{"Connection": "close"}
	case c.Method == "POST":
		a.recording = "294"
	default:
		a.recording = "295"
	}
	return a
}

// lost is a path that is nowhere.
func (c *call) lost() answer {
	a := answer{recording: "293", status: 404, kind: html, vary: htmlVary,
		body: []byte("\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n")}
	if c.s.opt.Debug {
		a.recording = "004"
		a.body = []byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <title>Page not found at " + c.path + "</title>\n</head>\n</html>\n")
	}
	return a
}

// api is everything below /api/v1/.
func (c *call) api(parts []string) answer {
	if len(parts) == 1 {
		return c.lost()
	}
	if len(parts) == 0 {
		if a, ok := c.login("GET, HEAD, OPTIONS"); !ok {
			return a
		}
		return c.root()
	}
	sch := schemas[parts[1]]
	if sch == nil || sch.path != parts[0]+"/"+parts[1] {
		return c.lost()
	}
	rest := parts[2:]
	allow := onList
	if len(rest) > 0 {
		allow = onRow
	}
	special := ""
	if len(rest) == 1 && sch.name == "annotations" && (rest[0] == "count" || rest[0] == "multiple_delete") {
		special = rest[0]
		allow = "GET, HEAD, OPTIONS"
		if special == "multiple_delete" {
			allow = "DELETE, OPTIONS"
		}
	}
	if len(rest) == 2 && sch.name == "images" && rest[1] == "slide_information" {
		special, allow = rest[1], "GET, HEAD, OPTIONS"
	} else if len(rest) > 1 {
		return c.lost()
	}
	if a, ok := c.login(allow); !ok {
		return a
	}
	if refused := c.permit(sch, allow); refused != nil {
		return *refused
	}
	switch special {
	case "count":
		return c.count(sch)
	case "multiple_delete":
		return c.deleteMany(sch)
	case "slide_information":
		return c.slide(rest[0])
	}
	if c.Method == "GET" || c.Method == "HEAD" {
		if a, odd := c.negotiate(allow); odd {
			return a
		}
	}
	if len(rest) == 0 {
		switch c.Method {
		case "GET", "HEAD":
			return c.list(sch)
		case "POST":
			return c.create(sch)
		}
		return c.notAllowed(allow)
	}
	id, err := strconv.Atoi(rest[0])
	if err != nil {
		return c.none(sch, "107")
	}
	switch c.Method {
	case "GET", "HEAD":
		return c.one(sch, id)
	case "PATCH", "PUT":
		return c.change(sch, id)
	case "DELETE":
		return c.remove(sch, id)
	}
	return c.notAllowed(allow)
}

// permit is Django's model permissions: reading needs a login only.
func (c *call) permit(sch *schema, allow string) *answer {
	verb := map[string]string{"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}[c.Method]
	if verb == "" {
		return nil
	}
	app, model, _ := strings.Cut(sch.model, ".")
	if c.user.may(app + "." + verb + "_" + model) {
		return nil
	}
	return &answer{recording: map[string]string{"POST": "023", "PUT": "085", "PATCH": "085", "DELETE": "041"}[c.Method], status: 403, allow: allow,
		body: detailed("You do not have permission to perform this action.")}
}

func (c *call) notAllowed(allow string) answer {
	return answer{recording: "270", status: 405, allow: allow, body: detailed(`Method "` + c.Method + `" not allowed.`)}
}

func (c *call) none(sch *schema, recording string) answer {
	return answer{recording: recording, status: 404, allow: onRow, body: detailed("No " + sch.title + " matches the given query.")}
}

// negotiate answers a browser with HTML, and refuses what cannot be.
func (c *call) negotiate(allow string) (answer, bool) {
	browser := strings.HasPrefix(c.Header.Get("Accept"), "text/html")
	switch format := c.URL.Query().Get("format"); {
	case format == "json" && browser:
		return answer{recording: "268", status: 406, allow: allow, body: detailed("Could not satisfy the request Accept header.")}, true
	case format != "" && format != "json":
		return answer{recording: "269", status: 404, allow: allow, body: detailed("Not found.")}, true
	case browser:
		return answer{recording: "266", status: 200, kind: html, allow: allow,
			body: []byte("<!DOCTYPE html>\n<html>\n  <head><title>Django REST framework</title></head>\n</html>\n")}, true
	}
	return answer{}, false
}

func (c *call) root() answer {
	b := []byte{'{'}
	for name, s := range schemas {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendString(b, s.path)
		b = appendString(append(b, ':'), c.media+"/api/v1/"+schemas[name].path+"/")
	}
	return answer{recording: "017", status: 200, allow: "GET, HEAD, OPTIONS", body: append(b, '}')}
}
