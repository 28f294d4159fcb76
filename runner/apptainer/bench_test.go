package apptainer

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/cytorun/cytorun/internal/bench"
)

// BenchmarkEnsure compares fetching a container of 200 MB with what the bare
// command takes for it, and tells what a container that is there costs.
func BenchmarkEnsure(b *testing.B) {
	a, err := Find()
	if err != nil {
		b.Skip("needs apptainer: ", err)
	}
	s := httptest.NewServer(registry.New(registry.Logger(discard())))
	defer s.Close()
	var layers []v1.Layer
	for range 4 {
		l, err := random.Layer(50<<20, types.DockerLayer)
		if err != nil {
			b.Fatal(err)
		}
		layers = append(layers, l)
	}
	img, err := mutate.AppendLayers(testImage(b, v1.Config{Cmd: []string{"x"}}), layers...)
	if err != nil {
		b.Fatal(err)
	}
	ref := strings.TrimPrefix(s.URL, "http://") + "/lab/big:1"
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		b.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		dir := b.TempDir()
		cmd := exec.Command(a.Path, "pull", "--no-https", filepath.Join(dir, "bare.sif"), "docker://"+ref)
		cmd.Env = append(os.Environ(), "APPTAINER_CACHEDIR="+filepath.Join(dir, "bare"), "APPTAINER_TMPDIR="+dir)
		start := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		bare := time.Since(start)
		start = time.Now()
		if _, err := a.Ensure(b.Context(), filepath.Join(dir, "ours"), ref, func(string) {}); err != nil {
			b.Fatal(err)
		}
		bench.Report(b, "container/pull-200MB-to-bare-pull", float64(time.Since(start))/float64(bare), "times", 1.3, true)
		best := time.Hour
		for range 5 {
			start = time.Now()
			if _, err := a.Ensure(b.Context(), filepath.Join(dir, "ours"), ref, func(string) {}); err != nil {
				b.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
		bench.Report(b, "container/cached", float64(best.Microseconds())/1000, "ms", 5, true)
	}
}
