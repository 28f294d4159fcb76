package app

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
)

// DrawnOf is what one of several analyses drew.
type DrawnOf struct {
	Analysis Analysis
	Drawn    Drawn
}

// DrawnHead are the columns of WriteDrawn as CSV.
var DrawnHead = []string{"analysis", "id", "image", "image_id", "term", "term_id", "count", "area", "unit", "area_px", "mean_score", "reviewed"}

// WriteDrawnCSV writes the groups of analyses, one row for each. What is not known
// is empty.
func WriteDrawnCSV(w io.Writer, all []DrawnOf, image, term bool) error {
	c := csv.NewWriter(w)
	if err := c.Write(DrawnHead); err != nil {
		return err
	}
	for _, d := range all {
		for _, g := range d.Drawn.By(image, term) {
			row := []string{d.Analysis.Title(), d.Analysis.Key(), g.ImageName, "", g.TermName, "", strconv.Itoa(g.Count), "", g.Unit, "", "", strconv.Itoa(g.Reviewed)}
			if g.Image != 0 {
				row[3] = idText(g.Image)
			}
			if g.Term != 0 {
				row[5] = idText(g.Term)
			}
			if g.Unit != "" {
				row[7] = formatNumber(g.Area)
			}
			if g.Pixels > 0 {
				row[9] = formatNumber(g.Pixels)
			}
			if g.Scored > 0 {
				row[10] = strconv.FormatFloat(g.Score, 'g', 6, 64)
			}
			for i := range row {
				row[i] = compare.SafeCell(text.Line(row[i]))
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// DrawnJSON is a group as --json and files have it.
type DrawnJSON struct {
	Image      string   `json:"image,omitempty"`
	ImageID    int64    `json:"image_id,omitempty"`
	Term       string   `json:"term"` // empty: without a term, or all of them
	TermID     int64    `json:"term_id,omitempty"`
	Count      int      `json:"count"`
	Area       *float64 `json:"area,omitempty"`
	Unit       string   `json:"unit,omitempty"`
	AreaPixels *float64 `json:"area_px,omitempty"`
	MeanScore  *float64 `json:"mean_score,omitempty"`
	Reviewed   int      `json:"reviewed"`
}

// JSON gives the groups by image, by term, by both or by neither.
func (d Drawn) JSON(image, term bool) []DrawnJSON {
	out := []DrawnJSON{}
	for _, g := range d.By(image, term) {
		j := DrawnJSON{Image: g.ImageName, ImageID: int64(g.Image), Term: g.TermName, TermID: int64(g.Term), Count: g.Count, Unit: g.Unit, Reviewed: g.Reviewed}
		if g.Unit != "" {
			j.Area = &g.Area
		}
		if g.Pixels > 0 {
			j.AreaPixels = &g.Pixels
		}
		if g.Scored > 0 {
			j.MeanScore = &g.Score
		}
		out = append(out, j)
	}
	return out
}

// WriteDrawnJSON writes the groups of analyses as one object.
func WriteDrawnJSON(w io.Writer, all []DrawnOf, image, term bool) error {
	type one struct {
		ID       string      `json:"id"`
		Title    string      `json:"title"`
		Groups   []DrawnJSON `json:"groups"`
		Problems string      `json:"problem,omitempty"`
	}
	out := struct {
		Schema   int   `json:"schema"`
		Analyses []one `json:"analyses"`
	}{Schema: 1, Analyses: []one{}}
	for _, d := range all {
		out.Analyses = append(out.Analyses, one{d.Analysis.Key(), d.Analysis.Title(), d.Drawn.JSON(image, term), d.Drawn.Unmeasured})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// AreaText is an area for people, such as "1.23e+04 µm²"; empty where it is not
// known.
func (g DrawnGroup) AreaText() string {
	if g.Unit == "" {
		return ""
	}
	return fmt.Sprintf("%.4g %s", g.Area, g.Unit)
}
