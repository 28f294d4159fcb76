package raster

import "image"

// Histogram counts the pixels of each grey level.
func Histogram(g *image.Gray) [256]int {
	var h [256]int
	for _, v := range g.Pix {
		h[v]++
	}
	return h
}

// Otsu is the level that parts the histogram into two classes with the largest
// variance between them (Otsu, 1979). Pixels above the level are the bright
// class.
func Otsu(h [256]int) int {
	n, sum := 0.0, 0.0
	for level, count := range h {
		n += float64(count)
		sum += float64(level) * float64(count)
	}
	best, at := -1.0, 0
	below, sumBelow := 0.0, 0.0
	for level := range 255 {
		below += float64(h[level])
		sumBelow += float64(level) * float64(h[level])
		above := n - below
		if below == 0 || above == 0 {
			continue
		}
		d := sumBelow/below - (sum-sumBelow)/above
		if v := below * above * d * d; v > best {
			best, at = v, level
		}
	}
	return at
}

// Triangle is the level farthest from the line between the peak of the
// histogram and the far end of its longer tail (Zack, 1977). It suits images
// where the objects are too few to make a peak of their own.
func Triangle(h [256]int) int {
	lo, hi, peak := -1, 0, 0
	for level, count := range h {
		if count == 0 {
			continue
		}
		if lo < 0 {
			lo = level
		}
		hi = level
		if count > h[peak] {
			peak = level
		}
	}
	if lo < 0 || lo == hi {
		return max(lo, 0)
	}
	end, step := hi, 1
	if peak-lo > hi-peak {
		end, step = lo, -1
	}
	// Distance to the line is proportional to the cross product.
	dx, dy := float64(end-peak), float64(h[end]-h[peak])
	best, at := -1.0, peak
	for level := peak; level != end; level += step {
		cross := dy*float64(level-peak) - dx*float64(h[level]-h[peak])
		if step < 0 {
			cross = -cross
		}
		if cross > best {
			best, at = cross, level
		}
	}
	if step < 0 {
		// The objects are the dark tail: they end below the level found.
		return max(at-1, 0)
	}
	return at
}

// Above marks the pixels brighter than level; with dark it marks the others.
func Above(g *image.Gray, level int, dark bool) *Mask {
	m := NewMask(g.Rect.Dx(), g.Rect.Dy())
	for i, v := range g.Pix {
		m.In[i] = (int(v) > level) != dark
	}
	return m
}
