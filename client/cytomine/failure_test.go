package cytomine

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

// oneClearLine checks what every error must be for a person.
func oneClearLine(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if strings.ContainsAny(text, "\n\r\x1b\x00") {
		t.Errorf("not one clean line: %q", text)
	}
	if strings.Contains(text, privateKey) {
		t.Errorf("holds the private key: %q", text)
	}
	if len(text) > 700 {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func TestUnreachableServers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, c := range map[string]struct{ url, want string }{
		"nobody listens":      {closed, "connection refused; check the address"},
		"no such host":        {"https://no-such-host.invalid", "check the address with 'cytorun profile show'"},
		"https where http":    {"https" + strings.TrimPrefix(plain.URL, "http"), "does not speak https at this address; try http://"},
		"http without a host": {"http://", "no address of a server"},
	} {
		server, err := New(profile.Profile{URL: c.url}, testKeys, quick)
		if err == nil {
			_, err = server.CurrentUser(t.Context())
			if !errors.Is(err, client.ErrUnreachable) || !client.Transient(err) {
				t.Errorf("%s: %v is not ErrUnreachable", name, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		oneClearLine(t, err)
	}
}

func TestFaultsOfTheServer(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/api/software/1.json", func(w http.ResponseWriter, r *http.Request) { // cut in the middle
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"id":1,"name":"`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	s.mux.HandleFunc("/api/software/2.json", func(http.ResponseWriter, *http.Request) { // no answer at all
		panic(http.ErrAbortHandler)
	})
	s.json("/api/software/3.json", `{"id":3,"name":"tru`)
	s.json("/api/software/4.json", `[1,2`)
	s.answer("/api/software/5.json", 500, "text/html", "<html><h1>boom</h1>")
	s.answer("/api/software/6.json", 503, "text/plain", "later")
	s.answer("/api/software/7.json", 401, "text/plain", "Unauthorized")
	s.answer("/api/software/8.json", 409, "application/json", `{"errors":"already exists"}`)
	s.answer("/api/software/9.json", 413, "application/json", `{"errors":"too long"}`)
	s.answer("/api/software/10.json", 501, "application/json", `{"errors":"not yet"}`)
	s.answer("/api/software/11.json", 400, "application/json", `{"errors":"bad"}`)
	s.answer("/api/software/12.json", 429, "text/plain", "slow down")
	s.json("/api/software/13.json", `"text"`)
	s.json("/api/software/14.json", ``)
	c := s.client("")
	for id, want := range map[client.ID]struct {
		kind      error
		transient bool
		requests  int
	}{
		1:  {client.ErrUnreachable, true, 3},
		2:  {client.ErrUnreachable, true, 3},
		3:  {client.ErrUnreachable, true, 1},
		4:  {client.ErrUnreachable, true, 1},
		5:  {nil, true, 1},
		6:  {nil, true, 3},
		7:  {client.ErrUnauthorised, false, 1},
		8:  {client.ErrConflict, false, 1},
		9:  {client.ErrInvalid, false, 1},
		10: {client.ErrUnsupported, true, 1},
		11: {client.ErrInvalid, false, 1},
		12: {nil, true, 3},
		13: {client.ErrUnreachable, true, 1},
		14: {client.ErrUnreachable, true, 1},
	} {
		before := len(s.came())
		_, err := c.Algorithm(t.Context(), id)
		if err == nil || want.kind != nil && !errors.Is(err, want.kind) || client.Transient(err) != want.transient {
			t.Errorf("%d: %v, want %v, transient %v", id, err, want.kind, want.transient)
			continue
		}
		oneClearLine(t, err)
		if n := len(s.came()) - before; n != want.requests && id != 2 { // net/http itself repeats a GET on a connection that was idle
			t.Errorf("%d: %d requests, want %d", id, n, want.requests)
		}
	}
}

// Only GET may be repeated: the server may have done what was asked.
func TestWritesAreSentOnce(t *testing.T) {
	s := newSite(t)
	for i, handler := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
	} {
		path := fmt.Sprintf("/api/%d.json", i)
		s.mux.HandleFunc(path, handler)
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			before := len(s.came())
			if _, err := s.client("").do(t.Context(), call{method: method, path: path, body: []byte("{}"), contentType: "application/json"}); err == nil {
				t.Errorf("%s %d: no error", method, i)
			}
			if n := len(s.came()) - before; n != 1 {
				t.Errorf("%s %d: sent %d times", method, i, n)
			}
		}
	}
}

func TestGetIsRepeatedUntilItWorks(t *testing.T) {
	s := newSite(t)
	var calls atomic.Int32
	s.mux.HandleFunc("/api/user/current.json", func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(503)
		case 2:
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"id":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, userJSON)
		}
	})
	if user, err := s.client("").CurrentUser(t.Context()); err != nil || user.Username != "bob" {
		t.Errorf("%+v, %v", user, err)
	}
}

func TestHangingServerEndsWithItsDeadline(t *testing.T) {
	s := newSite(t)
	done := make(chan struct{})
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}
	s.mux.HandleFunc("/api/user/current.json", hang)
	s.mux.HandleFunc("/api/project.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"collection":[{"id":1},`)
		w.(http.Flusher).Flush()
		hang(w, r)
	})
	t.Cleanup(func() { close(done) })
	options := quick
	options.Timeout = 50 * time.Millisecond
	c, err := New(profile.Profile{URL: s.URL}, testKeys, options)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(context.Context) error{
		"no answer":      func(ctx context.Context) error { _, err := c.CurrentUser(ctx); return err },
		"silent in list": func(ctx context.Context) error { _, err := c.Projects(ctx); return err },
	} {
		start := time.Now()
		err := f(t.Context())
		if !errors.Is(err, client.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		} else {
			oneClearLine(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrUnreachable) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

func TestSlowListIsNoSilentList(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/api/project.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"collection":[`)
		for i := range 12 {
			fmt.Fprintf(w, `{"id":%d},`, i+1)
			w.(http.Flusher).Flush()
			select {
			case <-time.After(100 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, `{"id":13}],"size":13}`)
	})
	options := quick
	options.Timeout = time.Second // less than the list takes
	c, err := New(profile.Profile{URL: s.URL}, testKeys, options)
	if err != nil {
		t.Fatal(err)
	}
	if projects, err := c.Projects(t.Context()); err != nil || len(projects) != 13 {
		t.Errorf("%d, %v", len(projects), err)
	}
}

func TestGzipAnswers(t *testing.T) {
	s := newSite(t)
	zipped := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				t.Error("gzip not asked for")
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, body)
			z.Close()
		}
	}
	s.mux.HandleFunc("/api/user/current.json", zipped(userJSON))
	s.mux.HandleFunc("/api/project.json", zipped(`{"collection":`+rowsJSON(1, 3)+`,"size":3}`))
	c := s.client("")
	if user, err := c.CurrentUser(t.Context()); err != nil || user.ID != 5 {
		t.Errorf("%+v, %v", user, err)
	}
	if projects, err := c.Projects(t.Context()); err != nil || len(projects) != 3 {
		t.Errorf("%d, %v", len(projects), err)
	}
}

func TestAnswerWithoutEndIsRefused(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/api/user/current.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		block := []byte(strings.Repeat(" ", 1<<20))
		for range 80 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	if _, err := s.client("").CurrentUser(t.Context()); err == nil {
		t.Error("80 MB of nothing were accepted")
	} else {
		oneClearLine(t, err)
	}
}

func TestDebugTellsOfCallsWithoutSecrets(t *testing.T) {
	s := newSite(t)
	s.json("/api/user/current.json", userJSON)
	var lines []string
	options := quick
	options.Debug = func(method, url string, status int, took time.Duration) {
		lines = append(lines, fmt.Sprintf("%s %s %d", method, url, status))
	}
	c, err := New(profile.Profile{URL: s.URL}, testKeys, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.do(t.Context(), call{method: "GET", path: "/api/user/current.json?tokenKey=s3cret&x=1&privateKey=s3cret"}); err != nil {
		t.Fatal(err)
	}
	if want := "GET " + s.URL + "/api/user/current.json?tokenKey=…&x=1&privateKey=… 200"; len(lines) != 1 || lines[0] != want {
		t.Errorf("%q, want %q", lines, want)
	}
}

func TestSurvives15NoAnswerIsKept(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/api/user/current.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "max-age=3600")
		w.Header().Set("Set-Cookie", "JSESSIONID=1; Path=/")
		if r.Header.Get("Cookie") != "" {
			t.Error("a session was opened")
		}
		io.WriteString(w, userJSON)
	})
	c := s.client("")
	for range 2 {
		if _, err := c.CurrentUser(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.came()); n != 2 {
		t.Errorf("%d requests for two questions", n)
	}
}

func TestHeadersNameUs(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/api/user/current.json", func(w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{"User-Agent": "cytorun/test", "Accept": "application/json, */*", "X-Requested-With": "XMLHttpRequest", "Content-Type": ""} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, userJSON)
	})
	if _, err := s.client("").CurrentUser(t.Context()); err != nil {
		t.Fatal(err)
	}
}
