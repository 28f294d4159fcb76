package raster

import (
	"image"
	"math"
)

// Smooth blurs with a Gaussian of the given standard deviation in pixels; the
// border pixels go on beyond the border. A sigma of 0 or less changes nothing.
func Smooth(g *image.Gray, sigma float64) *image.Gray {
	if sigma <= 0 {
		return g
	}
	out := image.NewGray(g.Bounds())
	for i, v := range Blur(g, sigma) {
		out.Pix[i] = uint8(v + 0.5)
	}
	return out
}

// Blur is Smooth without the rounding: one value per pixel, row by row.
func Blur(g *image.Gray, sigma float64) []float32 {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	in := make([]float32, w*h)
	for i, v := range g.Pix {
		in[i] = float32(v)
	}
	if sigma <= 0 {
		return in
	}
	k := kernel(sigma)
	rows := make([]float32, w*h)
	for y := range h {
		convolve(rows[y*w:(y+1)*w], in[y*w:(y+1)*w], k)
	}
	blurColumns(in, rows, w, h, k)
	return in
}

// kernel is one half of a Gaussian with its middle at 0, cut at four standard
// deviations; the whole sums to 1.
func kernel(sigma float64) []float32 {
	r := int(math.Ceil(4 * sigma))
	k := make([]float64, r+1)
	sum := 0.0
	for i := range k {
		k[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += k[i]
		if i > 0 {
			sum += k[i]
		}
	}
	out := make([]float32, r+1)
	for i, v := range k {
		out[i] = float32(v / sum)
	}
	return out
}

func convolve(dst, src, k []float32) {
	n := len(src)
	for x := range dst {
		sum := src[x] * k[0]
		for i := 1; i < len(k); i++ {
			sum += k[i] * (src[max(x-i, 0)] + src[min(x+i, n-1)])
		}
		dst[x] = sum
	}
}

// blurColumns adds whole rows instead of walking down columns: memory is read
// in its own order.
func blurColumns(dst, src []float32, w, h int, k []float32) {
	row := func(y int) []float32 {
		y = min(max(y, 0), h-1)
		return src[y*w : (y+1)*w]
	}
	for y := range h {
		out, mid := dst[y*w:(y+1)*w], row(y)
		for x := range out {
			out[x] = mid[x] * k[0]
		}
		for i := 1; i < len(k); i++ {
			up, down, f := row(y-i), row(y+i), k[i]
			for x := range out {
				out[x] += f * (up[x] + down[x])
			}
		}
	}
}
