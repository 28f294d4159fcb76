package exacttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recording is one exchange of a real server.
type recording struct {
	Number  string `json:"-"`
	Request struct {
		Method, Path string
		Auth         *string
		Headers      []string
		JSON         json.RawMessage
		Raw          *string
		Form         [][2]string
	}
	Response struct {
		Status       int
		Headers      [][2]string
		BodyEncoding string `json:"body_encoding"`
		Body         json.RawMessage
	}
}

func (r recording) header(name string) string {
	for _, h := range r.Response.Headers {
		if h[0] == name {
			return strings.TrimSpace(h[1])
		}
	}
	return ""
}

func recordings(t *testing.T) map[string]recording {
	t.Helper()
	files, _ := filepath.Glob("../../../../shared/contracts/exact-recorded/*.json")
	if len(files) == 0 {
		t.Skip("no recordings: ../shared/contracts/exact-recorded is not beside this repository")
	}
	all := map[string]recording{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var r recording
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		r.Number = filepath.Base(f)[:3]
		all[r.Number] = r
	}
	return all
}

// absent are recordings that the fake has nothing of, each for its reason.
var absent = map[string]string{
	"045": "OPTIONS is asked by nobody",
	"175": "the old tree of everything in one answer is asked by nobody",
	"185": "the levels of a pyramid are computed from pixels, which the fake has none of",
	"189": "no pixels", "191": "no pixels", "192": "no pixels", "249": "no pixels", "250": "no pixels", "251": "no pixels",
	"252": "no pixels", "253": "no pixels", "255": "no pixels",
	"231": "the deprecated way to write an annotation", "232": "the deprecated way to write an annotation",
	"243": "the log of opened images", "244": "the log of opened images", "245": "the log of opened images", "262": "the log of opened images",
	"263": "the log of opened images", "264": "the log of opened images", "265": "the log of opened images",
	"247": "the description of the API", "254": "the description of the API",
	"059": "web view", "060": "web view", "061": "web view", "062": "web view", "063": "web view", "064": "web view",
	"149": "web view", "150": "web view", "151": "web view", "152": "web view", "153": "web view", "157": "web view", "160": "web view",
	"161": "session cookie", "162": "session cookie", "299": "web view", "330": "web view", "331": "web view", "332": "web view", "335": "web view",
	"297": "a setting of the site: which names it answers to", "298": "who serves media is a setting of the site",
	"323": "verifications are asked by nobody",
}

// effects are what the web views of a session did to the state.
var effects = map[string]func(*Server){
	"063": func(s *Server) {
		for image := 1; image <= 3; image++ {
			s.AddJob(image, 2, 3)
		}
	},
	"153": func(s *Server) { s.RestartJob(1) },
	"157": func(s *Server) { s.StopJob(2) },
	"160": func(s *Server) { s.StopJob(4) },
	"231": func(s *Server) {
		s.add("annotations", map[string]any{"image": 1, "annotation_type": 1, "user": 3, "last_editor": 3, "time": s.stamp(),
			"last_edit_time": s.stamp(), "unique_identifier": uuid(), "vector": json.RawMessage(`{"x1":11,"y1":11,"x2":51,"y2":51}`), "verified_by_user": true})
	},
	"287": func(s *Server) { s.AddJob(3, 3, 2) }, // six creations at once, of which one won
	"332": func(s *Server) { s.RestartJob(2) },
	"335": func(s *Server) { s.StopJob(3) },
}

// replayed is a run of exchanges that belong to one database.
type replayed struct {
	from, to string
	opt      Options
	before   func(*Server)
}

func sessions() []replayed {
	jobs := func(s *Server) {
		d := s.AddDemo()
		s.AddPlugin(Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{d.Product}})
		for _, im := range d.Images {
			s.AddJob(im, 1, d.Admin)
		}
	}
	return []replayed{
		{"001", "287", Options{Debug: true}, func(s *Server) { s.AddDemo(); s.Token("worker") }},
		{"291", "299", Options{}, func(s *Server) { s.AddDemo(); s.AddPlugin(Plugin{Name: "Detector"}) }},
		{"300", "323", Options{Debug: true}, jobs},
		{"324", "337", Options{Debug: true}, jobs},
	}
}

func TestAnswersAreThoseOfTheRecordedServer(t *testing.T) {
	all := recordings(t)
	named := map[string]bool{}
	for _, session := range sessions() {
		s := Start(t, session.opt)
		session.before(s)
		p := player{t: t, s: s, all: all}
		for _, number := range slices.Sorted(maps.Keys(all)) {
			if number < session.from || number > session.to {
				continue
			}
			if f := effects[number]; f != nil {
				f(s)
			}
			if _, skip := absent[number]; !skip {
				p.play(all[number])
			}
		}
		for _, r := range s.Requests() {
			named[r.Recording] = true
			checkNamed(t, all, r)
		}
	}
	t.Logf("%d of %d exchanges replayed, %d named", len(all)-len(absent), len(all), len(named))
}

type player struct {
	t       *testing.T
	s       *Server
	all     map[string]recording
	worker  string // token
	revoked string
}

func (p *player) play(r recording) {
	t := p.t
	req := p.request(r)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", r.Number, err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatalf("%s: %v", r.Number, err)
	}
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s %s: %s", r.Number, r.Request.Method, r.Request.Path, fmt.Sprintf(format, args...))
	}
	if res.StatusCode != r.Response.Status {
		fail("status %d, recorded %d; %s", res.StatusCode, r.Response.Status, body.String()[:min(300, body.Len())])
		return
	}
	compareHeaders(r, res.Header, fail)
	switch r.Response.BodyEncoding {
	case "json":
		var got, want any
		if err := json.Unmarshal(body.Bytes(), &got); err != nil {
			fail("no JSON: %v: %s", err, body.String())
			return
		}
		_ = json.Unmarshal(r.Response.Body, &want)
		if diff := differs("", got, want); diff != "" {
			fail("%s", diff)
		}
		p.remember(r, got)
	case "empty":
		if body.Len() > 0 {
			fail("a body of %d bytes, recorded none", body.Len())
		}
	case "text":
		var want string
		_ = json.Unmarshal(r.Response.Body, &want)
		if body.String() != want {
			fail("body %q, recorded %q", body.String(), want)
		}
	}
}

// remember keeps the tokens that were minted on the way.
func (p *player) remember(r recording, got any) {
	m, _ := got.(map[string]any)
	token, _ := m["token"].(string)
	switch r.Number {
	case "006":
		p.worker = token
	case "013":
		p.revoked = token
	}
}

func (p *player) request(r recording) *http.Request {
	var body bytes.Buffer
	kind := ""
	switch {
	case r.Request.Raw != nil:
		body.WriteString(*r.Request.Raw)
		kind = "application/json"
	case r.Request.Form != nil:
		w := multipart.NewWriter(&body)
		for _, f := range r.Request.Form {
			if name, ok := strings.CutPrefix(f[1], "@"); ok {
				name, _, _ = strings.Cut(name, ";")
				part, _ := w.CreateFormFile(f[0], filepath.Base(name))
				content := pixel
				if strings.HasSuffix(name, ".py") {
					content = []byte("import os\n")
				}
				_, _ = part.Write(content)
				continue
			}
			_ = w.WriteField(f[0], f[1])
		}
		_ = w.Close()
		kind = w.FormDataContentType()
	case len(r.Request.JSON) > 0 && string(r.Request.JSON) != "null":
		body.Write(r.Request.JSON)
		kind = "application/json"
	}
	req, err := http.NewRequest(r.Request.Method, p.s.URL+strings.ReplaceAll(r.Request.Path, " ", "%20"), &body)
	if err != nil {
		p.t.Fatalf("%s: %v", r.Number, err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for _, h := range r.Request.Headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	if r.Request.Auth == nil {
		return req
	}
	scheme, name, _ := strings.Cut(*r.Request.Auth, " ")
	switch scheme {
	case "Basic":
		password := name + "-pass-1"
		if name == "exact" {
			password = name
		}
		req.SetBasicAuth(name, password)
	case "Bearer":
		token := p.worker
		switch {
		case r.Number == "011":
			token = "nonsense"
		case r.Number == "012":
			token = "pat_unknown.secret"
		case r.Number == "015":
			token = p.revoked
		case token == "":
			p.worker = p.s.Token("worker")
			token = p.worker
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}
