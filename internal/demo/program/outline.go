package program

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// outline is a program that knows no server: it reads one image file and leaves
// the outlines of cells as GeoJSON in a folder. What brings them to a server is
// not its business.
type outline struct {
	image, output, kind string
	sigma, minimum      number
	objects             choice
	pause               number
}

func (o *outline) define(flags *flag.FlagSet) {
	o.sigma = number{value: 1, min: 0, max: 20}
	o.minimum = number{value: 75, min: 1, max: 1e6, integer: true}
	o.objects = choice{"auto", []string{"auto", "dark", "light"}}
	o.pause = number{min: 0, max: 3600}
	flags.StringVar(&o.image, "exact_image", "", "`path` of the image")
	flags.StringVar(&o.output, "exact_output", "", "`folder` for the outlines")
	flags.StringVar(&o.kind, "type", "Region", "annotation `type` of the outlines")
	flags.Var(&o.sigma, "sigma", "smoothing, standard `deviation` in pixels")
	flags.Var(&o.minimum, "min_size", "smallest object and smallest hole, in `pixels`")
	flags.Var(&o.objects, "objects", "dark, light, or auto: dark on bright images")
	flags.Var(&o.pause, "pause", "take so many `seconds` longer")
}

// outlines runs the program and returns its exit status.
func outlines(args []string, stdout, stderr io.Writer) int {
	var o outline
	flags := flag.NewFlagSet("outline", flag.ContinueOnError)
	flags.SetOutput(stderr)
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		return 2 // flag has said why
	}
	if err := o.work(stdout); err != nil {
		fmt.Fprintln(stderr, "ERROR:", err)
		return 1
	}
	return 0
}

func (o *outline) work(out io.Writer) error {
	if o.image == "" || o.output == "" {
		return errors.New("need --exact_image and --exact_output")
	}
	fmt.Fprintf(out, "reading %s\n", filepath.Base(o.image))
	f, err := os.Open(o.image)
	if err != nil {
		return err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", filepath.Base(o.image), err)
	}
	const steps = 20
	b := newBar(out, "outlining", steps)
	for range steps {
		time.Sleep(time.Duration(o.pause.value / steps * float64(time.Second)))
		b.step()
	}
	b.end()
	shapes := o.find(img)
	if err := o.write(shapes); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d objects of at least %d px\n", len(shapes), o.minimum.int())
	return nil
}

func (o *outline) find(img image.Image) []raster.Polygon {
	g := raster.Smooth(raster.Grey(img), o.sigma.value)
	dark := o.objects.value == "dark"
	if o.objects.value == "auto" {
		dark = raster.Mean(g) >= 128
	}
	labels := raster.Label(raster.Above(g, raster.Otsu(raster.Histogram(g)), dark))
	return raster.Outlines(labels, o.minimum.value, func(c raster.Component) bool { return c.Area >= o.minimum.int() })
}

// write makes one GeoJSON file, as QuPath would.
func (o *outline) write(shapes []raster.Polygon) (err error) {
	type object = map[string]any
	f, err := os.Create(filepath.Join(o.output, "outlines.geojson"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	fmt.Fprint(w, `{"type":"FeatureCollection","features":[`)
	largest := 1.0
	for _, p := range shapes {
		largest = max(largest, p.Rings[0].Area())
	}
	for i, p := range shapes {
		var rings [][][2]float64
		for _, r := range p.Rings {
			var ring [][2]float64
			for _, at := range r {
				ring = append(ring, [2]float64{float64(at[0]) / 2, float64(at[1]) / 2})
			}
			rings = append(rings, append(ring, ring[0]))
		}
		area := p.Rings[0].Area()
		data, err := json.Marshal(object{
			"type": "Feature", "id": fmt.Sprintf("cell-%d", i+1), "geometry": object{"type": "Polygon", "coordinates": rings},
			"properties": object{"objectType": "annotation", "classification": object{"name": o.kind}, "score": area / largest, "measurements": object{"Area px^2": area}},
		})
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprint(w, ",\n")
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, "]}")
	return w.Flush()
}
