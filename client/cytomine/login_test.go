package cytomine

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

const ping = `{"alive":true,"authenticated":false,"version":"3.0.4","serverURL":"https://configured.example","serverID":"x"}`

// classic makes a site answer like a classic server below a path.
func (s *site) classic(path string) *site {
	s.json(path+"/server/ping.json", ping)
	s.json(path+"/api/user/current.json", userJSON)
	s.json(path+"/api/software.json", `{"collection":`+rowsJSON(1, 3)+`,"size":3}`)
	return s
}

func login(t *testing.T, url string, keys client.Keys) (LoginResult, error) {
	t.Helper()
	return Login(t.Context(), profile.Profile{URL: url}, keys, quick)
}

func TestLoginFillsInTheProfile(t *testing.T) {
	s := newSite(t).classic("")
	got, err := login(t, s.URL+"/api/", testKeys)
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	want := profile.Profile{Name: host, Kind: client.Cytomine, URL: s.URL, User: "bob"}
	if got.Profile != want || got.User.ID != 5 || got.Info.Version != "3.0.4" || len(got.Notes) != 0 {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestLoginFindsTheSignatureVariant(t *testing.T) {
	for name, strip := range map[string]string{"whole path": "", "without the prefix": "/lab"} {
		s := newSite(t).classic("/lab")
		s.signedPath = func(r *http.Request) string { return strings.TrimPrefix(r.RequestURI, strip) }
		got, err := login(t, s.URL+"/lab", testKeys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Profile.SignaturePrefix != (strip == "") {
			t.Errorf("%s: %+v", name, got.Profile)
		}
		server, err := New(got.Profile, testKeys, quick)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.came())
		if _, err := server.CurrentUser(t.Context()); err != nil || len(s.came()) != before+1 {
			t.Errorf("%s: with the profile: %v, %d requests", name, err, len(s.came())-before)
		}
	}
}

func TestLoginSaysWhatIsWrong(t *testing.T) {
	good := newSite(t).classic("")
	unknownKey := newSite(t)
	unknownKey.json("/server/ping.json", ping)
	unknownKey.answer("/api/user/current.json", 401, "text/plain", "Unauthorized")
	version4 := newSite(t)
	version4.json("/server/ping.json", `{"alive":true,"version":"4.4.7"}`)
	without := newSite(t)
	without.json("/server/ping.json", `{"alive":true,"version":null}`)
	without.json("/api/user/current.json", userJSON)
	page := newSite(t)
	page.answer("/", 200, "text/html", "<html><title>Welcome</title>")
	page404 := newSite(t)
	pageAPI := newSite(t)
	pageAPI.json("/server/ping.json", `{"alive":true}`)
	pageAPI.json("/api/user/current.json", userJSON)
	pageAPI.answer("/api/software.json", 200, "text/html", "<html>")
	broken := newSite(t)
	broken.answer("/server/ping.json", 500, "text/html", "<title>Tomcat</title>")
	secure, _, _ := secureSite(t)

	for _, c := range []struct {
		name, url string
		keys      client.Keys
		kind      error
		want      string
	}{
		{"wrong private key", good.URL, client.Keys{Public: publicKey, Private: "wrong"}, client.ErrUnauthorised, "the keys are not accepted; check both"},
		{"unknown public key", unknownKey.URL, testKeys, client.ErrUnauthorised, "check the keys"},
		{"no keys", good.URL, client.Keys{}, profile.ErrNoKeys, "API keys"},
		{"version 4", version4.URL, testKeys, client.ErrUnsupported, "no classic algorithms: it runs version 4.4.7"},
		{"no list of algorithms", without.URL, testKeys, client.ErrUnsupported, "no classic algorithms: it has no list"},
		{"a page as list of algorithms", pageAPI.URL, testKeys, client.ErrUnsupported, "no classic algorithms"},
		{"some website", page.URL, testKeys, client.ErrUnsupported, "no Cytomine server answers"},
		{"nothing there", page404.URL, testKeys, client.ErrUnsupported, "no Cytomine server answers"},
		{"broken server", broken.URL, testKeys, nil, "server answered 500: Tomcat"},
		{"no address", "what ever", testKeys, nil, "write it like https://your-site"},
		{"http to a TLS port", "http" + strings.TrimPrefix(secure.URL, "https"), testKeys, nil, "not trusted"},
	} {
		_, err := login(t, c.url, c.keys)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		oneClearLine(t, err)
	}
}

// secureSite is a classic server with TLS and its plain twin that redirects.
func secureSite(t *testing.T) (secure *httptest.Server, plain *httptest.Server, ca string) {
	t.Helper()
	s := newSite(t).classic("")
	secure = httptest.NewUnstartedServer(s)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // refused certificates are what is tested
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL+r.RequestURI, http.StatusMovedPermanently)
	}))
	t.Cleanup(plain.Close)
	_, err := Login(t.Context(), profile.Profile{URL: secure.URL}, testKeys, quick)
	var refused *profile.CertificateError
	if !errors.As(err, &refused) {
		t.Fatalf("a certificate signed by itself: %v", err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, refused.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	return secure, plain, ca
}

func TestLoginFollowsOneRedirectToHTTPSAndSaysSo(t *testing.T) {
	secure, plain, ca := secureSite(t)
	got, err := Login(t.Context(), profile.Profile{URL: plain.URL, CA: ca}, testKeys, quick)
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile.URL != secure.URL || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], secure.URL) {
		t.Errorf("%+v", got)
	}
}

func TestLoginFollowsNoOtherRedirect(t *testing.T) {
	secure, _, ca := secureSite(t)
	elsewhere := strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)
	for name, target := range map[string]string{"another host": elsewhere, "plain again": "http://127.0.0.1:1"} {
		hop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target+r.RequestURI, http.StatusFound)
		}))
		defer hop.Close()
		_, err := Login(t.Context(), profile.Profile{URL: hop.URL, CA: ca}, testKeys, quick)
		var moved *client.MovedError
		if !errors.As(err, &moved) || !strings.Contains(err.Error(), "cytorun login "+target) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificates(t *testing.T) {
	secure, _, ca := secureSite(t)
	_, err := login(t, secure.URL, testKeys)
	var refused *profile.CertificateError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	oneClearLine(t, err)
	if !errors.Is(err, client.ErrUnreachable) || refused.Host != strings.TrimPrefix(secure.URL, "https://") || len(refused.Fingerprint) != 64 || !strings.Contains(refused.Subject, "Acme") ||
		refused.NotAfter.Before(time.Now()) || refused.NotBefore.After(time.Now()) || !strings.Contains(err.Error(), "--ca FILE") {
		t.Errorf("%+v", refused)
	}
	other := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(other, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := "SHA256:" + strings.ToUpper(refused.Fingerprint[:2]) + ":" + strings.ToUpper(refused.Fingerprint[2:])
	for _, c := range []struct {
		name string
		p    profile.Profile
		want string
	}{
		{"its own certificate as authority", profile.Profile{CA: ca}, ""},
		{"trusted by fingerprint", profile.Profile{Trust: refused.Fingerprint}, ""},
		{"trusted by a fingerprint as others show it", profile.Profile{Trust: shown}, ""},
		{"another fingerprint", profile.Profile{Trust: strings.Repeat("ab", 32)}, "not the one that was trusted before"},
		{"no such file", profile.Profile{CA: "/no/such/ca.pem"}, "no such file"},
		{"a file without certificates", profile.Profile{CA: other}, "no certificate in " + other},
	} {
		c.p.URL = secure.URL
		got, err := Login(t.Context(), c.p, testKeys, quick)
		if err == nil && bytes.Equal(got.Certificate, refused.PEM) != (c.p.Trust != "") {
			t.Errorf("%s: certificate to keep: %q", c.name, got.Certificate)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.2:0") // an address that the certificate does not name
	if err != nil {
		t.Fatal(err)
	}
	second := &http.Server{Handler: secure.Config.Handler, ErrorLog: secure.Config.ErrorLog}
	go second.Serve(tls.NewListener(listener, secure.TLS))
	defer second.Close()
	for _, named := range []string{strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), "https://" + listener.Addr().String()} {
		if _, err := Login(t.Context(), profile.Profile{URL: named, CA: ca}, testKeys, quick); !errors.As(err, &refused) {
			t.Errorf("a certificate for another host than %s: %v", named, err)
		}
		if _, err := Login(t.Context(), profile.Profile{URL: named, Trust: refused.Fingerprint}, testKeys, quick); err != nil {
			t.Errorf("a certificate for another host than %s, but trusted: %v", named, err)
		}
	}
}

func TestHTTPWhereTLSIsNeeded(t *testing.T) {
	secure, _, ca := secureSite(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nginx := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		io.WriteString(w, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>")
	})}
	go nginx.Serve(listener)
	defer nginx.Close()
	_, err = connect(t, "http://"+listener.Addr().String(), testKeys).CurrentUser(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cytorun login https://"+listener.Addr().String()) {
		t.Errorf("%v", err)
	}
	got, err := Login(t.Context(), profile.Profile{URL: "http" + strings.TrimPrefix(secure.URL, "https"), CA: ca}, testKeys, quick)
	if err != nil || got.Profile.URL != secure.URL || len(got.Notes) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestProbeNeedsNoKeys(t *testing.T) {
	s := newSite(t)
	s.json("/status.json", `{"alive":true,"version":"2.3.0"}`)
	info, err := connect(t, s.URL, client.Keys{}).Probe(t.Context())
	if err != nil || info.Version != "2.3.0" || info.URL != s.URL || info.Kind != client.Cytomine {
		t.Errorf("%+v, %v", info, err)
	}
}
