package embedded

import (
	"bytes"
	"image"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/peterstace/simplefeatures/geom"
)

// largestWindow bounds what one request may cut out, as in the original.
const largestWindow = 5000 * 5000

// paint is what becomes of a window: the pixels, the pixels cut out along the
// shapes, or the shapes white on black.
type paint int

const (
	paintPixels paint = iota
	paintAlpha
	paintMask
)

// picture is one request for pixels.
type picture struct {
	window image.Rectangle // in the image, top left origin
	size   int             // longest side at most, 0 for any
	zoom   int             // halvings
	paint  paint
	shapes []geom.Geometry
}

// render answers with a picture of the image file.
func (s *Server) render(c *call, abstract record, p picture) error {
	if p.paint != paintMask {
		return s.renderPixels(c, abstract, p)
	}
	full := image.Rect(0, 0, int(abstract.int("width")), int(abstract.int("height")))
	v := p.view(p.window.Intersect(full), full.Dy())
	return c.sendImage(v.mask(p.shapes...), c.format)
}

func (s *Server) renderPixels(c *call, abstract record, p picture) error {
	img, err := s.cache.get(abstract.int("id"), s.imageFile(abstract.int("id"), abstract.text("extension")))
	if err != nil {
		return err
	}
	window := p.window.Intersect(img.Bounds())
	v := p.view(window, img.Bounds().Dy())
	bits := c.param("bits")
	out := shrink(cut(img, window, bits == "max" || bits == "16" || bits == "32"), v.w, v.h)
	out = adjust(c, out)
	format := c.format
	if p.paint == paintAlpha {
		out = cutOut(out, v.mask(p.shapes...))
		if format == "jpg" || format == "jpeg" {
			format = "png"
		}
	}
	return c.sendImage(out, format)
}

// view computes the scale of the answer. Nothing is ever enlarged.
func (p picture) view(window image.Rectangle, imageHeight int) view {
	w, h := max(window.Dx(), 1), max(window.Dy(), 1)
	scale := math.Pow(0.5, float64(min(max(p.zoom, 0), 30)))
	if longest := float64(max(w, h)) * scale; p.size > 0 && longest > float64(p.size) {
		scale *= float64(p.size) / longest
	}
	v := view{left: float64(window.Min.X), top: float64(window.Min.Y), height: float64(imageHeight)}
	v.w, v.h = max(int(math.Round(float64(w)*scale)), 1), max(int(math.Round(float64(h)*scale)), 1)
	v.scaleX, v.scaleY = float64(v.w)/float64(w), float64(v.h)/float64(h)
	return v
}

// adjust applies the contrast, gamma and inverse of the request to 8 bit pixels.
func adjust(c *call, img image.Image) image.Image {
	contrast, _ := strconv.ParseFloat(c.param("contrast"), 64)
	gamma, _ := strconv.ParseFloat(c.param("gamma"), 64)
	inverse := c.flag("inverse", false)
	if !(contrast > 0 && contrast != 1) && !(gamma > 0 && gamma != 1) && !inverse {
		return img
	}
	var lut [256]byte
	for i := range lut {
		f := float64(i) / 255
		if gamma > 0 {
			f = math.Pow(f, 1/gamma)
		}
		if contrast > 0 {
			f *= contrast
		}
		if inverse {
			f = 1 - f
		}
		lut[i] = byte(math.Round(255 * math.Min(math.Max(f, 0), 1)))
	}
	switch img := img.(type) {
	case *image.Gray:
		for i, p := range img.Pix {
			img.Pix[i] = lut[p]
		}
	case *image.NRGBA:
		for i := range img.Pix {
			if i%4 != 3 {
				img.Pix[i] = lut[img.Pix[i]]
			}
		}
	}
	return img
}

// sendImage answers with an encoded image.
func (c *call) sendImage(img image.Image, format string) error {
	var b bytes.Buffer
	mediaType, err := encode(&b, img, format)
	if err != nil {
		return crash("cannot encode the image: %v", err)
	}
	c.bytes(http.StatusOK, mediaType, b.Bytes())
	return nil
}

func (c *call) zoomParam() int { return int(min(max(c.long("zoom", 0), 0), 30)) }
func (c *call) sizeParam(def int64) int {
	return int(min(max(c.long("maxSize", def), 0), 1<<20))
}

// thumb answers with the whole image, 512 pixels (or another number) at most.
func (s *Server) thumb(kind string, size int64) handler {
	return func(c *call) error {
		abstract, err := s.baseOf(c, s.store.read(c.ctx()), kind)
		if err != nil {
			return err
		}
		whole := image.Rect(0, 0, int(abstract.int("width")), int(abstract.int("height")))
		return s.render(c, abstract, picture{window: whole, size: c.sizeParam(size)})
	}
}

// windowOf reads window-x-y-w-h, origin top left.
func windowOf(segment string) (image.Rectangle, error) {
	name, rest, _ := strings.Cut(segment, "-")
	var n [4]int
	// A negative corner has a second dash: window--5--5-10-10.
	parts := strings.Split(strings.ReplaceAll("-"+rest, "--", "-~"), "-")[1:]
	ok := (name == "window" || name == "window_url" || name == "camera") && len(parts) == 4
	for i := 0; ok && i < 4; i++ {
		f, err := strconv.ParseFloat(strings.Replace(parts[i], "~", "-", 1), 64)
		ok = err == nil && math.Abs(f) < 1<<30
		if ok {
			n[i] = int(f)
		}
	}
	if !ok || n[2] <= 0 || n[3] <= 0 {
		return image.Rectangle{}, wrong("a window is window-x-y-w-h with numbers, w and h above 0: %s", segment)
	}
	if n[2]*n[3] > largestWindow {
		return image.Rectangle{}, failure(http.StatusRequestEntityTooLarge, "the window of %d x %d pixels is larger than 5000 x 5000", n[2], n[3])
	}
	x, y := max(n[0], 0), max(n[1], 0)
	return image.Rect(x, y, x+n[2], y+n[3]), nil
}

// window answers with a rectangle of an image, or with the annotations in it.
func (s *Server) window(kind string) handler {
	return func(c *call) error {
		window, err := windowOf(c.raw("window"))
		if err != nil {
			return err
		}
		q := s.store.read(c.ctx())
		abstract, err := s.baseOf(c, q, kind)
		if err != nil {
			return err
		}
		p := picture{window: window, size: c.sizeParam(0), zoom: c.zoomParam()}
		if strings.HasPrefix(c.raw("window"), "window_url") {
			u := c.serverURL() + strings.Replace(c.r.URL.Path, "window_url", "window", 1) + "." + c.format
			return c.json(http.StatusOK, map[string]any{"url": u})
		}
		switch {
		case c.flag("mask", false):
			p.paint = paintMask
		case c.flag("alphaMask", false):
			p.paint = paintAlpha
		}
		if p.paint != paintPixels && kind != "abstractimage" {
			if p.shapes, err = s.shapesIn(c, q, kind, window, abstract); err != nil {
				return err
			}
		}
		return s.render(c, abstract, p)
	}
}

// shapesIn finds the annotations a mask shows: those named, or those in the
// window with one of the terms (any, when none is named) by one of the users
// (any person, when none is named).
func (s *Server) shapesIn(c *call, q querier, kind string, window image.Rectangle, abstract record) ([]geom.Geometry, error) {
	image, err := imageClass.first(q, map[string]string{"imageinstance": "t.id=?", "sliceinstance": "t.slice=?"}[kind], c.id("id"))
	if err != nil {
		return nil, err
	}
	f := &listing{}
	f.and("a.image=?", image["id"])
	switch named := c.longs("annotations"); {
	case len(named) > 0:
		f.in("a.id", named)
	default:
		h := float64(abstract.int("height"))
		f.and("a.minx<=? AND a.maxx>=? AND a.miny<=? AND a.maxy>=?", window.Max.X, window.Min.X, h-float64(window.Min.Y), h-float64(window.Max.Y))
		if c.flag("reviewed", false) {
			f.and("a.kind=2")
		} else {
			f.and("a.kind<>2")
		}
		if users := c.longs("users"); len(users) > 0 {
			f.in("a.user", users)
		} else {
			f.and("a.kind<>1")
		}
		terms := ""
		if t := c.longs("terms"); len(t) > 0 {
			terms = " AND x.term IN (" + joinIDs(t) + ")"
		}
		f.and("EXISTS (SELECT 1 FROM annotation_term x WHERE x.annotation=a.id" + terms + ")")
	}
	rows, err := q.query("SELECT a.location FROM annotation a WHERE "+f.sql(), f.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []geom.Geometry
	for rows.Next() {
		var wkt string
		if err := rows.Scan(&wkt); err != nil {
			return nil, err
		}
		g, err := geom.UnmarshalWKT(wkt, geom.NoValidate{})
		if err != nil {
			return nil, crash("the stored location cannot be read: %v", err)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// crop answers with the rectangle around an annotation.
func (s *Server) crop(p paint, size int64) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		a, err := s.annotation(c, q, c.id("id"))
		if err != nil {
			return err
		}
		g, err := geom.UnmarshalWKT(a.location, geom.NoValidate{})
		if err != nil {
			return crash("the stored location cannot be read: %v", err)
		}
		abstract, err := abstractImageClass.first(q, "t.id=(SELECT base_image FROM image_instance WHERE id=?)", a.image)
		if err != nil {
			return err
		}
		kind := p
		switch {
		case c.flag("mask", false):
			kind = paintMask
		case c.flag("alphaMask", false):
			kind = paintAlpha
		}
		return s.render(c, abstract, picture{
			window: frame(c, a.m, int(abstract.int("width")), int(abstract.int("height"))),
			size:   c.sizeParam(size), zoom: c.zoomParam(), paint: kind, shapes: []geom.Geometry{g},
		})
	}
}

// frame is the rectangle around a shape, top left origin: 100 x 100 around a
// point, enlarged by increaseArea, made a square if asked for.
func frame(c *call, m measure, width, height int) image.Rectangle {
	w, h := math.Round(m.maxX-m.minX), math.Round(m.maxY-m.minY)
	left, top := math.Round(m.minX), float64(height)-math.Round(m.maxY)
	if m.maxX == m.minX && m.maxY == m.minY {
		w, h = 100, 100
		left, top = math.Round(m.minX-50), float64(height)-math.Round(m.maxY+50)
	}
	if f, err := strconv.ParseFloat(c.param("increaseArea"), 64); err == nil && f > 0 && f != 1 && f < 1000 {
		left, top = left-w*(f-1)/2, top-h*(f-1)/2
		w, h = w*f, h*f
	}
	if c.flag("square", false) {
		if w < h {
			left, w = left-(h-w)/2, h
		} else {
			top, h = top-(w-h)/2, w
		}
	}
	r := image.Rect(int(math.Round(left)), int(math.Round(top)), int(math.Round(left+math.Max(w, 1))), int(math.Round(top+math.Max(h, 1))))
	whole := image.Rect(0, 0, width, height)
	if in := r.Intersect(whole); !in.Empty() {
		return in
	}
	// On the very edge the rectangle can be empty: take the pixel beside it.
	x, y := min(max(r.Min.X, 0), width-1), min(max(r.Min.Y, 0), height-1)
	return image.Rect(x, y, x+1, y+1)
}
