package demo

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/internal/demo/program"
)

// TestMain lets this test binary stand for cytorun: as the demo's server, and
// in containers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "demo-program":
			os.Exit(program.Main(os.Args[2:]))
		case "serve":
			os.Exit(serve(os.Args[2:]))
		}
	}
	code := m.Run()
	_ = os.RemoveAll(filledFolder)
	os.Exit(code)
}

// self is this test binary, open.
func self(t *testing.T) *os.File {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exe.Close() })
	return exe
}

func TestRegistryIsForReadingOnly(t *testing.T) {
	img, err := pack(self(t))
	if err != nil {
		t.Fatal(err)
	}
	h, err := newRegistry(img, "1")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodHead: 200, http.MethodPut: 405, http.MethodDelete: 405} {
		req, err := http.NewRequest(method, srv.URL+"/v2/"+repository+"/manifests/1", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", method, res.StatusCode, want)
		}
	}
}
