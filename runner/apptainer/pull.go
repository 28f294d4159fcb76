package apptainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// ErrDisk tells that a disk or quota is full.
var ErrDisk = errors.New("no space left")

const makeRoom = "free some with 'cytorun container prune', or move them with 'cytorun path --set containers=FOLDER'"

// refuse keeps a download away that cannot fit, before it fills a disk that
// others use, or the quota of somebody's home.
func (c cache) refuse(ctx context.Context, img v1.Image, kind sourceKind) error {
	manifest, err := img.Manifest()
	if err != nil {
		return nil // whoever fetches says why
	}
	at, err := runner.SpaceOf(ctx, c.dir)
	need := c.room(manifest, kind).Download
	if err != nil || need <= at.Left() {
		return nil
	}
	where := "on the disk of the containers"
	if at.Left() < at.Free {
		where = "in your quota"
	}
	return fmt.Errorf("%w %s: its layers are %s, and %s are free in %s; %s", ErrDisk, where, text.Bytes(need), text.Bytes(at.Left()), c.dir, makeRoom)
}

// diskError recognises a full disk or quota, nil for anything else.
func diskError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w on the disk of the containers; %s", ErrDisk, makeRoom)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w in your quota; %s", ErrDisk, makeRoom)
	}
	return nil
}

// parallel is how many layers are fetched at the same time.
const parallel = 4

// fetch writes an image to dir as an OCI layout. Layers that are already there
// from an attempt that was cut off are kept; each one is renamed into place
// only when its digest is right.
func fetch(ctx context.Context, ref name.Reference, img v1.Image, dir string, progress func(string)) error {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return fileError("make the folder for layers", err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	raw, err := img.RawManifest()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	// Said before a long download rather than after it.
	if f, err := img.ConfigFile(); err == nil && f.Architecture != "" && f.Architecture != runtime.GOARCH {
		return fmt.Errorf("%w: it is for %s, this box is %s", ErrArchitecture, text.Line(f.Architecture), runtime.GOARCH)
	}
	digest, err := img.Digest()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	m := newMeter(len(layers), progress)
	for _, l := range manifest.Layers {
		m.total += l.Size
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, l := range layers {
		d := manifest.Layers[i]
		group.Go(func() error {
			path := filepath.Join(blobs, d.Digest.Hex)
			// A box that lost its power may have left a file of the right size.
			if st, err := os.Stat(path); err == nil && st.Size() == d.Size {
				if sum, err := sumFile(path); err == nil && sum == d.Digest.String() {
					m.add(d.Size)
					m.layer()
					return nil
				}
			}
			if err := fetchLayer(gctx, l, path, m); err != nil {
				if disk := diskError(err); disk != nil {
					return disk
				}
				return explainRegistry(gctx, ref, err)
			}
			m.layer()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	media, err := img.MediaType()
	if err != nil {
		return explainRegistry(ctx, ref, err)
	}
	index, err := json.Marshal(v1.IndexManifest{
		SchemaVersion: 2,
		Manifests:     []v1.Descriptor{{MediaType: media, Size: int64(len(raw)), Digest: digest}},
	})
	if err != nil {
		return err
	}
	for path, data := range map[string][]byte{
		filepath.Join(blobs, manifest.Config.Digest.Hex): config,
		filepath.Join(blobs, digest.Hex):                 raw,
		filepath.Join(dir, "oci-layout"):                 []byte(`{"imageLayoutVersion":"1.0.0"}`),
		filepath.Join(dir, "index.json"):                 index,
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fileError("write the layers", err)
		}
	}
	return nil
}

// attempts is how often one layer is tried; registries and proxies do break
// long answers.
const attempts = 3

func fetchLayer(ctx context.Context, l v1.Layer, path string, m *meter) error {
	var err error
	for range attempts {
		var n int64
		if n, err = copyLayer(ctx, l, path, m); err == nil {
			return nil
		}
		m.add(-n)
		if ctx.Err() != nil || diskError(err) != nil {
			return err
		}
	}
	return err
}

// copyLayer writes one layer; n is how much it counted.
func copyLayer(ctx context.Context, l v1.Layer, path string, m *meter) (n int64, err error) {
	// The reader of a remote layer checks the digest and fails at the end when
	// it is another one.
	r, err := l.Compressed()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	f, err := os.CreateTemp(filepath.Dir(path), "part-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	n, err = io.Copy(io.MultiWriter(f, m), contextReader{ctx, r})
	if err != nil {
		return n, err
	}
	if err := f.Close(); err != nil {
		return n, err
	}
	return n, os.Rename(f.Name(), path)
}

// contextReader stops reading when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// meter reports the download at most twice a second.
type meter struct {
	mu      sync.Mutex
	out     func(string)
	layers  int
	total   int64
	have    int
	bytes   int64
	started time.Time
	last    time.Time
	fetched int64 // by us, without what was there
}

func newMeter(layers int, out func(string)) *meter {
	return &meter{out: out, layers: layers, started: time.Now()}
}

// Write counts bytes of a layer.
func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	m.fetched += int64(len(p))
	m.mu.Unlock()
	m.add(int64(len(p)))
	return len(p), nil
}

func (m *meter) add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n
	now := time.Now()
	if n <= 0 || now.Sub(m.last) < 500*time.Millisecond {
		return
	}
	m.last = now
	line := fmt.Sprintf("downloading layer %d of %d, %s of %s", min(m.have+1, m.layers), m.layers, text.Bytes(m.bytes), text.Bytes(m.total))
	if d := now.Sub(m.started); d > 3*time.Second && m.fetched > 0 && m.bytes < m.total {
		left := time.Duration(float64(m.total-m.bytes) / float64(m.fetched) * float64(d))
		line += ", about " + text.Duration(left) + " left"
	}
	m.out(line)
}

func (m *meter) layer() {
	m.mu.Lock()
	m.have++
	m.mu.Unlock()
}

// fileError says what failed on a file of the cache.
func fileError(what string, err error) error {
	if disk := diskError(err); disk != nil {
		return fmt.Errorf("%s: %w", what, disk)
	}
	return fmt.Errorf("%s: %w", what, err)
}
