package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestADataFolderIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	ctx := context.Background()
	srv, err := Open(dir, Options{AdminName: "root"})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second server opened the folder: %v", err)
	}
	first, err := srv.Admin(ctx)
	if err != nil || first.Username != "root" || len(first.PublicKey) != 36 || len(first.PrivateKey) != 36 {
		t.Fatalf("%+v %v", first, err)
	}
	project, err := srv.AddProject(ctx, NewProject{Name: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if srv, err = Open(dir, Options{AdminName: "other"}); err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	again, err := srv.Admin(ctx)
	if err != nil || again != first {
		t.Errorf("%+v, want %+v (%v)", again, first, err)
	}
	next, err := srv.AddOntology(ctx, "o")
	if err != nil || next <= project {
		t.Errorf("id %d after %d: one sequence must go on (%v)", next, project, err)
	}
	if rec, err := projectClass.get(srv.store.read(ctx), project); err != nil || rec.text("name") != "kept" {
		t.Errorf("%v %v", rec, err)
	}
}

func TestFoldersThatCannotBeServed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil {
		t.Error("a file was opened as a folder")
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "cytomine.db"), bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(broken, Options{}); err == nil {
		t.Error("a broken database was opened")
	}
	newer := t.TempDir()
	srv, err := Open(newer, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.store.update(context.Background(), func(t *tx) error { return t.exec(fmt.Sprintf("PRAGMA user_version=%d", schemaVersion+1)) }); err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(newer, Options{}); err == nil {
		t.Error("a database of a newer program was opened")
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	before := s.srv.store.next
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no") },
		"panic": func() error { panic("no") },
	} {
		err := s.srv.store.update(ctx, func(t *tx) error {
			if err := ontologyClass.insert(t, record{"name": "half"}); err != nil {
				return err
			}
			return fail()
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if found, err := exists(s.srv.store.read(ctx), "SELECT 1 FROM ontology WHERE name='half'"); err != nil || found {
		t.Errorf("half a transaction was kept (%v)", err)
	}
	if s.srv.store.next != before {
		t.Error("ids were used up")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	// A client that has gone away does not tear a write apart.
	if err := s.srv.store.update(cancelled, func(t *tx) error { return ontologyClass.insert(t, record{"name": "whole"}) }); err != nil {
		t.Error(err)
	}
}

// serveFor runs Serve on a free port and returns its address and its end.
func serveFor(t *testing.T, ctx context.Context, h http.Handler, idle time.Duration) (string, <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- ServeHandler(ctx, ln, h, idle) }()
	return "http://" + ln.Addr().String(), done
}

func wait(t *testing.T, done <-chan error, limit time.Duration) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(limit):
		t.Fatal("the server did not end")
	}
}

func TestAnIdleServerEnds(t *testing.T) {
	srv, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), ln, 50*time.Millisecond) }()
	wait(t, done, 10*time.Second)
	if _, err := http.Get("http://" + ln.Addr().String() + "/status.json"); err == nil {
		t.Error("it still answers")
	}
}

func TestRequestsUnderWayKeepAServerAlive(t *testing.T) {
	release := make(chan struct{})
	url, done := serveFor(t, context.Background(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		fmt.Fprint(w, "late")
	}), 30*time.Millisecond)
	answers := make(chan string, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		answers <- string(b)
	}()
	select {
	case err := <-done:
		t.Fatalf("the server ended while a request was under way: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(release)
	if got := <-answers; got != "late" {
		t.Errorf("answer %q", got)
	}
	wait(t, done, 10*time.Second)
}

func TestAServerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, done := serveFor(t, ctx, http.NotFoundHandler(), 0)
	cancel()
	wait(t, done, 10*time.Second)
}

func TestReadersAndWritersDoNotDisturbOneAnother(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 15 {
				var r *reply
				switch w % 3 {
				case 0:
					r = s.post("/api/job.json", map[string]any{"project": s.project, "software": software})
				case 1:
					r = s.post("/api/annotation.json", map[string]any{"location": fmt.Sprintf("POINT (%d %d)", w, i), "image": s.image, "term": s.term})
				default:
					r = s.get("/api/annotation.json?project=%d&showTerm=true", s.project)
				}
				if r.status != http.StatusOK {
					t.Errorf("status %d: %s", r.status, r.body)
				}
			}
		}()
	}
	wg.Wait()
	jobs := s.get("/api/job.json?sort=number&order=asc&withJobParameters=false").list()
	for i, j := range jobs {
		if j["number"] != float64(i+1) {
			t.Fatalf("job %d has number %v: numbers must not repeat", i, j["number"])
		}
	}
	if n := s.get("/api/annotation.json?project=%d&max=1", s.project).id("size"); len(jobs) != 30 || n != 30 {
		t.Errorf("%d jobs, %d annotations", len(jobs), n)
	}
}
