package apptainer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Room is the space that fetching a container takes, in bytes. Only Download is
// exact: how far layers unpack is known when they are unpacked.
type Room struct {
	Download int64
	// Containers is the most that lies in the folder of the containers at one
	// time, layers and the new file, and Tmp what the build needs beside it.
	Containers, Tmp int64
	// Stays is what is left in the end.
	Stays int64
}

// Measured on images of programs: how far layers unpack, and what becomes of
// that in a SIF.
const (
	unpackFactor = 2.5
	sifFactor    = 1.1
)

// Need says what fetching a container would take, zero for one that is here. It
// asks the registry for the list of layers only.
func Need(ctx context.Context, cacheDir, reference string) (Room, error) {
	src, err := parse(reference)
	if err != nil {
		return Room{}, err
	}
	fail := func(err error) (Room, error) {
		return Room{}, fmt.Errorf("container %s: %w", text.Line(reference), err)
	}
	c := cache{cacheDir}
	switch src.kind {
	case fromFile:
		return Room{}, nil
	case fromArchive:
		if _, _, ok := Cached(cacheDir, reference); ok {
			return Room{}, nil
		}
		st, err := os.Stat(src.path)
		if err != nil {
			return fail(err)
		}
		// What docker saves is not compressed.
		n := st.Size()
		return Room{Containers: n, Tmp: 2 * n, Stays: n}, nil
	}
	if src.bare {
		return fail(noTag(ctx, src.ref))
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	img, err := image(ctx, src.ref)
	if err != nil {
		return fail(err)
	}
	digest, err := img.Digest()
	if err != nil {
		return fail(explainRegistry(ctx, src.ref, err))
	}
	if _, err := os.Stat(c.sif(digest.String())); err == nil {
		return Room{}, nil
	}
	manifest, err := img.Manifest()
	if err != nil {
		return fail(explainRegistry(ctx, src.ref, err))
	}
	return c.room(manifest, src.kind), nil
}

// room adds up layers, without those that are here from a fetch that was cut
// off.
func (c cache) room(manifest *v1.Manifest, kind sourceKind) Room {
	var layers, here int64
	for _, l := range manifest.Layers {
		layers += l.Size
		// The folder is that of the image, whose name is not in its manifest.
		found, _ := filepath.Glob(filepath.Join(c.dir, "tmp", "*", "layout", "blobs", "sha256", l.Digest.Hex))
		for _, f := range found {
			if st, err := os.Stat(f); err == nil && st.Size() == l.Size {
				here += l.Size
				break
			}
		}
	}
	r := Room{Download: layers - here}
	if kind == fromORAS {
		r.Containers, r.Stays = layers-here, layers
		return r
	}
	r.Stays = int64(sifFactor * float64(layers))
	r.Containers = layers - here + r.Stays
	// The command copies the layers twice before it unpacks them.
	r.Tmp = 2*layers + int64(unpackFactor*float64(layers))
	return r
}

// Place is one file system that a fetch writes to.
type Place struct {
	runner.Space
	Need int64 // bytes
}

// Places says what is needed where, and what is left there: once for each file
// system. tmp is where the build keeps what is temporary, the folder of the
// containers when empty.
func (r Room) Places(ctx context.Context, containers, tmp string) ([]Place, error) {
	at, err := runner.SpaceOf(ctx, containers)
	if err != nil {
		return nil, err
	}
	places := []Place{{at, r.Containers}}
	if tmp == "" {
		tmp = containers
	}
	at, err = runner.SpaceOf(ctx, tmp)
	if err != nil {
		return nil, err
	}
	if at.Device == places[0].Device {
		places[0].Need += r.Tmp
		return places, nil
	}
	return append(places, Place{at, r.Tmp}), nil
}
