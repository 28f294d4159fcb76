package raster

import (
	"fmt"
	"image"
	"math"
)

// Stain names a dye of an immunohistochemical section.
type Stain int

// The stains of a haematoxylin and DAB section, and what is left over.
const (
	Hematoxylin Stain = iota
	DAB
	Residual
)

var stainNames = [...]string{"hematoxylin", "DAB", "residual"}

// StainNames are the names that ParseStain knows.
func StainNames() []string { return stainNames[:] }

// ParseStain finds a stain by its name.
func ParseStain(name string) (Stain, error) {
	for i, n := range stainNames {
		if n == name {
			return Stain(i), nil
		}
	}
	return 0, fmt.Errorf("unknown stain %q: one of %v", name, stainNames)
}

// String is the stain's name.
func (s Stain) String() string { return stainNames[s] }

// vectors are the optical densities of the two dyes in red, green and blue, as
// Ruifrok and Johnston measured them (Anal Quant Cytol Histol 23, 2001); the
// third is perpendicular to both.
var vectors = func() [3][3]float64 {
	h, d := unit([3]float64{0.65, 0.70, 0.29}), unit([3]float64{0.27, 0.57, 0.78})
	r := [3]float64{h[1]*d[2] - h[2]*d[1], h[2]*d[0] - h[0]*d[2], h[0]*d[1] - h[1]*d[0]}
	return [3][3]float64{h, d, unit(r)}
}()

func unit(v [3]float64) [3]float64 {
	n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	return [3]float64{v[0] / n, v[1] / n, v[2] / n}
}

// Density is how much of one stain each pixel of img holds, in optical density
// (decimal logarithm), row by row. white is the grey level of light that passed
// nothing, 1 to 255.
func Density(img *image.RGBA, s Stain, white float64) []float32 {
	row := inverse(vectors, int(s))
	var table [3][256]float32
	for c := range table {
		for v := range table[c] {
			// A black pixel has no finite density: it counts as half a level.
			od := -math.Log10(math.Max(float64(v), 0.5) / white)
			table[c][v] = float32(math.Max(od, 0) * row[c])
		}
	}
	out := make([]float32, len(img.Pix)/4)
	for i := range out {
		p := img.Pix[4*i : 4*i+3 : 4*i+3]
		out[i] = table[0][p[0]] + table[1][p[1]] + table[2][p[2]]
	}
	return out
}

// inverse gives column col of the inverse of a matrix whose rows are m.
func inverse(m [3][3]float64, col int) [3]float64 {
	a, b := m[(col+1)%3], m[(col+2)%3]
	cross := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
	det := m[col][0]*cross[0] + m[col][1]*cross[1] + m[col][2]*cross[2]
	return [3]float64{cross[0] / det, cross[1] / det, cross[2] / det}
}

// Dye is the colour of white light of the given level behind the given
// densities of haematoxylin and DAB: what Density undoes.
func Dye(hematoxylin, dab, white float64) [3]uint8 {
	var out [3]uint8
	for c := range out {
		od := hematoxylin*vectors[Hematoxylin][c] + dab*vectors[DAB][c]
		out[c] = uint8(white*math.Pow(10, -od) + 0.5)
	}
	return out
}
