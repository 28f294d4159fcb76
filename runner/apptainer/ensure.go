package apptainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/cytorun/cytorun/internal/text"
)

// Container is a SIF file that was checked.
type Container struct {
	Path string
	// Digest is "sha256:HEX": of the image in the registry that the file was
	// made from, for this box's processor, or of the file itself. It says what
	// exactly ran.
	Digest    string
	Reference string // as it was given
}

// Ensure makes sure that the container of a reference is in cacheDir and whole.
//
// A reference is docker://NAME:TAG or just NAME:TAG (also NAME@sha256:...),
// oras://NAME:TAG, docker-archive:PATH or a path that ends with .tar, the path of
// a SIF, or that of a folder with a root file system, which has no digest because
// it may change at any time. One without a tag is refused with a *TagError that
// lists what the registry has; see WithVersion. The registry is asked each time what a tag means now; when it
// cannot be reached the last answer is used and progress says so.
//
// progress gets lines for a person, none after Ensure returned, from one
// goroutine at a time. Two callers, also in two processes, fetch the same image
// once. A fetch that was cut off goes on at whole layers.
func (a *Apptainer) Ensure(ctx context.Context, cacheDir, reference string, progress func(string)) (Container, error) {
	src, err := parse(reference)
	if err != nil {
		return Container{}, err
	}
	c := cache{cacheDir}
	fail := func(err error) (Container, error) {
		return Container{}, fmt.Errorf("container %s: %w", text.Line(reference), err)
	}
	if src.kind == fromFile && isFolder(src.path) {
		if err := checkFolder(src.path); err != nil {
			return fail(err)
		}
		return Container{Path: src.path, Reference: reference}, nil
	}
	if src.kind == fromFile {
		digest, err := c.local(src.path, reference, progress)
		if err != nil {
			return fail(err)
		}
		err = checkSIF(src.path)
		if errors.Is(err, ErrDamaged) {
			err = fmt.Errorf("%w; get it again from where it came", err)
		}
		return Container{Path: src.path, Digest: digest, Reference: reference}, err
	}
	var digest string
	var get func(ctx context.Context, dir string) (sif string, err error)
	switch src.kind {
	case fromArchive:
		if digest, err = c.local(src.path, reference, progress); err != nil {
			return fail(err)
		}
		get = func(ctx context.Context, dir string) (string, error) {
			return a.pack(ctx, dir, "docker-archive:"+src.path, progress)
		}
	default:
		if src.bare {
			return fail(noTag(ctx, src.ref))
		}
		var img v1.Image
		if digest, img, err = c.resolve(ctx, src.ref, reference, progress); err != nil {
			return fail(err)
		}
		get = func(ctx context.Context, dir string) (string, error) {
			if img == nil {
				exact := src.ref.Context().Digest(digest)
				if img, err = image(ctx, exact); err != nil {
					return "", err
				}
			}
			if err := c.refuse(ctx, img, src.kind); err != nil {
				return "", err
			}
			if src.kind == fromORAS {
				return fetchSIF(ctx, src.ref, img, dir, progress)
			}
			if err := fetch(ctx, src.ref, img, filepath.Join(dir, "layout"), progress); err != nil {
				return "", err
			}
			return a.pack(ctx, dir, "oci:layout", progress)
		}
	}
	if path, ok := c.fromSite(digest, progress); ok {
		return Container{Path: path, Digest: digest, Reference: reference}, nil
	}
	a.sweepTmp(c)
	if err := c.ensure(ctx, digest, reference, get, progress); err != nil {
		return fail(err)
	}
	return Container{Path: c.sif(digest), Digest: digest, Reference: reference}, nil
}

// Unchanged tells whether a container that Ensure gave still is what it was. It
// asks nobody and reads the file only where it was touched.
func Unchanged(cacheDir string, container Container) bool {
	src, err := parse(container.Reference)
	if err != nil {
		return false
	}
	c, quiet := cache{cacheDir}, func(string) {}
	switch {
	case src.kind == fromFile && isFolder(src.path):
		return true // it may change at any time, and that is said
	case src.kind == fromFile:
		digest, err := c.local(src.path, container.Reference, quiet)
		return err == nil && digest == container.Digest && checkSIF(container.Path) == nil
	case container.Path != c.sif(container.Digest):
		path, ok := c.fromSite(container.Digest, quiet)
		return ok && path == container.Path
	}
	ok, err := c.whole(container.Digest, quiet)
	return ok && err == nil
}

// ensure fetches the container of digest unless it is here.
func (c cache) ensure(ctx context.Context, digest, reference string, get func(context.Context, string) (string, error), progress func(string)) error {
	if ok, err := c.whole(digest, progress); ok || err != nil {
		return err
	}
	hex := digest[len("sha256:"):]
	for _, d := range []string{"locks", "tmp"} {
		if err := os.MkdirAll(filepath.Join(c.dir, d), 0o700); err != nil {
			return fileError("make the container cache", err)
		}
	}
	lock := flock.New(c.lockPath(digest))
	got, err := lock.TryLock()
	if err == nil && !got {
		progress("waiting: another run fetches this container")
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fileError("lock the container cache", err)
	}
	defer lock.Unlock()
	if ok, err := c.whole(digest, progress); ok || err != nil {
		return err
	}
	if _, err := os.Stat(c.sif(digest)); err == nil {
		progress("the container file was damaged; fetching it again")
	}
	c.sweep()
	dir := filepath.Join(c.dir, "tmp", hex)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fileError("make the container cache", err)
	}
	// Of a fetch that was killed only whole layers are of use.
	for _, pattern := range []string{"part-*", "layout/blobs/sha256/part-*"} {
		left, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is good
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
	sif, err := get(ctx, dir)
	if err != nil {
		return err
	}
	if err := c.adopt(filepath.Join(dir, sif), digest, reference); err != nil {
		return err
	}
	// Layers are of no use any more. What cannot be removed costs space only.
	_ = os.RemoveAll(dir)
	return nil
}

// resolve finds out which image a reference in a registry means. img is nil
// when the cache knew its digest.
func (c cache) resolve(ctx context.Context, ref name.Reference, reference string, progress func(string)) (digest string, img v1.Image, err error) {
	known, ok := c.meaning(reference)
	if !ok {
		known, ok = cache{SiteCache()}.meaning(reference)
	}
	if exact, is := ref.(name.Digest); is {
		if ok {
			return known.Digest, nil, nil
		}
		// Fetched under another name, as the container of an earlier run.
		if d := exact.DigestStr(); validDigest(d) {
			if _, err := os.Stat(c.sif(d)); err == nil {
				return d, nil, nil
			}
		}
	}
	asked, err := head(ctx, ref)
	if err != nil && ok && errors.Is(err, ErrRegistry) {
		if _, _, here := Cached(c.dir, reference); here {
			progress(fmt.Sprintf("%s; using the container fetched before", err))
			return known.Digest, nil, nil
		}
	}
	if err != nil {
		return "", nil, err
	}
	if ok && known.Asked == asked {
		return known.Digest, nil, nil
	}
	if img, err = image(ctx, ref.Context().Digest(asked)); err != nil {
		return "", nil, err
	}
	d, err := img.Digest()
	if err != nil {
		return "", nil, explainRegistry(ctx, ref, err)
	}
	if d.Algorithm != "sha256" {
		return "", nil, fmt.Errorf("its digest is of kind %s, which is not supported", d.Algorithm)
	}
	return d.String(), img, c.setMeaning(meaning{Reference: reference, Asked: asked, Digest: d.String()})
}

// local is the digest of a file on this box, taken again when it changed and
// once a week. Content that changed while size and time did not is damage.
func (c cache) local(path, reference string, progress func(string)) (string, error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrNoFile
	}
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	m, ok := c.meaning(reference)
	ok = ok && m.Size == st.Size() && m.ModTime.Equal(st.ModTime())
	if ok && time.Since(m.Resolved) < recheck {
		return m.Digest, nil
	}
	progress("checking the container")
	digest, err := sumFile(path)
	if err != nil {
		return "", err
	}
	if ok && digest != m.Digest {
		return "", fmt.Errorf("%w: %s is not what it was, and nobody wrote to it; get it again from where it came", ErrDamaged, path)
	}
	return digest, c.setMeaning(meaning{Reference: reference, Digest: digest, Size: st.Size(), ModTime: st.ModTime()})
}

// fetchSIF downloads a SIF that a registry keeps as it is (oras).
func fetchSIF(ctx context.Context, ref name.Reference, img v1.Image, dir string, progress func(string)) (string, error) {
	layers, err := img.Layers()
	if err != nil {
		return "", explainRegistry(ctx, ref, err)
	}
	if len(layers) != 1 {
		return "", fmt.Errorf("it has %d parts and is no single container file; is it a docker:// image?", len(layers))
	}
	size, err := layers[0].Size()
	if err != nil {
		return "", explainRegistry(ctx, ref, err)
	}
	m := newMeter(1, progress)
	m.total = size
	path := filepath.Join(dir, "new.sif")
	if err := fetchLayer(ctx, layers[0], path, m); err != nil {
		if disk := diskError(err); disk != nil {
			return "", disk
		}
		return "", explainRegistry(ctx, ref, err)
	}
	return "new.sif", nil
}
