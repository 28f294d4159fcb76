package embedded

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
)

// The original keeps its pixels on an image server of its own, which asks nobody
// for a signature: whoever knows the path of a file may see its tiles. Here the
// path holds a token instead, so that only those who could see the image know it.

// tilePath is the path of an image file as tiles are asked for.
func (s *Server) tilePath(abstract int64) string {
	m := hmac.New(sha256.New, []byte(s.tileSecret))
	fmt.Fprintf(m, "tiles of image %d", abstract)
	return fmt.Sprintf("%d/%s", abstract, hex.EncodeToString(m.Sum(nil)[:16]))
}

// tileImage finds the image file a path means, 0 for a path nobody gave out.
func (s *Server) tileImage(path string) int64 {
	id, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	n, err := strconv.ParseInt(id, 10, 64)
	want := s.tilePath(n)
	got := strings.TrimPrefix(path, "/")
	if err != nil || len(got) < len(want) || !hmac.Equal([]byte(got[:len(want)]), []byte(want)) {
		return 0
	}
	return n
}

// tile answers with one 256 x 256 tile of the zoom pyramid as a JPEG in colour:
// z is the level (the highest is the image itself), and the place is x and y, or
// tileIndex counted row by row.
func (s *Server) tile(pathParam string) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		abstract, err := abstractImageClass.get(q, s.tileImage(c.param(pathParam)))
		if err != nil {
			return err
		}
		if abstract == nil {
			return &apiError{status: http.StatusNotFound, text: "no such image"}
		}
		w, h := abstract.int("width"), abstract.int("height")
		depth := zoomLevels(w, h)
		halvings := depth - c.long("z", depth)
		if halvings < 0 || halvings > depth {
			return wrong("z must be 0 to %d", depth)
		}
		levelW, levelH := max(w>>halvings, 1), max(h>>halvings, 1)
		x, y := c.long("x", 0), c.long("y", 0)
		columns := (levelW + tileSize - 1) / tileSize
		if i := c.long("tileIndex", -1); i >= 0 {
			x, y = i%columns, i/columns
		}
		if x < 0 || y < 0 || x >= columns || y >= (levelH+tileSize-1)/tileSize {
			return &apiError{status: http.StatusNotFound, text: "no such tile"}
		}
		img, err := s.cache.get(abstract.int("id"), s.imageFile(abstract.int("id"), abstract.text("extension")))
		if err != nil {
			return err
		}
		size := image.Pt(int(min(tileSize, levelW-x*tileSize)), int(min(tileSize, levelH-y*tileSize)))
		from := image.Pt(int(x*tileSize<<halvings), int(y*tileSize<<halvings))
		part := shrink(cut(img, image.Rectangle{Min: from, Max: from.Add(size.Mul(1 << halvings))}, false), size.X, size.Y)
		colour := image.NewRGBA(image.Rect(0, 0, size.X, size.Y))
		draw.Draw(colour, colour.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(colour, colour.Bounds(), part, part.Bounds().Min, draw.Over)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, colour, &jpeg.Options{Quality: 95}); err != nil {
			return crash("cannot encode the tile: %v", err)
		}
		c.bytes(http.StatusOK, "image/jpeg", b.Bytes())
		return nil
	}
}

// imageServers answers with where the tiles of an image are. Clients append
// &z=…&x=…&y=… themselves.
func (s *Server) imageServers(c *call) error {
	abstract, err := abstractImageClass.must(c, s.store.read(c.ctx()), c.id("id"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]any{"imageServersURLs": []string{c.serverURL() + "/image/tile?zoomify=" + s.tilePath(abstract.int("id"))}})
}

// imagingServers answers with the one image server there is.
func (s *Server) imagingServers(c *call) error {
	return slice(c, []map[string]any{{"class": "be.cytomine.middleware.ImageServer", "id": 1, "name": "embedded", "url": c.serverURL(), "available": true}})
}
