package cytomine

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
)

const vectorDate = "Wed, 12 Feb 2020 10:30:00 +0000"

func TestSignatureVectors(t *testing.T) {
	for _, c := range []struct{ method, contentType, path, want string }{
		{"GET", "", "/api/user/current.json", "epy0po1cQ3ivgeL1KRR/rk/Snko="},
		{"GET", "", "/api/job.json?project=42&software=7%2C8&max=20&offset=0", "bE7NbZvY29DCYVHKPQKxO5t3rDE="},
		{"POST", "application/json", "/api/job.json", "uAoaspdE+HMRuimzyWIRtOiOWOY="},
		{"POST", "multipart/form-data; boundary=xyz", "/api/attachedfile.json?domainClassName=be.cytomine.processing.Job&domainIdent=9", "cPLDPs/ZNhcOr0WbWf/l78IYSB8="},
	} {
		if got := signature("PRIVATE", c.method, "", c.contentType, vectorDate, c.path); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
}

func TestDateIsWrittenInEnglishAndUTC(t *testing.T) {
	zone := time.FixedZone("somewhere", 2*3600)
	if got := time.Date(2020, 2, 12, 12, 30, 0, 0, zone).UTC().Format(dateFormat); got != vectorDate {
		t.Errorf("%s, want %s", got, vectorDate)
	}
}

// Each kind of request is checked by a server that computes the signature from
// what came over the wire.
func TestEveryKindOfRequestIsSignedAsItIsSent(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"collection":[],"size":0}`))
	})
	c := s.client("")
	for name, r := range map[string]call{
		"get":                {method: "GET", path: "/api/user/current.json"},
		"escaped query":      {method: "GET", path: "/api/job.json?status%5Bin%5D=3%2C4&name=a+b%20c%C3%A9"},
		"raw brackets":       {method: "GET", path: "/api/job.json?status[in]=3,4"},
		"escaped path":       {method: "GET", path: "/api/x%2Fy%20z.json"},
		"odd characters":     {method: "GET", path: "/api/x;y=1,2'(3)!*.json?a=b;c=d&e"},
		"unescaped umlaut":   {method: "GET", path: "/api/ü.json?q=ü"},
		"post":               {method: "POST", path: "/api/job.json", body: []byte("{}"), contentType: "application/json"},
		"put with charset":   {method: "PUT", path: "/api/job/1.json", body: []byte("{}"), contentType: "application/json; charset=utf-8"},
		"delete":             {method: "DELETE", path: "/api/attachedfile/1.json"},
		"delete with a type": {method: "DELETE", path: "/api/attachedfile/1.json", contentType: "application/json"},
	} {
		if _, err := c.do(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.AttachLog(t.Context(), 9, strings.NewReader("log")); err != nil {
		t.Errorf("multipart: %v", err)
	}
	if err := c.AttachLog(t.Context(), 9, onlyReader{strings.NewReader("log")}); err != nil {
		t.Errorf("multipart of unknown length: %v", err)
	}
}

type onlyReader struct{ r *strings.Reader }

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p) }

// Sites below a path differ in what they sign.
func TestSignatureVariantIsFoundOut(t *testing.T) {
	for name, strip := range map[string]string{"whole path": "", "without the prefix": "/lab/cytomine"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.signedPath = func(r *http.Request) string { return strings.TrimPrefix(r.RequestURI, strip) }
			s.json("/lab/cytomine/api/user/current.json", userJSON)
			s.json("/lab/cytomine/api/job.json", `{"message":"ok","job":`+jobJSON(`,"jobParameters":[]`)+`}`)
			c := s.client("/lab/cytomine")
			if _, err := c.CreateJob(t.Context(), client.NewJob{Project: 42, Algorithm: 7}); err != nil {
				t.Fatalf("the first request is a write: %v", err)
			}
			before := len(s.came())
			if _, err := c.CurrentUser(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(s.came()) - before; n != 1 {
				t.Errorf("%d requests once it is known", n)
			}
			if got, want := c.signPrefix.Load(), strip == ""; got != want {
				t.Errorf("signs the prefix: %v, want %v", got, want)
			}
		})
	}
}
