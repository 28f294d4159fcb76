// Package raster is the image analysis of the demo's programs: grey levels,
// smoothing, thresholds, connected components, their outlines, and the
// separation of stains.
//
// It is pure: images and numbers in, images and numbers out. Pixels have the
// usual origin in the top left corner; a pixel (x, y) covers the square from
// (x, y) to (x+1, y+1). Only Polygon.WKT turns the y axis over, because the
// server counts it from the bottom.
package raster

import (
	"image"
	"image/draw"
)

// RGBA is img with its origin at (0, 0) and four bytes per pixel. It returns
// img itself where it already is that.
func RGBA(img image.Image) *image.RGBA {
	b := img.Bounds()
	if rgba, ok := img.(*image.RGBA); ok && b.Min == (image.Point{}) && rgba.Stride == 4*b.Dx() {
		return rgba
	}
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), img, b.Min, draw.Src)
	return out
}

// Grey is the brightness of img, 0 to 255, by the luma weights of ITU-R BT.601
// rounded to the nearest level.
func Grey(img image.Image) *image.Gray {
	b := img.Bounds()
	if g, ok := img.(*image.Gray); ok && b.Min == (image.Point{}) && g.Stride == b.Dx() {
		return g
	}
	rgba := RGBA(img)
	out := image.NewGray(rgba.Bounds())
	for i := range out.Pix {
		p := rgba.Pix[4*i : 4*i+3 : 4*i+3]
		out.Pix[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
	return out
}

// Mean is the mean grey level of an image that Grey made, 0 where it is empty.
func Mean(g *image.Gray) float64 {
	if len(g.Pix) == 0 {
		return 0
	}
	sum := 0
	for _, v := range g.Pix {
		sum += int(v)
	}
	return float64(sum) / float64(len(g.Pix))
}
