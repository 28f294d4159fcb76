package apptainer

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Exact gives the reference that means one image of a registry for ever: the
// same name with a digest in place of its tag. It is false for references that
// are files, and for what is no digest.
func Exact(reference, digest string) (string, bool) {
	src, err := parse(reference)
	if err != nil || !validDigest(digest) || src.kind != fromImage && src.kind != fromORAS {
		return reference, false
	}
	base := strings.TrimSpace(reference)
	if at := strings.LastIndexByte(base, '@'); at >= 0 {
		base = base[:at]
	}
	if t, ok := src.ref.(name.Tag); ok && !src.bare {
		base = strings.TrimSuffix(base, ":"+t.TagStr())
	}
	return base + "@" + digest, true
}

// IsFile tells whether a reference is a file on a box rather than an image in a
// registry.
func IsFile(reference string) bool {
	src, err := parse(reference)
	return err == nil && (src.kind == fromFile || src.kind == fromArchive)
}

// FileDigest is the digest of the file that a reference names, as runs record
// it. It reads the whole file unless cacheDir knows it.
func FileDigest(cacheDir, reference string) (string, error) {
	src, err := parse(reference)
	if err != nil {
		return "", err
	}
	return cache{cacheDir}.local(src.path, reference, func(string) {})
}

// Absolute gives a reference to a file the file's full path: whoever fetches the
// container works in another folder. Others stay as they are.
func Absolute(reference string) string {
	src, err := parse(reference)
	switch {
	case err != nil:
	case src.kind == fromFile:
		return src.path
	case src.kind == fromArchive:
		return "docker-archive:" + src.path
	}
	return reference
}

// SameImage tells whether two references may mean one image: they are the same,
// or name one repository and at least one of them says which image by its digest.
func SameImage(a, b string) bool {
	x, errX := parse(a)
	y, errY := parse(b)
	if errX != nil || errY != nil || x.kind != y.kind {
		return a == b
	}
	if x.ref == nil || y.ref == nil {
		return x.path == y.path
	}
	if x.ref.Context().Name() != y.ref.Context().Name() {
		return false
	}
	_, exactX := x.ref.(name.Digest)
	_, exactY := y.ref.(name.Digest)
	return exactX != exactY || x.ref.Name() == y.ref.Name()
}
