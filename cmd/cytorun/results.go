package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// resultFormats are what results can write.
var resultFormats = []string{"table", "csv", "json", "geojson"}

// resultOptions say what of results is printed.
type resultOptions struct {
	by       []string
	format   string
	filter   string
	download string
}

func (o resultOptions) image() bool { return slices.Contains(o.by, "image") }
func (o resultOptions) term() bool  { return slices.Contains(o.by, "term") }

func newResultsCommand(c *cli) *cobra.Command {
	var o resultOptions
	cmd := &cobra.Command{
		Use:   "results ANALYSIS...",
		Short: "sum up annotations, list files and metrics of analyses",
		Example: `  cytorun results @last
  cytorun results Nuclei#12 Nuclei#13 --by image,term --format csv >nuclei.csv
  cytorun results @last --format geojson >shapes.geojson
  cytorun results @last --download results/`,
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				o.format = "json"
			}
			if !slices.Contains(resultFormats, o.format) {
				return usageError(fmt.Errorf("no format %q; use one of %s", o.format, strings.Join(resultFormats, ", ")))
			}
			for _, b := range o.by {
				if b != "image" && b != "term" && b != "all" {
					return usageError(fmt.Errorf("--by %q: use image, term, image,term or all", b))
				}
			}
			s, analyses, err := c.findMany(cmd.Context(), args, o.filter)
			if err != nil {
				return err
			}
			if o.download != "" {
				return c.downloadResults(cmd.Context(), s, analyses, o.download)
			}
			return c.results(cmd.Context(), s, analyses, o)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.by, "by", []string{"term"}, "sum up by `image`, by term, by image,term, or all together")
	f.StringVarP(&o.format, "format", "f", "table", strings.Join(resultFormats, ", "))
	f.StringVar(&o.download, "download", "", "save the result files in this `FOLDER`")
	completeFlag(cmd, "format", fixed(resultFormats...))
	completeFlag(cmd, "by", fixed("image", "term", "image,term", "all"))
	c.addFilterFlag(cmd, &o.filter)
	cmd.AddCommand(newResultsDeleteCommand(c))
	return cmd
}

// results prints what analyses wrote.
func (c *cli) results(ctx context.Context, s *app.Session, analyses []app.Analysis, o resultOptions) error {
	if o.format == "geojson" {
		_, err := s.WriteGeoJSON(ctx, c.out, analyses)
		return err
	}
	var all []app.DrawnOf
	for _, a := range analyses {
		d, err := s.Drawn(ctx, a, nil)
		if err != nil {
			return err
		}
		if d.Unmeasured != "" {
			c.warn(a.Title() + ": " + d.Unmeasured)
		}
		all = append(all, app.DrawnOf{Analysis: a, Drawn: d})
	}
	if o.format == "csv" {
		return app.WriteDrawnCSV(c.out, all, o.image(), o.term())
	}
	out := make([]resultsOf, len(all))
	for i, d := range all {
		var err error
		if out[i], err = readResults(ctx, s, d, o); err != nil {
			return err
		}
	}
	if o.format == "json" {
		if len(out) == 1 {
			return c.printJSON(field{"id", out[0].ID}, field{"results", out[0].Results})
		}
		return c.printJSON(field{"analyses", out})
	}
	return c.printResultsOf(out, all, o)
}

// resultsOf is what one of several analyses wrote.
type resultsOf struct {
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Results resultsJSON `json:"results"`
}

type resultsJSON struct {
	Annotations int             `json:"annotations"`
	Terms       []termJSON      `json:"terms"`
	Groups      []app.DrawnJSON `json:"groups,omitempty"` // as --by sums up
	Files       []fileJSON      `json:"files"`
	Metrics     []metricJSON    `json:"metrics,omitempty"`
}

type termJSON struct {
	Term  string  `json:"term"` // empty: without a term
	Count int     `json:"count"`
	Area  float64 `json:"area,omitempty"`
	Unit  string  `json:"unit,omitempty"`
}

type fileJSON struct {
	ID     int64  `json:"id"`
	Key    string `json:"key"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`            // -1: its upload has not ended
	SHA256 string `json:"sha256,omitempty"` // where it was recorded
}

type metricJSON struct {
	Name   string  `json:"name"`
	Title  string  `json:"title,omitempty"`
	Mean   float64 `json:"mean"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Images int     `json:"images"`
}

// readResults adds files and metrics to what was drawn.
func readResults(ctx context.Context, s *app.Session, d app.DrawnOf, o resultOptions) (resultsOf, error) {
	r := resultsOf{ID: d.Analysis.Key(), Title: d.Analysis.Title()}
	r.Results = resultsJSON{Annotations: d.Drawn.Total.Count, Terms: []termJSON{}, Files: []fileJSON{}, Groups: d.Drawn.JSON(o.image(), o.term())}
	for _, g := range d.Drawn.Terms {
		t := termJSON{Term: g.TermName, Count: g.Count}
		if g.Unit != "" {
			t.Area, t.Unit = g.Area, g.Unit
		}
		r.Results.Terms = append(r.Results.Terms, t)
	}
	files, err := s.Files(ctx, d.Analysis)
	if err != nil && !errors.Is(err, client.ErrUnsupported) {
		return r, err
	}
	for _, f := range files {
		r.Results.Files = append(r.Results.Files, fileJSON{int64(f.ID), f.Key, f.Name, f.Size, f.SHA256})
	}
	metrics, err := s.Metrics(ctx, d.Analysis)
	if err != nil && !errors.Is(err, client.ErrUnsupported) {
		return r, err
	}
	for _, m := range metrics {
		r.Results.Metrics = append(r.Results.Metrics, metricJSON{m.Name, m.Title, m.Mean, m.Min, m.Max, m.Images})
	}
	return r, nil
}

// printResultsOf prints tables for people.
func (c *cli) printResultsOf(out []resultsOf, all []app.DrawnOf, o resultOptions) error {
	var drawn, files, metrics [][]string
	for i, r := range out {
		for _, g := range all[i].Drawn.By(o.image(), o.term()) {
			if g.Count > 0 {
				drawn = append(drawn, append([]string{titleIf(len(out) > 1, r.Title)}, drawnRow(g, o)...))
			}
		}
		for _, f := range r.Results.Files {
			size := "upload not finished"
			if f.Bytes >= 0 {
				size = text.Bytes(f.Bytes)
			}
			files = append(files, []string{titleIf(len(out) > 1, r.Title), f.Name, size, f.Key, f.SHA256})
		}
		for _, m := range r.Results.Metrics {
			metrics = append(metrics, []string{titleIf(len(out) > 1, r.Title), m.Name, number(m.Mean), number(m.Min), number(m.Max), strconv.Itoa(m.Images)})
		}
	}
	if len(drawn)+len(files)+len(metrics) == 0 {
		_, err := fmt.Fprintln(c.out, "no results on the server")
		return err
	}
	for i, t := range []struct {
		head []string
		rows [][]string
	}{
		{[]string{"ANALYSIS", "IMAGE", "TERM", "ANNOTATIONS", "AREA", "IN PIXELS", "MEAN SCORE", "REVIEWED"}, drawn},
		{[]string{"ANALYSIS", "FILE", "SIZE", "KEY", "SHA256"}, files},
		{[]string{"ANALYSIS", "METRIC", "MEAN", "LEAST", "MOST", "IMAGES"}, metrics},
	} {
		if len(t.rows) == 0 {
			continue
		}
		if i > 0 && len(drawn) > 0 {
			fmt.Fprintln(c.out)
		}
		if err := c.printTable(t.head, t.rows); err != nil {
			return err
		}
	}
	return nil
}

func titleIf(several bool, title string) string {
	if several {
		return title
	}
	return ""
}

func drawnRow(g app.DrawnGroup, o resultOptions) []string {
	row := make([]string, 7)
	if o.image() {
		row[0] = g.ImageName
	}
	if o.term() {
		if row[1] = g.TermName; g.TermName == "" {
			row[1] = "no term"
		}
	}
	row[2], row[3] = strconv.Itoa(g.Count), g.AreaText()
	if g.Pixels > 0 {
		row[4] = fmt.Sprintf("%.4g px²", g.Pixels)
	}
	if g.Scored > 0 {
		row[5] = fmt.Sprintf("%.3f", g.Score)
	}
	if g.Reviewed > 0 {
		row[6] = strconv.Itoa(g.Reviewed)
	}
	return row
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }

// downloadResults saves the result files of analyses, those of several each in a
// folder of its own.
func (c *cli) downloadResults(ctx context.Context, s *app.Session, analyses []app.Analysis, folder string) error {
	saved := 0
	for _, a := range analyses {
		files, err := s.Files(ctx, a)
		if err != nil {
			return err
		}
		dir := folder
		if len(analyses) > 1 {
			dir = filepath.Join(folder, safeName(a.Key()))
		}
		for _, f := range files {
			if f.Size < 0 {
				c.warn(text.Line(f.Name) + " is left out: its upload has not ended")
				continue
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			path := filepath.Join(dir, safeName(f.Name))
			sum, err := s.SaveFile(ctx, f, path)
			if err != nil {
				return err
			}
			saved++
			fmt.Fprintf(c.out, "%s  %s\n", sum, text.Line(path)) // as sha256sum writes it
		}
	}
	if saved == 0 {
		c.say("no result files on the server")
	}
	return nil
}

// safeName is a name of the server as the name of a file in a folder of ours.
func safeName(s string) string {
	s = filepath.Base(strings.ReplaceAll(text.Line(s), "\\", "/"))
	if s = strings.TrimLeft(s, ". "); s == "" || s == "/" {
		return "result"
	}
	return strings.ReplaceAll(s, ":", "-")
}

func (c *cli) printResults(r app.Results) error {
	if len(r.Counts) == 0 && len(r.Files) == 0 {
		_, err := fmt.Fprintln(c.out, "no results on the server")
		return err
	}
	var cells [][]string
	for _, t := range r.Counts {
		name, area := t.Name, ""
		if name == "" {
			name = "no term"
		}
		if t.Unit != "" {
			area = fmt.Sprintf("%.4g %s", t.Area, t.Unit)
		}
		cells = append(cells, []string{name, text.Plural(t.Count, "annotation"), area})
	}
	for _, f := range r.Files {
		size := "upload not finished"
		if f.Size >= 0 {
			size = text.Bytes(f.Size)
		}
		cells = append(cells, []string{f.Name, size, f.Key})
	}
	return c.printTable([]string{"RESULT", "", ""}, cells)
}
