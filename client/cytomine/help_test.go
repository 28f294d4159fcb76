package cytomine

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

const (
	publicKey  = "c1ea7a3e-0000-4000-8000-000000000001"
	privateKey = "PRIVATE"
)

var testKeys = client.Keys{Public: publicKey, Private: privateKey}

// quick are options that make failures fast.
var quick = Options{Version: "test", Timeout: 5 * time.Second, RetryWait: time.Millisecond}

// site is a server that answers what a test says, over real HTTP. It checks the
// signature of every request to /api/ as the real one does and answers a wrong
// one with the redirect to its start page.
type site struct {
	*httptest.Server
	t   *testing.T
	mux *http.ServeMux
	// prefix is signed (or not) by this site.
	signedPath func(*http.Request) string

	mu       sync.Mutex
	requests []string // method and URI of what came
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, mux: http.NewServeMux(), signedPath: func(r *http.Request) string { return r.RequestURI }}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.RequestURI)
	s.mu.Unlock()
	if strings.Contains(r.URL.Path, "/api/") && !s.signed(r) {
		http.Redirect(w, r, "http://configured.example/", http.StatusFound)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *site) signed(r *http.Request) bool {
	want := "CYTOMINE " + publicKey + ":" +
		signature(privateKey, r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), r.Header.Get("Date"), s.signedPath(r))
	return r.Header.Get("Authorization") == want
}

// answer makes a path answer with a body.
func (s *site) answer(pattern string, status int, contentType, body string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func (s *site) json(pattern, body string) { s.answer(pattern, 200, "application/json", body) }

// came lists the requests so far.
func (s *site) came() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *site) client(path string) *Client { return connect(s.t, s.URL+path, testKeys) }

func connect(t *testing.T, url string, keys client.Keys) *Client {
	t.Helper()
	c, err := New(profile.Profile{URL: url}, keys, quick)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rowsJSON is a list of n rows with ids from first on.
func rowsJSON(first, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":%d,"name":"row %d"}`, first+i, first+i)
	}
	return "[" + strings.Join(rows, ",") + "]"
}

func mustJSON(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

const userJSON = `{"id":5,"class":"be.cytomine.security.SecUser","username":"bob","firstname":"Bob","lastname":"B","algo":false,"user":true,"admin":false}`

func jobJSON(more string) string {
	return `{"class":"be.cytomine.processing.Job","id":900,"created":"1581503400000","updated":null,"deleted":null,"algoType":"job",
 "progress":0,"status":0,"number":3,"statusComment":null,"project":42,"processingServer":null,"software":7,
 "softwareName":"Demo (v1.2)","name":"Demo (v1.2) : 3","rate":-1.0,"dataDeleted":false,"username":"bob","userJob":901` + more + `}`
}
