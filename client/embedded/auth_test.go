package embedded

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// Signatures computed independently, with the private key PRIVATE.
func TestSignatureMatchesTheProtocol(t *testing.T) {
	for _, c := range []struct{ method, contentType, path, want string }{
		{"GET", "", "/api/user/current.json", "epy0po1cQ3ivgeL1KRR/rk/Snko="},
		{"GET", "", "/api/job.json?project=42&software=7%2C8&max=20&offset=0", "bE7NbZvY29DCYVHKPQKxO5t3rDE="},
		{"POST", "application/json", "/api/job.json", "uAoaspdE+HMRuimzyWIRtOiOWOY="},
		{"POST", "multipart/form-data; boundary=xyz", "/api/attachedfile.json?domainClassName=be.cytomine.processing.Job&domainIdent=9", "cPLDPs/ZNhcOr0WbWf/l78IYSB8="},
	} {
		if got := sign("PRIVATE", c.method, "", c.contentType, testDate, c.path); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
}

func TestRequestsWithoutAGoodSignature(t *testing.T) {
	s := newSite(t)
	bob, err := s.srv.AddUser(context.Background(), Person{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.srv.store.update(context.Background(), func(tx *tx) error { return tx.exec("UPDATE user SET enabled=0 WHERE id=?", bob.ID) }); err != nil {
		t.Fatal(err)
	}
	const path = "/api/user/current.json"
	good := "CYTOMINE " + s.admin.PublicKey + ":" + sign(s.admin.PrivateKey, "GET", "", "", testDate, path)
	for _, c := range []struct {
		name, authorization, date, nopage string
		want                              int
	}{
		{"none", "", testDate, "", 302},
		{"none, no page wanted", "", testDate, "true", 401},
		{"wrong signature", "CYTOMINE " + s.admin.PublicKey + ":bm9uc2Vuc2U=", testDate, "", 302},
		{"wrong signature, no page wanted", "CYTOMINE " + s.admin.PublicKey + ":bm9uc2Vuc2U=", testDate, "true", 401},
		{"other date than signed", good, "Thu, 13 Feb 2020 10:30:00 +0000", "", 302},
		{"no date", good, "", "", 302},
		{"unknown key", "CYTOMINE nobody:bm9uc2Vuc2U=", testDate, "", 401},
		{"disabled key", "CYTOMINE " + bob.PublicKey + ":" + sign(bob.PrivateKey, "GET", "", "", testDate, path), testDate, "", 401},
		{"other scheme", "Basic YWRtaW46YWRtaW4=", testDate, "", 302},
		{"no colon", "CYTOMINE " + s.admin.PublicKey, testDate, "", 302},
		{"good", good, testDate, "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest("GET", s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range map[string]string{"Authorization": c.authorization, "Date": c.date, "nopage": c.nopage} {
				if v != "" {
					req.Header.Set(k, v)
				}
			}
			r := s.do(req)
			r.t = t
			r.want(c.want)
			if c.want == 302 && r.header.Get("Location") != s.url+"/" {
				t.Errorf("redirected to %q, want the start page", r.header.Get("Location"))
			}
			if r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", r.header.Get("Cache-Control"))
			}
		})
	}
}

func TestTheStartPageOfARedirectIsHTTP200(t *testing.T) {
	s := newSite(t)
	res, err := http.Get(s.url + "/api/project.json") // follows the redirect
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("status %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
}

func TestTheSignatureCoversPathAndQueryAsOnTheWire(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{
		"/api/job.json?status%5Bin%5D=3%2C4&sort=created",
		"/api/job.json?status[in]=3,4",
		"/api/job.json?b=2&a=1&a=",
		"/api//project.json",
		"/api/domain/be.cytomine.project.Project/" + text64(s.project) + "/key/a%20b%2Fc/property.json",
	} {
		r := s.get("%s", path)
		if r.status == 302 || r.status == 401 {
			t.Errorf("%s: status %d, the signature was not accepted", path, r.status)
		}
	}
}

func TestPingWorksForEverybody(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		method, path, authorization string
		authenticated               bool
	}{
		{"GET", "/server/ping", "", false},
		{"POST", "/server/ping.json", "", false},
		{"GET", "/server/ping", "CYTOMINE nobody:x", false}, // as the Python client with a wrong key
		{"GET", "/server/ping", "CYTOMINE " + s.admin.PublicKey + ":" + sign(s.admin.PrivateKey, "GET", "", "", testDate, "/server/ping"), true},
	} {
		req, err := http.NewRequest(c.method, s.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Date", testDate)
		req.Header.Set("Authorization", c.authorization)
		m := s.do(req).ok().object()
		if m["alive"] != true || m["authenticated"] != c.authenticated || m["version"] != Version || m["serverURL"] != s.url {
			t.Errorf("%s %s: %v", c.method, c.path, m)
		}
	}
	if m := s.get("/status.json").ok().object(); m["alive"] != true {
		t.Error(m)
	}
}

func TestTheServerURLCanBeConfigured(t *testing.T) {
	s := newSite(t)
	s.srv.opts.ServerURL = "https://example.org/"
	if got := s.get("/server/ping").ok().object()["serverURL"]; got != "https://example.org" {
		t.Errorf("serverURL %v", got)
	}
	if got := s.get("/api/imageinstance/%d.json", s.image).ok().object()["thumb"].(string); !strings.HasPrefix(got, "https://example.org/api/") {
		t.Errorf("thumb %v", got)
	}
}

func TestPeopleAndTheUsersOfJobsLookDifferent(t *testing.T) {
	s := newSite(t)
	bob, err := s.srv.AddUser(context.Background(), Person{Username: "bob", Firstname: "Bob", Lastname: "B", Email: "bob@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	me := s.get("/api/user/current.json").ok().object()
	for name, want := range map[string]any{"algo": false, "username": "admin", "admin": true, "user": true, "guest": false, "adminByNow": true,
		"isSwitched": false, "publicKey": s.admin.PublicKey, "privateKey": s.admin.PrivateKey, "passwordExpired": false, "class": "be.cytomine.security.User"} {
		if me[name] != want {
			t.Errorf("%s: %v, want %v", name, me[name], want)
		}
	}
	other := s.get("/api/user/%d.json", bob.ID).ok().object()
	for _, name := range []string{"publicKey", "privateKey", "role"} {
		if _, ok := other[name]; ok {
			t.Errorf("%s of another person is shown", name)
		}
	}
	if s.get("/api/user/bob.json").ok().object()["id"] != float64(bob.ID) {
		t.Error("not found by user name")
	}
	software, _ := s.software("a")
	job, keys := s.job(software)
	acting := s.as(keys).get("/api/user/current.json").ok().object()
	for name, want := range map[string]any{"algo": true, "humanUsername": "admin", "job": float64(job), "user": float64(s.admin.ID), "rate": -1.0,
		"publicKey": keys.PublicKey, "class": "be.cytomine.security.UserJob"} {
		if acting[name] != want {
			t.Errorf("%s: %v, want %v", name, acting[name], want)
		}
	}
	if got := s.get("/api/userJob/%d.json", keys.ID).ok().object()["privateKey"]; got != keys.PrivateKey {
		t.Error("userJob does not show the key")
	}
	s.get("/api/user/4711.json").want(404)
	s.as(bob).get("/api/user/%d/keys.json", s.admin.ID).want(403)
	if got := s.get("/api/userkey/%s/keys.json", s.admin.PublicKey).ok().object()["privateKey"]; got != s.admin.PrivateKey {
		t.Error("own keys are not shown")
	}
}

func TestTheServerSignsForThoseWhoWriteClients(t *testing.T) {
	s := newSite(t)
	got := s.get("/api/signature.json?method=GET&date=x&forwardURI=/api/job.json&queryString=max%%3D1").ok().object()
	if got["signature"] != sign(s.admin.PrivateKey, "GET", "", "", "x", "/api/job.json?max=1") || got["publicKey"] != s.admin.PublicKey {
		t.Error(got)
	}
}
