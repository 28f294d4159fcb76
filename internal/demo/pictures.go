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
	magnification int     // 0 where unknown
}

// pictures are the real images and the generated ones.
func pictures() ([]picture, error) {
	real := []picture{
		{name: "cell.png", resolution: 0.107},
		{name: "ihc.png"},
		{name: "retina.jpg"},
	}
	for i := range real {
		file, err := data.ReadFile("data/" + real[i].name)
		if err != nil {
			return nil, err
		}
		real[i].file = file
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
	return append(real, made...), failed
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	err := e.Encode(&b, img)
	return b.Bytes(), err
}
