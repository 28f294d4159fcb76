package exact

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// errCut tells that an archive is not whole.
var errCut = errors.New("the archive is not complete")

// Limits of an archive. The server stores files as they are; one that grows a
// hundredfold was not made by it.
const (
	maxFiles  = 200_000
	maxGrowth = 100
)

// unpack unpacks an image of several files into a folder and gives the path of the
// one that is called name. Nothing is written outside of the folder, and nothing of
// an archive that tries to: it is unpacked beside the goal and moved when complete,
// the file to open last.
func unpack(archive io.ReaderAt, size int64, name, dir string) (file string, err error) {
	reader, err := zip.NewReader(archive, size)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errCut, err)
	}
	entries, err := safeEntries(reader, size)
	if err != nil {
		return "", err
	}
	main, err := mainEntry(entries, name)
	if err != nil {
		return "", err
	}
	if err := checkTop(entries, main); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(dir, ".unpack-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	root, err := os.OpenRoot(temp)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for _, e := range entries {
		if err := e.write(root); err != nil {
			return "", err
		}
	}
	top, err := os.ReadDir(temp)
	if err != nil {
		return "", err
	}
	last, _, _ := strings.Cut(main, "/")
	for _, entry := range append(without(top, last), last) {
		goal := filepath.Join(dir, entry)
		if err := os.RemoveAll(goal); err != nil { // what an earlier try left
			return "", err
		}
		if err := os.Rename(filepath.Join(temp, entry), goal); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, filepath.FromSlash(main)), nil
}

func without(entries []os.DirEntry, name string) (names []string) {
	for _, e := range entries {
		if e.Name() != name {
			names = append(names, e.Name())
		}
	}
	return names
}

// entry is one file of an archive.
type entry struct {
	name string // checked, with slashes
	file *zip.File
}

// safeEntries checks the whole archive before anything is written.
func safeEntries(reader *zip.Reader, size int64) ([]entry, error) {
	if len(reader.File) > maxFiles {
		return nil, fmt.Errorf("%w: the archive holds %d files", client.ErrInvalid, len(reader.File))
	}
	var (
		entries []entry
		total   uint64
		seen    = map[string]bool{}
	)
	for _, f := range reader.File {
		name, ok := safeName(f.Name)
		if !ok {
			return nil, fmt.Errorf("%w: the archive holds a file called %q, which would lie outside of its folder; nothing of it is used", client.ErrInvalid, web.Cut(web.OneLine(f.Name), 80))
		}
		if f.FileInfo().IsDir() {
			continue
		}
		if !f.Mode().IsRegular() || seen[name] {
			return nil, fmt.Errorf("%w: %q in the archive is no plain file, or is there twice; nothing of it is used", client.ErrInvalid, web.Cut(web.OneLine(f.Name), 80))
		}
		seen[name] = true
		if total += f.UncompressedSize64; f.UncompressedSize64 > 1<<50 || total > uint64(size)*maxGrowth {
			return nil, fmt.Errorf("%w: the archive of %d bytes would become more than %d times as large; nothing of it is used", client.ErrInvalid, size, maxGrowth)
		}
		entries = append(entries, entry{name, f})
	}
	return entries, nil
}

// safeName checks the name of a file in an archive: relative, with no step up, and
// of parts that stay as they are as file names.
func safeName(name string) (string, bool) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	clean := path.Clean(slashed)
	if strings.HasPrefix(slashed, "/") || !filepath.IsLocal(filepath.FromSlash(clean)) || clean == "." {
		return "", false
	}
	for part := range strings.SplitSeq(slashed, "/") {
		if part == ".." {
			return "", false
		}
	}
	for part := range strings.SplitSeq(clean, "/") {
		if len(part) > 255 || strings.HasPrefix(part, ".download-") || strings.HasPrefix(part, ".unpack-") ||
			strings.IndexFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
			return "", false
		}
	}
	return clean, true
}

// mainEntry finds the file that a viewer opens: the one of this name, else the only
// one with this suffix.
func mainEntry(entries []entry, name string) (string, error) {
	var same []string
	for _, e := range entries {
		base := path.Base(e.name)
		if base == name {
			return e.name, nil
		}
		if strings.EqualFold(path.Ext(base), path.Ext(name)) {
			same = append(same, e.name)
		}
	}
	if len(same) == 1 {
		return same[0], nil
	}
	return "", fmt.Errorf("%w: the archive does not hold %s; look at the image on the server", client.ErrInvalid, name)
}

// checkTop checks that an archive holds no more than a file and the folder that
// belongs to it, so that it replaces nothing else where it is unpacked.
func checkTop(entries []entry, main string) error {
	name := path.Base(main)
	allowed := []string{name, strings.TrimSuffix(name, path.Ext(name)), packedFolder(name)}
	for _, e := range entries {
		if top, _, _ := strings.Cut(e.name, "/"); !slices.Contains(allowed, top) {
			return fmt.Errorf("%w: the archive holds %q, which does not belong to %s; nothing of it is used", client.ErrInvalid, web.Cut(web.OneLine(e.name), 80), name)
		}
	}
	return nil
}

func (e entry) write(root *os.Root) (err error) {
	if err := root.MkdirAll(path.Dir(e.name), 0o700); err != nil {
		return err
	}
	from, err := e.file.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", errCut, err)
	}
	defer from.Close()
	to, err := root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := to.Close(); err == nil {
			err = closeErr
		}
	}()
	// One byte more than it says shows that it says too little.
	n, err := io.Copy(to, io.LimitReader(from, int64(e.file.UncompressedSize64)+1))
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &corrupt):
		return fmt.Errorf("%w: %s: %w", errCut, e.name, err)
	case err != nil:
		return err
	case n != int64(e.file.UncompressedSize64):
		return fmt.Errorf("%w: %s has another size than it says", errCut, e.name)
	}
	return nil
}
