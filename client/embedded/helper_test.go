package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// site is a server on loopback with one project, and the keys to talk to it.
type site struct {
	t        testing.TB
	srv      *Server
	url      string
	admin    Account
	ontology int64
	term     int64
	project  int64
	image    int64
	keys     Account // of the caller; the administrator unless changed with as
}

// newSite serves a fresh data folder: an ontology with one term, a project with
// one grey image of 100 x 80 pixels, left half black and right half white.
func newSite(t testing.TB) *site {
	t.Helper()
	srv, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, srv: srv, url: web.URL}
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.admin, err = srv.Admin(ctx)
	must(err)
	s.keys = s.admin
	s.ontology, err = srv.AddOntology(ctx, "tissue")
	must(err)
	s.term, err = srv.AddTerm(ctx, s.ontology, "nucleus", "#ff0000")
	must(err)
	s.project, err = srv.AddProject(ctx, NewProject{Name: "demo", Ontology: s.ontology})
	must(err)
	s.image, err = srv.AddImage(ctx, NewImage{Project: s.project, Name: "half.png"}, bytes.NewReader(halfImage(100, 80)))
	must(err)
	return s
}

// halfImage is a PNG whose left half is black and whose right half is white.
func halfImage(w, h int) []byte {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := w / 2; x < w; x++ {
			img.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// as is the same site seen by somebody else.
func (s *site) as(a Account) *site {
	other := *s
	other.keys = a
	return &other
}

// reply is an answer, read to its end.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// object is the body as a JSON object.
func (r *reply) object() map[string]any {
	r.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		r.t.Fatalf("status %d, no JSON object: %v\n%s", r.status, err, r.body)
	}
	return m
}

// list is the collection of a list.
func (r *reply) list() []map[string]any {
	r.t.Helper()
	r.ok()
	var m struct{ Collection []map[string]any }
	if err := json.Unmarshal(r.body, &m); err != nil || m.Collection == nil {
		r.t.Fatalf("status %d, no list: %v\n%s", r.status, err, r.body)
	}
	return m.Collection
}

// ok fails the test unless the status is 200.
func (r *reply) ok() *reply {
	r.t.Helper()
	return r.want(http.StatusOK)
}

func (r *reply) want(status int) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d\n%s", r.status, status, r.body)
	}
	return r
}

// id is a number in the body, down a path of names.
func (r *reply) id(path ...string) int64 {
	r.t.Helper()
	var v any = r.ok().object()
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			r.t.Fatalf("no %s in %s", name, r.body)
		}
		v = m[name]
	}
	f, ok := v.(float64)
	if !ok {
		r.t.Fatalf("%v is no number in %s", path, r.body)
	}
	return int64(f)
}

const testDate = "Wed, 12 Feb 2020 10:30:00 +0000"

// noRedirect is a client that shows redirects instead of following them.
var noRedirect = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// send makes a signed request.
func (s *site) send(method, path, contentType string, body io.Reader) *reply {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Error(err)
		return &reply{t: s.t}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Date", testDate)
	req.Header.Set("Authorization", "CYTOMINE "+s.keys.PublicKey+":"+sign(s.keys.PrivateKey, method, "", contentType, testDate, path))
	return s.do(req)
}

func (s *site) do(req *http.Request) *reply {
	s.t.Helper()
	res, err := noRedirect.Do(req)
	if err != nil { // not fatal: requests are also made on other goroutines
		s.t.Error(err)
		return &reply{t: s.t}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Error(err)
	}
	return &reply{t: s.t, status: res.StatusCode, header: res.Header, body: b}
}

func (s *site) get(format string, args ...any) *reply {
	s.t.Helper()
	return s.send("GET", fmt.Sprintf(format, args...), "", nil)
}

func (s *site) remove(format string, args ...any) *reply {
	s.t.Helper()
	return s.send("DELETE", fmt.Sprintf(format, args...), "application/json", nil)
}

// post sends JSON: a string as it is, anything else encoded.
func (s *site) post(path string, body any) *reply {
	s.t.Helper()
	return s.sendJSON("POST", path, body)
}

func (s *site) put(path string, body any) *reply {
	s.t.Helper()
	return s.sendJSON("PUT", path, body)
}

func (s *site) sendJSON(method, path string, body any) *reply {
	s.t.Helper()
	text, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Error(err)
		}
		text = string(b)
	}
	return s.send(method, path, "application/json", strings.NewReader(text))
}

// upload sends a file as the Python client does.
func (s *site) upload(path, name string, data []byte, form map[string]string) *reply {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range form {
		if err := w.WriteField(k, v); err != nil {
			s.t.Fatal(err)
		}
	}
	p, err := w.CreateFormFile("files[]", name)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := p.Write(data); err != nil {
		s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	return s.send("POST", path, w.FormDataContentType(), &b)
}

// software adds an algorithm with the given parameters and returns the ids.
func (s *site) software(name string, params ...map[string]any) (software int64, parameters []int64) {
	s.t.Helper()
	software = s.post("/api/software.json", map[string]any{"name": name, "softwareVersion": "v1"}).id("software", "id")
	for _, p := range params {
		p["software"] = software
		parameters = append(parameters, s.post("/api/softwareparameter.json", p).id("softwareparameter", "id"))
	}
	return software, parameters
}

// job adds a job and returns it with the keys of its user.
func (s *site) job(software int64) (int64, Account) {
	s.t.Helper()
	r := s.post("/api/job.json", map[string]any{"project": s.project, "software": software})
	user := r.id("job", "userJob")
	u := s.get("/api/user/%d.json", user).ok().object()
	return r.id("job", "id"), Account{ID: user, PublicKey: u["publicKey"].(string), PrivateKey: u["privateKey"].(string)}
}

func text64(n int64) string { return fmt.Sprint(n) }
