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

// tile cuts one 256 x 256 tile out of the zoom pyramid of the image file a path
// means. level is the halving counted from the smallest image (the highest level
// is the image itself, -1 means that); the place is x and y, or index counted row
// by row when it is not negative.
func (s *Server) tile(c *call, path string, level, x, y, index int64) (image.Image, error) {
	abstract, err := abstractImageClass.get(s.store.read(c.ctx()), s.tileImage(path))
	if err != nil {
		return nil, err
	}
	if abstract == nil {
		return nil, &apiError{status: http.StatusNotFound, text: "no such image"}
	}
	w, h := abstract.int("width"), abstract.int("height")
	depth := zoomLevels(w, h)
	halvings := depth - level
	if level == -1 {
		halvings = 0
	}
	if halvings < 0 || halvings > depth {
		return nil, wrong("the level of a tile must be 0 to %d", depth)
	}
	levelW, levelH := max(w>>halvings, 1), max(h>>halvings, 1)
	columns := (levelW + tileSize - 1) / tileSize
	if index >= 0 {
		x, y = index%columns, index/columns
	}
	if x < 0 || y < 0 || x >= columns || y >= (levelH+tileSize-1)/tileSize {
		return nil, &apiError{status: http.StatusNotFound, text: "no such tile"}
	}
	img, err := s.cache.get(abstract.int("id"), s.imageFile(abstract.int("id"), abstract.text("extension")))
	if err != nil {
		return nil, err
	}
	size := image.Pt(int(min(tileSize, levelW-x*tileSize)), int(min(tileSize, levelH-y*tileSize)))
	from := image.Pt(int(x*tileSize<<halvings), int(y*tileSize<<halvings))
	return shrink(cut(img, image.Rectangle{Min: from, Max: from.Add(size.Mul(1 << halvings))}, false), size.X, size.Y), nil
}

// newerTile answers as the image server of later years does: with a tile in the
// channels of the image, in the format of the extension.
func (s *Server) newerTile(c *call) error {
	index, ok := parseLong(c.raw("index"))
	zoom, ok2 := parseLong(c.raw("zoom"))
	if !ok || !ok2 || index < 0 || zoom < 0 {
		return wrong("a tile is …/tile/zoom/LEVEL/ti/INDEX with numbers")
	}
	img, err := s.tile(c, c.raw("id")+"/"+c.raw("token"), zoom, 0, 0, index)
	if err != nil {
		return err
	}
	return c.sendImage(img, c.format)
}

// olderTile answers as the image server of the years before did: with a JPEG in
// colour, whatever the image. pathParam names the parameter with the path.
func (s *Server) olderTile(pathParam string) handler {
	return func(c *call) error {
		part, err := s.tile(c, c.param(pathParam), c.long("z", -1), c.long("x", 0), c.long("y", 0), c.long("tileIndex", -1))
		if err != nil {
			return err
		}
		colour := image.NewRGBA(part.Bounds())
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
