package demo

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer is a container layer around an executable. It is neither compressed,
// which would cost seconds, nor copied: reading it reads the executable.
type layer struct {
	before, after []byte // of the tar archive, around the executable's bytes
	exe           *os.File
	exeSize       int64
	hash          v1.Hash
}

// programPath is where the executable lies in the container.
const programPath = "/cytorun"

// newLayer packs the open executable with the few files that programs and
// runtimes expect in a root file system. exe stays open for as long as the
// layer is in use, so that a newer build under the same name does not change
// what is served.
func newLayer(exe *os.File) (*layer, error) {
	info, err := exe.Stat()
	if err != nil {
		return nil, err
	}
	l := &layer{exe: exe, exeSize: info.Size()}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	more, err := libraries(exe)
	if err != nil {
		return nil, err
	}
	for _, e := range append(slices.Clone(rootFiles), more...) {
		if err := writeEntry(w, e); err != nil {
			return nil, err
		}
	}
	if err := w.WriteHeader(header(tar.TypeReg, programPath[1:], 0o755, l.exeSize)); err != nil {
		return nil, err
	}
	l.before = bytes.Clone(b.Bytes())
	// Padding of the executable to whole blocks, then the two empty blocks
	// that end an archive.
	l.after = make([]byte, (512-l.exeSize%512)%512+1024)

	sum := sha256.New()
	if _, err := io.Copy(sum, l.open()); err != nil {
		return nil, fmt.Errorf("cannot read the executable: %w", err)
	}
	l.hash = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}
	return l, nil
}

func (l *layer) open() io.Reader {
	return io.MultiReader(bytes.NewReader(l.before), io.NewSectionReader(l.exe, 0, l.exeSize), bytes.NewReader(l.after))
}

// entry is a folder (no text, a name that ends in a slash) or a small file.
type entry struct {
	name string
	mode int64
	text string
}

var rootFiles = []entry{
	{"dev/", 0o755, ""},
	{"proc/", 0o755, ""},
	{"sys/", 0o755, ""},
	{"home/", 0o755, ""},
	{"root/", 0o700, ""},
	{"tmp/", 0o1777, ""},
	{"var/", 0o755, ""},
	{"var/tmp/", 0o1777, ""},
	{"etc/", 0o755, ""},
	{"etc/passwd", 0o644, "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"},
	{"etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"},
	{"etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n"},
	{"etc/resolv.conf", 0o644, ""},
	{"etc/nsswitch.conf", 0o644, "hosts: files dns\n"},
	{"etc/localtime", 0o644, ""},
}

func writeEntry(w *tar.Writer, e entry) error {
	kind := byte(tar.TypeReg)
	if e.name[len(e.name)-1] == '/' {
		kind = tar.TypeDir
	}
	if err := w.WriteHeader(header(kind, e.name, e.mode, int64(len(e.text)))); err != nil {
		return err
	}
	_, err := io.WriteString(w, e.text)
	return err
}

// header has a fixed time: the same executable gives the same digest.
func header(kind byte, name string, mode, size int64) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Mode: mode, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
}

// The methods of v1.Layer. An uncompressed layer has one digest for both.

func (l *layer) Digest() (v1.Hash, error) { return l.hash, nil }

func (l *layer) DiffID() (v1.Hash, error) { return l.hash, nil }

func (l *layer) Compressed() (io.ReadCloser, error) { return io.NopCloser(l.open()), nil }

func (l *layer) Uncompressed() (io.ReadCloser, error) { return io.NopCloser(l.open()), nil }

func (l *layer) Size() (int64, error) {
	return int64(len(l.before)) + l.exeSize + int64(len(l.after)), nil
}

func (l *layer) MediaType() (types.MediaType, error) { return types.OCIUncompressedLayer, nil }
