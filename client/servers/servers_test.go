package servers

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

func TestOpenKnowsItsKinds(t *testing.T) {
	for _, kind := range []client.Kind{"", client.Cytomine, client.Exact} {
		if server, err := Open(profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); err != nil || server == nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
	for _, kind := range []client.Kind{"omero"} {
		if _, err := Open(profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("%q: %v", kind, err)
		}
		if _, err := Login(t.Context(), profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("login to %q: %v", kind, err)
		}
	}
}

func TestDetectTellsExactFromTheOthers(t *testing.T) {
	site := exacttest.Start(t, exacttest.Options{Prefix: "/exact"})
	site.AddDemo()
	wiki := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>everything is here</html>")
	}))
	t.Cleanup(wiki.Close)
	for address, want := range map[string]client.Kind{site.URL: client.Exact, wiki.URL: client.Cytomine} {
		kind, err := Detect(t.Context(), profile.Profile{URL: address}, Options{})
		if err != nil || kind != want {
			t.Errorf("%s: %q, %v; want %q", address, kind, err, want)
		}
	}
	if _, err := Detect(t.Context(), profile.Profile{URL: "http://127.0.0.1:1"}, Options{}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

// A login to EXACT keeps a token, never the password, and a logout revokes it.
func TestLoginToExactMintsATokenAndLogoutRevokesIt(t *testing.T) {
	site := exacttest.Start(t, exacttest.Options{})
	site.AddDemo()
	ctx := t.Context()
	p := profile.Profile{Kind: client.Exact, URL: site.URL}
	r, err := Login(ctx, p, client.Keys{Public: "worker", Private: "worker-pass-1"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Keys.Private == "worker-pass-1" || !strings.HasPrefix(r.Keys.Private, r.Keys.Public+".") || !strings.HasPrefix(r.Keys.Public, "pat_") {
		t.Errorf("keys to store: %q", r.Keys.Public)
	}
	if r.Profile.User != "worker" || r.User.ID == 0 || r.Profile.URL != site.URL || r.Profile.Kind != client.Exact || r.Profile.Name == "" {
		t.Errorf("%+v", r)
	}
	server, err := Open(r.Profile, r.Keys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if projects, err := server.Projects(ctx); err != nil || len(projects) != 1 {
		t.Errorf("%v, %v", projects, err)
	}
	pasted, err := Login(ctx, p, client.Keys{Private: r.Keys.Private}, Options{})
	if err != nil || pasted.Keys != r.Keys || pasted.Profile.User != "" || len(pasted.Notes) != 1 {
		t.Errorf("a pasted token: %+v, %v", pasted, err)
	}
	if err := Logout(ctx, r.Profile, r.Keys, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Projects(ctx); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("after the logout: %v", err)
	}
	own := profile.TokenKeys(site.Token("worker"))
	if err := Logout(ctx, r.Profile, own, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Login(ctx, p, own, Options{}); err != nil {
		t.Errorf("a logout revoked a token that no login minted: %v", err)
	}
	for _, keys := range []client.Keys{{Public: "worker", Private: "wrong"}, {Public: "nobody", Private: "worker-pass-1"}, r.Keys} {
		if _, err := Login(ctx, p, keys, Options{}); !errors.Is(err, client.ErrUnauthorised) {
			t.Errorf("%q: %v", keys.Public, err)
		}
	}
	for _, keys := range []client.Keys{{}, {Public: "worker"}, {Private: "worker-pass-1"}} {
		if _, err := Login(ctx, p, keys, Options{}); !errors.Is(err, profile.ErrNoKeys) {
			t.Errorf("%q: %v", keys.Public, err)
		}
	}
}
