package exact

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
)

// An EXACT before personal access tokens answers 404 with a page where they are
// minted (recording 004), and takes keys that only its administrator makes.
func TestLoginToAnOlderServer(t *testing.T) {
	key := strings.Repeat("0a", 20)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(status int, kind, body string) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
		user, password, basic := r.BasicAuth()
		switch {
		case r.URL.Path == timePath:
			answer(200, "application/json", `{"unixtime": 1795175030.6518676}`)
		case r.URL.Path == tokensPath:
			answer(404, "text/html", "<h1>Not Found</h1>")
		case r.Header.Get("Authorization") != "Token "+key && !(basic && user == "ann" && password == key[:39]+"b"):
			answer(403, "application/json", `{"detail":"Authentication credentials were not provided."}`)
		default:
			answer(200, "application/json", `{"count":0,"next":null,"previous":null,"results":[]}`)
		}
	}))
	t.Cleanup(web.Close)
	p := profile.Profile{URL: web.URL}
	r, err := Login(t.Context(), p, client.Keys{Public: "ann", Private: key}, Options{})
	if err != nil || r.Keys != (client.Keys{Public: oldToken, Private: key}) || r.Profile.User != "ann" || len(r.Notes) != 1 {
		t.Fatalf("with a key: %+v, %v", r, err)
	}
	kept, err := New(r.Profile, r.Keys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Projects(t.Context()); err != nil {
		t.Errorf("with what was kept: %v", err)
	}
	if err := kept.Logout(t.Context()); err != nil {
		t.Errorf("a logout without a token: %v", err)
	}
	for name, password := range map[string]string{"a password": "secret", "one that looks like a key": key[:39] + "b"} {
		_, err = Login(t.Context(), p, client.Keys{Public: "ann", Private: password}, Options{})
		if !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("with %s: %v", name, err)
		}
		containsAll(t, err, "ask its administrator for the key")
	}
}

func TestLoginDoesNotFollowASiteToAnotherHost(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example"+r.URL.Path, http.StatusMovedPermanently)
	}))
	t.Cleanup(web.Close)
	_, err := Login(t.Context(), profile.Profile{URL: web.URL}, client.Keys{Public: "a", Private: "b"}, Options{})
	var moved *client.MovedError
	if !errors.As(err, &moved) || moved.To != "https://elsewhere.example" {
		t.Errorf("%v", err)
	}
}

func TestNothingOfALoginIsLeftWhereItFails(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	before, err := c.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range []client.Keys{{Public: "worker", Private: "wrong"}, {Public: "worker", Private: "pat_x.y"}, {Public: "worker"}} {
		if _, err := Login(t.Context(), profile.Profile{URL: s.URL}, keys, Options{}); err == nil {
			t.Errorf("%q logged in", keys.Public)
		}
	}
	if after, err := c.Tokens(t.Context()); err != nil || len(after) != len(before) {
		t.Errorf("%d tokens became %d, %v", len(before), len(after), err)
	}
}
