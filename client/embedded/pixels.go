package embedded

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // a format images may have
	"image/jpeg"
	"image/png"
	"io"
	"os"

	_ "golang.org/x/image/tiff" // another
)

// imageInfo is what the head of an image file tells.
type imageInfo struct {
	width, height, channels, bits int64
	colorspace, mime, extension   string
}

// inspect reads the head of an image file. A TIFF of a kind that cannot be decoded
// (floating point, many channels) is measured all the same: apps download it.
func inspect(file string) (imageInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return imageInfo{}, fmt.Errorf("cannot read image: %w", err)
	}
	defer f.Close()
	cfg, format, err := image.DecodeConfig(f)
	if err != nil {
		if info, terr := inspectTIFF(f); terr == nil {
			return info, nil
		}
		return imageInfo{}, wrong("cannot read the image, only PNG, JPEG, GIF and TIFF are known: %v", err)
	}
	info := imageInfo{width: int64(cfg.Width), height: int64(cfg.Height), channels: 3, bits: 8,
		colorspace: "RGB", mime: "image/" + format, extension: format}
	switch format {
	case "jpeg":
		info.extension = "jpg"
	case "tiff":
		info.extension = "tif"
	}
	switch cfg.ColorModel {
	case color.GrayModel:
		info.channels, info.colorspace = 1, "grayscale"
	case color.Gray16Model:
		info.channels, info.bits, info.colorspace = 1, 16, "grayscale"
	case color.RGBA64Model, color.NRGBA64Model:
		info.bits = 16
	}
	return info, nil
}

// inspectTIFF reads the first directory of a classic TIFF.
func inspectTIFF(r io.ReadSeeker) (imageInfo, error) {
	info := imageInfo{channels: 1, bits: 8, colorspace: "grayscale", mime: "image/tiff", extension: "tif"}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return info, err
	}
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return info, err
	}
	var order binary.ByteOrder
	switch string(head[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return info, fmt.Errorf("no TIFF")
	}
	if _, err := r.Seek(int64(order.Uint32(head[4:])), io.SeekStart); err != nil {
		return info, err
	}
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return info, err
	}
	for range order.Uint16(n[:]) {
		var e [12]byte
		if _, err := io.ReadFull(r, e[:]); err != nil {
			return info, err
		}
		value := int64(order.Uint32(e[8:]))
		if order.Uint16(e[2:]) == 3 { // SHORT
			value = int64(order.Uint16(e[8:]))
		}
		switch order.Uint16(e[0:]) {
		case 256:
			info.width = value
		case 257:
			info.height = value
		case 258:
			if order.Uint32(e[4:]) == 1 {
				info.bits = value
			}
		case 262:
			if value == 2 {
				info.colorspace = "RGB"
			}
		case 277:
			info.channels = value
		}
	}
	if info.width <= 0 || info.height <= 0 {
		return info, fmt.Errorf("a TIFF without a size")
	}
	return info, nil
}

// cut returns a part of an image as a new Gray or NRGBA, 8 bits a channel unless
// deep. What lies outside the image is left out.
func cut(img image.Image, r image.Rectangle, deep bool) image.Image {
	r = r.Intersect(img.Bounds())
	size := image.Rect(0, 0, max(r.Dx(), 1), max(r.Dy(), 1))
	switch img := img.(type) {
	case *image.Gray:
		out := image.NewGray(size)
		for y := range r.Dy() {
			copy(out.Pix[y*out.Stride:], img.Pix[img.PixOffset(r.Min.X, r.Min.Y+y):][:r.Dx()])
		}
		return out
	case *image.NRGBA:
		out := image.NewNRGBA(size)
		for y := range r.Dy() {
			copy(out.Pix[y*out.Stride:], img.Pix[img.PixOffset(r.Min.X, r.Min.Y+y):][:4*r.Dx()])
		}
		return out
	}
	var out draw.Image = image.NewGray(size)
	if deep {
		out = image.NewGray16(size)
	}
	draw.Draw(out, size, img, r.Min, draw.Src)
	return out
}

// shrink scales an image down to at most w by h by averaging the pixels each new
// one covers. It never enlarges.
func shrink(img image.Image, w, h int) image.Image {
	b := img.Bounds()
	w, h = max(w, 1), max(h, 1)
	if w >= b.Dx() && h >= b.Dy() {
		return img
	}
	size := image.Rect(0, 0, w, h)
	switch img := img.(type) {
	case *image.Gray:
		out := image.NewGray(size)
		average(out.Pix, out.Stride, img.Pix, img.Stride, b, w, h, 1)
		return out
	case *image.NRGBA:
		out := image.NewNRGBA(size)
		average(out.Pix, out.Stride, img.Pix, img.Stride, b, w, h, 4)
		return out
	case *image.Gray16:
		out := image.NewGray16(size)
		for y := range h {
			for x := range w {
				out.SetGray16(x, y, img.Gray16At(b.Min.X+x*b.Dx()/w, b.Min.Y+y*b.Dy()/h))
			}
		}
		return out
	}
	return img
}

func average(dst []byte, dstStride int, src []byte, srcStride int, b image.Rectangle, w, h, channels int) {
	for y := range h {
		y0 := y * b.Dy() / h
		y1 := max((y+1)*b.Dy()/h, y0+1)
		for x := range w {
			x0 := x * b.Dx() / w
			x1 := max((x+1)*b.Dx()/w, x0+1)
			n := (y1 - y0) * (x1 - x0)
			for ch := range channels {
				sum := 0
				for sy := y0; sy < y1; sy++ {
					row := src[sy*srcStride:]
					for sx := x0; sx < x1; sx++ {
						sum += int(row[sx*channels+ch])
					}
				}
				dst[y*dstStride+x*channels+ch] = byte((sum + n/2) / n)
			}
		}
	}
}

// encode writes an image in the format of the request's extension and returns
// the media type.
func encode(w io.Writer, img image.Image, format string) (string, error) {
	switch format {
	case "jpg", "jpeg":
		return "image/jpeg", jpeg.Encode(w, opaque(img), &jpeg.Options{Quality: 95})
	case "tif", "tiff":
		return "image/tiff", encodeTIFF(w, img)
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	return "image/png", enc.Encode(w, img)
}

// opaque puts a transparent image on white, for formats without transparency.
func opaque(img image.Image) image.Image {
	n, ok := img.(*image.NRGBA)
	if !ok {
		return img
	}
	if n.Opaque() { // the same bytes; encoders are quick with this type
		return &image.RGBA{Pix: n.Pix, Stride: n.Stride, Rect: n.Rect}
	}
	out := image.NewRGBA(n.Bounds())
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), n, n.Bounds().Min, draw.Over)
	return out
}
