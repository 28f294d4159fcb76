package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// repository is the name of the container in the registry.
const repository = "demo/cytorun-demo"

// pack makes the container of the demo: an executable, started as the programs
// of the demo.
func pack(exe *os.File) (v1.Image, error) {
	l, err := newLayer(exe)
	if err != nil {
		return nil, fmt.Errorf("cannot pack the container of the demo: %w", err)
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.Append(img, mutate.Addendum{Layer: l, History: v1.History{CreatedBy: "cytorun demo"}}); err != nil {
		return nil, fmt.Errorf("cannot pack the container of the demo: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("cannot pack the container of the demo: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = runtime.GOOS, runtime.GOARCH
	config.Config.Entrypoint = []string{programPath, "demo-program"}
	config.Config.WorkingDir = "/"
	config.Config.Labels = map[string]string{
		"org.opencontainers.image.title":       "cytorun demo",
		"org.opencontainers.image.description": "analysis programs of the cytorun demo",
	}
	return mutate.ConfigFile(img, config)
}

// blobs serves the parts of one container where they are.
type blobs struct{ img v1.Image }

// Get opens the config or a layer of the container.
func (b blobs) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	if config, err := b.img.RawConfigFile(); err == nil {
		if name, err := b.img.ConfigName(); err == nil && name == h {
			return io.NopCloser(bytes.NewReader(config)), nil
		}
	}
	l, err := b.img.LayerByDigest(h)
	if err != nil {
		return nil, registry.ErrNotFound
	}
	return l.Compressed()
}

// Stat is the size of what Get opens.
func (b blobs) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	if name, err := b.img.ConfigName(); err == nil && name == h {
		config, err := b.img.RawConfigFile()
		return int64(len(config)), err
	}
	l, err := b.img.LayerByDigest(h)
	if err != nil {
		return 0, registry.ErrNotFound
	}
	return l.Size()
}

// newRegistry serves img under the given tag, for reading only: nobody else on
// this machine can put another container in its place.
func newRegistry(img v1.Image, tag string) (http.Handler, error) {
	h := registry.New(registry.WithBlobHandler(blobs{img}), registry.Logger(log.New(io.Discard, "", 0)))
	manifest, err := img.RawManifest()
	if err != nil {
		return nil, fmt.Errorf("cannot pack the container of the demo: %w", err)
	}
	answer := &answer{header: make(http.Header)}
	h.ServeHTTP(answer, &http.Request{
		Method: http.MethodPut,
		URL:    &url.URL{Path: "/v2/" + repository + "/manifests/" + tag},
		Header: http.Header{"Content-Type": {string(types.OCIManifestSchema1)}},
		Body:   io.NopCloser(bytes.NewReader(manifest)),
	})
	if answer.status != http.StatusCreated {
		return nil, fmt.Errorf("the registry does not take the container of the demo: %d %s", answer.status, answer.body.String())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "this registry is for reading only", http.StatusMethodNotAllowed)
			return
		}
		h.ServeHTTP(w, r)
	}), nil
}

// answer is what a handler says to a request from within the process.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
