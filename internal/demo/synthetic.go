package demo

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// field is a generated image of nuclei that do not touch. The same field
// always gives the same pixels.
type field struct {
	name          string
	width, height int
	nuclei        int
	seed          uint64
	// fluorescent fields are grey, light on dark; the others look like a
	// section stained with haematoxylin and DAB.
	fluorescent bool
}

var fields = []field{
	{name: "field-1.png", width: 256, height: 256, nuclei: 24, seed: 1},
	{name: "field-2.png", width: 384, height: 256, nuclei: 40, seed: 2},
	{name: "field-3.png", width: 512, height: 384, nuclei: 90, seed: 3},
	{name: "field-4.png", width: 640, height: 480, nuclei: 140, seed: 4},
	{name: "field-10.png", width: 1024, height: 768, nuclei: 380, seed: 10},
	{name: "fluo-1.png", width: 400, height: 400, nuclei: 60, seed: 21, fluorescent: true},
	{name: "fluo-2.png", width: 640, height: 512, nuclei: 120, seed: 22, fluorescent: true},
}

// nucleus is an ellipse with a soft border.
type nucleus struct {
	x, y, a, b, turn float64
	density          float64
	positive         bool // holds DAB
}

// place puts the nuclei where they have room, all wholly inside.
func (f field) place(rng *rand.Rand) []nucleus {
	const gap = 5
	var out []nucleus
	for len(out) < f.nuclei {
		a := 7 + 3*rng.Float64()
		n := nucleus{a: a, b: a * (0.7 + 0.3*rng.Float64()), turn: math.Pi * rng.Float64(),
			density: 0.45 + 0.25*rng.Float64(), positive: rng.IntN(3) == 0}
		n.x = a + gap + rng.Float64()*(float64(f.width)-2*(a+gap))
		n.y = a + gap + rng.Float64()*(float64(f.height)-2*(a+gap))
		free := true
		for _, o := range out {
			if math.Hypot(n.x-o.x, n.y-o.y) < n.a+o.a+gap {
				free = false
				break
			}
		}
		if free {
			out = append(out, n)
		}
	}
	return out
}

// draw makes the image.
func (f field) draw() image.Image {
	rng := rand.New(rand.NewPCG(f.seed, 0))
	hematoxylin, dab := f.background(rng), make([]float64, f.width*f.height)
	for _, n := range f.place(rng) {
		f.stain(hematoxylin, n, n.density)
		if n.positive {
			f.stain(dab, n, 0.8*n.density)
		}
	}
	noise := func() float64 { return 0.02 * (rng.Float64() - 0.5) }
	if f.fluorescent {
		img := image.NewGray(image.Rect(0, 0, f.width, f.height))
		for i, d := range hematoxylin {
			img.Pix[i] = uint8(min(max(255*(d+noise()), 0), 255))
		}
		return img
	}
	img := image.NewNRGBA(image.Rect(0, 0, f.width, f.height))
	for i, d := range hematoxylin {
		c := raster.Dye(max(d+noise(), 0), dab[i], 245)
		img.SetNRGBA(i%f.width, i/f.width, color.NRGBA{R: c[0], G: c[1], B: c[2], A: 255})
	}
	return img
}

// background is a faint stain that varies slowly over the image.
func (f field) background(rng *rand.Rand) []float64 {
	px, py := 2*math.Pi*rng.Float64(), 2*math.Pi*rng.Float64()
	out := make([]float64, f.width*f.height)
	for y := range f.height {
		for x := range f.width {
			out[y*f.width+x] = 0.06 + 0.03*math.Sin(px+float64(x)/47)*math.Sin(py+float64(y)/61)
		}
	}
	return out
}

// stain adds a nucleus to a layer.
func (f field) stain(layer []float64, n nucleus, density float64) {
	sin, cos := math.Sincos(n.turn)
	for y := int(n.y - n.a - 2); y <= int(n.y+n.a+2); y++ {
		for x := int(n.x - n.a - 2); x <= int(n.x+n.a+2); x++ {
			dx, dy := float64(x)+0.5-n.x, float64(y)+0.5-n.y
			r := math.Hypot((dx*cos+dy*sin)/n.a, (dy*cos-dx*sin)/n.b)
			// From 1 inside to 0 outside over a fifth of the radius.
			if t := min(max((1.1-r)/0.2, 0), 1); t > 0 {
				layer[y*f.width+x] += density * t * t * (3 - 2*t)
			}
		}
	}
}
