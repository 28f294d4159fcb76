package program

import (
	"flag"
	"fmt"
	"image"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// nuclei holds the parameters of the segmentation.
type nuclei struct {
	images    ids
	sigma     number
	method    choice
	threshold number
	objects   choice
	minimum   number
	border    boolean
	term      id
}

func defineNuclei(flags *flag.FlagSet) func(*job) (string, error) {
	n := &nuclei{
		sigma:     number{value: 0, min: 0, max: 20},
		method:    choice{"otsu", []string{"otsu", "triangle", "manual"}},
		threshold: number{min: 0, max: 255, integer: true},
		objects:   choice{"auto", []string{"auto", "dark", "light"}},
		minimum:   number{value: 75, min: 1, max: 1e6, integer: true},
	}
	flags.Var(&n.images, "images", "`ids` of images; none means all of the project")
	flags.Var(&n.sigma, "sigma", "smoothing, standard `deviation` in pixels")
	flags.Var(&n.method, "method", "how the threshold is found: otsu, triangle or manual")
	flags.Var(&n.threshold, "threshold", "grey `level`, 0 to 255, with the manual method")
	flags.Var(&n.objects, "objects", "dark, light, or auto: dark on bright images")
	flags.Var(&n.minimum, "min_size", "smallest object and smallest hole, in `pixels`")
	flags.Var(&n.border, "exclude_border", "leave out objects that the border cuts, true or false")
	flags.Var(&n.term, "term", "`id` of the term to give to the outlines")
	return n.work
}

func (n *nuclei) work(j *job) (string, error) {
	if n.method.value == "manual" && !n.threshold.given {
		return "", fmt.Errorf("the manual method needs --threshold")
	}
	pictures, err := j.pictures(n.images)
	if err != nil {
		return "", err
	}
	total := 0
	for i, p := range pictures {
		img, err := j.download(p)
		if err != nil {
			return "", err
		}
		shapes, level, dark := n.segment(img)
		if err := j.annotate(p, shapes, int64(n.term)); err != nil {
			return "", err
		}
		total += len(shapes)
		tone := "light"
		if dark {
			tone = "dark"
		}
		line := fmt.Sprintf("%s: threshold %d (%s), %d %s objects of at least %d px", p.Name, level, n.method.value, len(shapes), tone, n.minimum.int())
		if err := j.progress(i+1, len(pictures), line); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d objects on %d images", total, len(pictures)), nil
}

// segment gives the outlines of the objects of an image as WKT, and how they
// were told from the background.
func (n *nuclei) segment(img image.Image) (shapes []string, level int, dark bool) {
	g := raster.Smooth(raster.Grey(img), n.sigma.value)
	switch n.method.value {
	case "triangle":
		level = raster.Triangle(raster.Histogram(g))
	case "manual":
		level = n.threshold.int()
	default:
		level = raster.Otsu(raster.Histogram(g))
	}
	switch n.objects.value {
	case "auto":
		// Stained sections are dark on bright glass, fluorescence and phase
		// images light on dark.
		dark = raster.Mean(g) >= 128
	default:
		dark = n.objects.value == "dark"
	}
	labels := raster.Label(raster.Above(g, level, dark))
	keep := func(c raster.Component) bool {
		return c.Area >= n.minimum.int() && !(c.Edge && bool(n.border))
	}
	for _, p := range raster.Outlines(labels, n.minimum.value, keep) {
		shapes = append(shapes, p.WKT(labels.H))
	}
	return shapes, level, dark
}
