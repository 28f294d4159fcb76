package exacttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
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

func compareHeaders(r recording, got http.Header, fail func(string, ...any)) {
	for _, name := range []string{"Content-Type", "Vary", "Location", "X-Frame-Options", "X-Content-Type-Options", "Content-Language"} {
		if got.Get(name) != r.header(name) {
			fail("%s %q, recorded %q", name, got.Get(name), r.header(name))
		}
	}
	sorted := func(s string) []string {
		l := strings.Split(s, ", ")
		slices.Sort(l)
		return l
	}
	if !slices.Equal(sorted(got.Get("Allow")), sorted(r.header("Allow"))) {
		fail("Allow %q, recorded %q", got.Get("Allow"), r.header("Allow"))
	}
	if has := strings.HasPrefix(r.header("Set-Cookie"), "sessionid"); has != (got.Get("Set-Cookie") != "") {
		fail("Set-Cookie %q, recorded %q", got.Get("Set-Cookie"), r.header("Set-Cookie"))
	}
	if (got.Get("Content-Disposition") == "") != (r.header("Content-Disposition") == "") {
		fail("Content-Disposition %q, recorded %q", got.Get("Content-Disposition"), r.header("Content-Disposition"))
	}
}

// volatile values differ each time: only their kind is compared.
var volatile = map[string]bool{"token": true, "prefix": true, "unixtime": true, "last_login": true, "last_used_at": true}

func isVolatile(name string, want any) bool {
	s, ok := want.(string)
	return volatile[name] || ok && (strings.HasSuffix(name, "_time") || strings.HasSuffix(name, "_at") && name != "expires_at" || name == "time" ||
		name == "unique_identifier" && !strings.HasPrefix(s, "11111111") && !strings.HasPrefix(s, "22222222"))
}

// differs is where got is not what was recorded, or "".
func differs(at string, got, want any) string {
	name := at[strings.LastIndex(at, ".")+1:]
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %T, recorded an object", at, got)
		}
		if strings.HasSuffix(at, "users/users") || at == "" && want["users/users"] != nil {
			return "" // the root's list of resources: the fake has some of them
		}
		for k := range want {
			if _, ok := g[k]; !ok {
				return at + "." + k + " is missing"
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := want[k]; !ok {
				return at + "." + k + " was not recorded"
			}
			if d := differs(at+"."+k, g[k], want[k]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
		}
		if name == "results" && len(want) > 1 || name == "members" {
			sortByID(g)
			sortByID(want)
		}
		for i := range g {
			if d := differs(fmt.Sprintf("%s[%d]", at, i), g[i], want[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if isVolatile(name, want) {
		if name == "last_login" || name == "last_used_at" { // nobody logs in to the fake's pages
			return ""
		}
		if reflect.TypeOf(got) != reflect.TypeOf(want) {
			return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
		}
		return ""
	}
	if s, ok := want.(string); ok && strings.Contains(s, "://127.0.0.1") {
		return differsURL(at, got, s)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	return ""
}

// differsURL compares two addresses but for the host, and for the name that a
// stored file got.
func differsURL(at string, got any, want string) string {
	g, ok := got.(string)
	a, err1 := url.Parse(g)
	b, err2 := url.Parse(want)
	if !ok || err1 != nil || err2 != nil || a.Host == "" || a.Scheme != b.Scheme || a.RawQuery != b.RawQuery {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	if !strings.HasPrefix(a.Path, "/media/") && a.Path != b.Path {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	return ""
}

// sortByID takes the order out of lists; that of jobs is tested on its own.
func sortByID(l []any) {
	slices.SortStableFunc(l, func(a, b any) int {
		return int(idOf(a) - idOf(b))
	})
}

func idOf(v any) float64 {
	if m, ok := v.(map[string]any); ok {
		v = m["id"]
	}
	n, _ := v.(float64)
	return n
}

// checkNamed holds an answer against the recording that it names: the same
// status and kind, and no key or kind of value that was not recorded.
func checkNamed(t *testing.T, all map[string]recording, r Request) {
	t.Helper()
	rec, ok := all[r.Recording]
	if !ok {
		t.Errorf("%s %s names recording %q, which does not exist", r.Method, r.Path, r.Recording)
		return
	}
	if rec.Response.Status != r.Status {
		t.Errorf("%s %s?%s: status %d, but %s has %d", r.Method, r.Path, r.Query, r.Status, r.Recording, rec.Response.Status)
	}
	if len(r.body) == 0 {
		return
	}
	var got any
	if json.Unmarshal(r.body, &got) != nil {
		t.Errorf("%s %s: no JSON: %s", r.Method, r.Path, r.body)
		return
	}
	if path := unrecorded(got, kinds(all, resource(rec.Request.Path), r.Status == 400)); path != "" {
		t.Errorf("%s %s?%s: %s is in no answer like %s", r.Method, r.Path, r.Query, path, r.Recording)
	}
}

// resource is a path without ids and query.
func resource(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return strings.Join(parts[:min(len(parts), 4)], "/")
}

var kindCache = map[string]map[string]bool{}

// kinds are the keys, with the kinds of their values, of every recorded answer
// of a resource, or of all where a 400 names fields.
func kinds(all map[string]recording, of string, any400 bool) map[string]bool {
	if any400 {
		of = ""
	}
	if k := kindCache[of]; k != nil {
		return k
	}
	k := map[string]bool{"last_login null": true} // 018: of users anywhere
	for _, r := range all {
		if of == "" || resource(r.Request.Path) == of {
			var body any
			if json.Unmarshal(r.Response.Body, &body) == nil {
				walk(body, func(key string, v any) bool { k[key+" "+kindOf(v)] = true; return true })
			}
		}
	}
	kindCache[of] = k
	return k
}

func kindOf(v any) string {
	if v == nil {
		return "null"
	}
	return reflect.TypeOf(v).Kind().String()
}

func unrecorded(got any, known map[string]bool) string {
	found := ""
	walk(got, func(key string, v any) bool {
		if !known[key+" "+kindOf(v)] && found == "" {
			found = key + " " + kindOf(v)
		}
		return found == ""
	})
	return found
}

// walk visits every key but those below free JSON.
func walk(v any, visit func(string, any) bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, sub := range v {
			if !visit(k, sub) {
				return
			}
			if k != "vector" && k != "meta_data" {
				walk(sub, visit)
			}
		}
	case []any:
		for _, sub := range v {
			walk(sub, visit)
		}
	}
}
