package exact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// packTimeout is how long the server may take to pack an image of several files,
// which it does in memory before it answers.
const packTimeout = 15 * time.Minute

// DownloadImage downloads an image into a folder and gives the path of the file to
// open there, which is below dir whatever the image is called: an .mrxs or .vsi
// image comes with a folder beside it. A file that is there already was complete
// when it got its name, and is not downloaded again. progress, which may be nil, is
// told of the bytes that came; total is -1 where the server does not say.
//
// The server cannot resume, so that a download that broke off begins anew.
func (c *Client) DownloadImage(ctx context.Context, image client.ID, dir string, progress func(done, total int64)) (path string, err error) {
	i, err := c.Image(ctx, image)
	if err != nil {
		return "", fmt.Errorf("image %d: %w", image, err)
	}
	name := localName(i.Filename)
	if i.Filename == "" {
		name = localName(i.Name)
	}
	if found, ok := c.downloaded(dir, name); ok {
		return found, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the folder for image %d: %w", image, err)
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	err = c.again(ctx, func() error {
		path, err = c.downloadOnce(ctx, i, name, dir, progress)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("cannot download image %d (%s): %w", image, web.OneLine(i.Name), err)
	}
	return path, nil
}

// downloaded finds an image that was downloaded before.
func (c *Client) downloaded(dir, name string) (path string, ok bool) {
	inside := packedFolder(name)
	for _, path := range []string{filepath.Join(dir, name), filepath.Join(dir, inside, name)} {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

// isPacked tells whether the server packs an image of this name with its folder.
func isPacked(name string) bool {
	suffix := strings.ToLower(filepath.Ext(name))
	return suffix == ".mrxs" || suffix == ".vsi"
}

// packedFolder is where Olympus keeps the pieces of a .vsi file; the server puts
// the file itself in there too.
func packedFolder(name string) string {
	return "_" + strings.TrimSuffix(name, filepath.Ext(name)) + "_"
}

func (c *Client) downloadOnce(ctx context.Context, i Image, name, dir string, progress func(done, total int64)) (path string, err error) {
	r := call{method: http.MethodGet, path: one(downloadPath, i.ID), any: true}
	if isPacked(name) {
		r.patience = packTimeout
	}
	header, body, err := c.open(ctx, r)
	if err != nil {
		return "", err
	}
	defer body.Close()
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err == nil && (kind == "text/html" || kind == "application/json") {
		return "", fmt.Errorf("%w: the server sent %s instead of an image", client.ErrInvalid, kind)
	}
	total := int64(-1)
	if n, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		total = n
	}
	sent := sentName(header.Get("Content-Disposition"))
	packed := isPacked(name)
	if inner, ok := strings.CutSuffix(strings.ToLower(sent), ".zip"); ok && isPacked(inner) {
		packed = true
		name = localName(sent[:len(sent)-len(".zip")])
	} else if !packed && sent != "" {
		name = localName(sent)
	}
	part, err := os.CreateTemp(dir, ".download-*")
	if err != nil {
		return "", fmt.Errorf("cannot write into the folder for it: %w", err)
	}
	defer func() {
		part.Close()
		os.Remove(part.Name())
	}()
	size, err := io.Copy(&counted{to: part, total: total, progress: progress}, body)
	if err != nil {
		return "", err
	}
	if total >= 0 && size != total {
		return "", fmt.Errorf("%w: %d of %d bytes came; try again", client.ErrUnreachable, size, total)
	}
	if size == 0 {
		return "", fmt.Errorf("%w: an empty file came; look at the image on the server", client.ErrInvalid)
	}
	if err := part.Sync(); err != nil {
		return "", err
	}
	if packed {
		path, err = unpack(part, size, name, dir)
		if errors.Is(err, errCut) {
			err = fmt.Errorf("%w: %w; try again", client.ErrUnreachable, err)
		}
		return path, err
	}
	path = filepath.Join(dir, name)
	return path, os.Rename(part.Name(), path)
}

// counted tells how many bytes were written.
type counted struct {
	to          io.Writer
	done, total int64
	progress    func(done, total int64)
}

func (w *counted) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.done += int64(n)
	w.progress(w.done, w.total)
	return n, err
}

// sentName is the file name in a Content-Disposition. The server does not quote it,
// whatever is in it (contract §5.2), so that everything up to the end is the name.
func sentName(disposition string) string {
	_, name, ok := strings.Cut(disposition, "filename=")
	if !ok {
		return ""
	}
	name = strings.TrimSpace(name)
	if inner, ok := strings.CutPrefix(name, `"`); ok {
		name, _, _ = strings.Cut(inner, `"`)
	}
	return name
}

// maxLocalName bounds a file name, in bytes; a suffix is kept.
const maxLocalName = 200

// localName makes a name that somebody gave an image into one of a file in one
// folder: what follows the last separator of any system, without control
// characters, no hidden file, nothing that looks like an option.
func localName(s string) string {
	if at := strings.LastIndexAny(s, `/\`); at >= 0 {
		s = s[at+1:]
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "-") {
		s = "image" + s
	}
	if s == "" || strings.Trim(s, ".") == "image" && s != "image" {
		s = "image"
	}
	if len(s) > maxLocalName {
		suffix := filepath.Ext(s)
		if len(suffix) > 20 {
			suffix = ""
		}
		s = strings.ToValidUTF8(s[:maxLocalName-len(suffix)], "") + suffix
	}
	return s
}
