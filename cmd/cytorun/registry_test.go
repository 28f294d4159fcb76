package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// serveRegistry serves containers: registry NAME [IMAGE:TAG…]. Its address is
// in $NAME. Each image holds one file of its own. It lets everybody in unless
// the file away is there, which makes it answer 503, or the file private, which
// makes it ask for the password "word" of "ann".
func serveRegistry(ts *testscript.TestScript, _ bool, args []string) {
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	away, private := ts.MkAbs("away"), ts.MkAbs("private")
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case there(away):
			w.WriteHeader(http.StatusServiceUnavailable)
		case there(private) && (user != "ann" || password != "word"):
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			h.ServeHTTP(w, r)
		}
	}))
	ts.Defer(s.Close)
	u, err := url.Parse(s.URL)
	ts.Check(err)
	ts.Setenv(args[0], u.Host)
	for _, image := range args[1:] {
		layer, err := random.Layer(100_000, types.DockerLayer)
		ts.Check(err)
		img, err := mutate.AppendLayers(empty.Image, layer)
		ts.Check(err)
		config, err := img.ConfigFile()
		ts.Check(err)
		config = config.DeepCopy()
		config.OS, config.Architecture, config.Config.Cmd = "linux", runtime.GOARCH, []string{"/none"}
		img, err = mutate.ConfigFile(img, config)
		ts.Check(err)
		ref, err := name.ParseReference(u.Host+"/"+image, name.Insecure)
		ts.Check(err)
		ts.Check(remote.Write(ref, img))
	}
}
