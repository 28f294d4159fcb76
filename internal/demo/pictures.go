package demo

import (
	"bytes"
	"embed"
	"fmt"
	"image"
	"image/png"
	"sync"
)

//go:embed data/cell.png data/ihc.png data/retina.jpg
var data embed.FS

// picture is an image of the demo's project.
type picture struct {
	name          string
	file          []byte
	resolution    float64 // micrometres per pixel, 0 where unknown
	magnification int64   // 0 where unknown
}

// realImages are described in data/ATTRIBUTION.md.
var realImages = []picture{
	{name: "cell.png", resolution: 0.107},
	{name: "ihc.png"},
	{name: "retina.jpg"},
}

// pictures are the real images and the generated ones.
func pictures() ([]picture, error) {
	var out []picture
	for _, p := range realImages {
		var err error
		if p.file, err = data.ReadFile("data/" + p.name); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	made := make([]picture, len(fields))
	var failed error
	var once sync.Once
	var group sync.WaitGroup
	for i, f := range fields {
		group.Go(func() {
			file, err := encode(f.draw())
			if err != nil {
				once.Do(func() { failed = fmt.Errorf("cannot draw %s: %w", f.name, err) })
			}
			made[i] = picture{name: f.name, file: file, resolution: 0.5, magnification: 20}
		})
	}
	group.Wait()
	return append(out, made...), failed
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	err := e.Encode(&b, img)
	return b.Bytes(), err
}
