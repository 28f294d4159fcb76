package program

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"image"
	"strconv"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// stain holds the parameters of the measurement.
type stain struct {
	images   ids
	stain    choice
	positive number
	white    number
	tile     number
	added    day
	mark     boolean
	term     id
}

func defineStain(flags *flag.FlagSet) func(*job) (string, error) {
	s := &stain{
		stain:    choice{raster.DAB.String(), raster.StainNames()},
		positive: number{value: 0.15, min: 0, max: 3},
		white:    number{value: 245, min: 128, max: 255, integer: true},
		tile:     number{value: 64, min: 8, max: 4096, integer: true},
		mark:     true,
	}
	flags.Var(&s.images, "images", "`ids` of images; none means all of the project")
	flags.Var(&s.stain, "stain", "which stain: hematoxylin, DAB or residual")
	flags.Var(&s.positive, "positive_od", "optical `density` above which a pixel counts as positive")
	flags.Var(&s.white, "white", "grey `level` of empty glass")
	flags.Var(&s.tile, "tile", "side of a tile in `pixels`")
	flags.Var(&s.added, "added_after", "measure only images added on this `day` or later")
	flags.Var(&s.mark, "mark_positive", "draw the tiles that are mostly positive, true or false")
	flags.Var(&s.term, "term", "`id` of the term to give to the tiles")
	return s.work
}

func (s *stain) work(j *job) (string, error) {
	which, err := raster.ParseStain(s.stain.value)
	if err != nil {
		return "", err
	}
	pictures, err := s.pictures(j)
	if err != nil {
		return "", err
	}
	var table bytes.Buffer
	rows := csv.NewWriter(&table)
	_ = rows.Write([]string{"image", "name", "x", "y", "width", "height", "mean_od", "positive_fraction"})
	marked, sum, pixels := 0, 0.0, 0
	for i, p := range pictures {
		img, err := j.download(p)
		if err != nil {
			return "", err
		}
		rgba := raster.RGBA(img)
		density := raster.Density(rgba, which, s.white.value)
		whole := s.measure(density, rgba.Bounds(), rgba.Bounds())
		_ = rows.Write(whole.row(p))
		var shapes []string
		for _, t := range tiles(rgba.Bounds(), s.tile.int()) {
			m := s.measure(density, rgba.Bounds(), t)
			_ = rows.Write(m.row(p))
			if m.positive >= 0.5 {
				shapes = append(shapes, rectangle(t, rgba.Bounds().Dy()))
			}
		}
		if s.mark {
			if err := j.annotate(p, shapes, int64(s.term)); err != nil {
				return "", err
			}
			marked += len(shapes)
		}
		if err := j.setProperty(p, "mean optical density, "+s.stain.value, decimal(whole.mean)); err != nil {
			return "", err
		}
		sum += whole.mean * float64(len(density))
		pixels += len(density)
		line := fmt.Sprintf("%s: mean optical density of %s %.4f, %.1f %% positive", p.Name, s.stain.value, whole.mean, 100*whole.positive)
		if err := j.progress(i+1, len(pictures), line); err != nil {
			return "", err
		}
	}
	rows.Flush()
	if err := j.store("density.csv", table.Bytes()); err != nil {
		return "", err
	}
	return fmt.Sprintf("mean optical density of %s %.4f on %d images, %d positive tiles marked", s.stain.value, sum/float64(pixels), len(pictures), marked), nil
}

// pictures are the chosen images that are new enough.
func (s *stain) pictures(j *job) ([]picture, error) {
	all, err := j.pictures(s.images)
	if err != nil || s.added.IsZero() {
		return all, err
	}
	var out []picture
	for _, p := range all {
		if !p.added().Before(s.added.Time) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("none of %d images was added on %s or later", len(all), s.added.Format("2006-01-02"))
	}
	j.log("%d of %d images were added on %s or later", len(out), len(all), s.added.Format("2006-01-02"))
	return out, nil
}

// measurement is what one rectangle of an image holds.
type measurement struct {
	of       image.Rectangle
	mean     float64 // optical density
	positive float64 // share of pixels, 0 to 1
}

func (s *stain) measure(density []float32, bounds, r image.Rectangle) measurement {
	sum, positive := 0.0, 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, d := range density[y*bounds.Dx()+r.Min.X : y*bounds.Dx()+r.Max.X] {
			sum += float64(d)
			if float64(d) > s.positive.value {
				positive++
			}
		}
	}
	n := float64(r.Dx() * r.Dy())
	return measurement{of: r, mean: sum / n, positive: float64(positive) / n}
}

func (m measurement) row(p picture) []string {
	i := strconv.Itoa
	return []string{strconv.FormatInt(p.ID, 10), p.Name, i(m.of.Min.X), i(m.of.Min.Y), i(m.of.Dx()), i(m.of.Dy()), decimal(m.mean), decimal(m.positive)}
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

// tiles parts bounds into squares; those at the right and lower border may be
// smaller.
func tiles(bounds image.Rectangle, side int) []image.Rectangle {
	var out []image.Rectangle
	for y := bounds.Min.Y; y < bounds.Max.Y; y += side {
		for x := bounds.Min.X; x < bounds.Max.X; x += side {
			out = append(out, image.Rect(x, y, x+side, y+side).Intersect(bounds))
		}
	}
	return out
}

// rectangle is r as WKT, y from the bottom.
func rectangle(r image.Rectangle, height int) string {
	top, bottom := height-r.Min.Y, height-r.Max.Y
	return fmt.Sprintf("POLYGON ((%d %d, %d %d, %d %d, %d %d, %d %d))",
		r.Min.X, bottom, r.Max.X, bottom, r.Max.X, top, r.Min.X, top, r.Min.X, bottom)
}
