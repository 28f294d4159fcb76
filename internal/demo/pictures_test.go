package demo

import (
	"bytes"
	"image"
	_ "image/jpeg"
	"testing"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

func TestPicturesAreTheSameEveryTime(t *testing.T) {
	first, err := pictures()
	if err != nil {
		t.Fatal(err)
	}
	again, err := pictures()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range first {
		if !bytes.Equal(p.file, again[i].file) {
			t.Errorf("%s differs", p.name)
		}
		img, _, err := image.Decode(bytes.NewReader(p.file))
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		t.Logf("%s %v %d bytes", p.name, img.Bounds().Size(), len(p.file))
	}
}

func TestSegmentationFindsEveryGeneratedNucleus(t *testing.T) {
	for _, f := range fields {
		g := raster.Grey(f.draw())
		mask := raster.Above(g, raster.Otsu(raster.Histogram(g)), !f.fluorescent)
		n := 0
		for _, c := range raster.Label(mask).Components {
			if c.Area >= 75 {
				n++
			}
		}
		if n != f.nuclei {
			t.Errorf("%s: %d nuclei found, %d drawn", f.name, n, f.nuclei)
		}
	}
}
