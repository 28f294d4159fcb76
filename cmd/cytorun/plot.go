package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/compareview"
	"github.com/cytorun/cytorun/tui/logview"
	"github.com/cytorun/cytorun/tui/widget"
)

// printPlot draws a plot in plain text, as wide as the terminal where there is one, or
// gives its points to programs.
func (c *cli) printPlot(p widget.Plot) error {
	if c.json {
		points := [][2]float64{}
		for i := range p.X {
			points = append(points, [2]float64{p.X[i], p.Y[i]})
		}
		return c.printJSON(field{"plot", plotJSON{p.XLabel, p.YLabel, p.Names, points}})
	}
	width := 80
	if w := c.columns(); w > 0 {
		width = min(w, 160)
	}
	for _, line := range p.Draw(width, plotHeight) {
		if _, err := fmt.Fprintln(c.out, strings.TrimRight(text.Strip(line), " ")); err != nil {
			return err
		}
	}
	return nil
}

const plotHeight = 20

type plotJSON struct {
	X string `json:"x"` // what the axes are
	Y string `json:"y"`
	// Names are the values at 0, 1, 2 … of an x axis without numbers.
	Names  []string     `json:"names,omitempty"`
	Points [][2]float64 `json:"points"`
}

// plotTable draws a result of a comparison against a parameter, the first in which the
// analyses differ unless one is named.
func (c *cli) plotTable(t compare.Table, result, parameter string) error {
	xs, ys := compareview.PlotRows(t)
	if len(xs) == 0 {
		return fmt.Errorf("nothing to plot against: these analyses differ in no parameter")
	}
	y, err := rowNamed(t, ys, "result with several numbers", result)
	if err != nil {
		return err
	}
	x := xs[0]
	if parameter != "" {
		if x, err = rowNamed(t, xs, "parameter in which they differ", parameter); err != nil {
			return err
		}
	}
	columns := make([]int, len(t.Columns))
	for i := range columns {
		columns[i] = i
	}
	return c.printPlot(compareview.Plot(t, columns, x, y))
}

// rowNamed finds a row by its name or the only part of one.
func rowNamed(t compare.Table, rows []int, what, name string) (int, error) {
	var fit []int
	var all []string
	for _, i := range rows {
		r := t.Rows[i]
		all = append(all, strconv.Quote(text.Line(r.Label)))
		if strings.EqualFold(r.Label, name) || strings.EqualFold(r.Key, name) {
			return i, nil
		}
		if strings.Contains(strings.ToLower(r.Label), strings.ToLower(name)) {
			fit = append(fit, i)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	if len(fit) > 1 {
		all = nil
		for _, i := range fit {
			all = append(all, text.Line(t.Rows[i].Label))
		}
		return 0, &app.ErrAmbiguous{What: "rows", Name: name, Candidates: all}
	}
	if len(all) == 0 {
		return 0, client.NotFound("there is no %s", what)
	}
	return 0, client.NotFound("no %s is called %q; there are: %s", what, text.Line(name), strings.Join(all, ", "))
}

// plotLog draws a number that a log reports again and again.
func (c *cli) plotLog(ctx context.Context, s *app.Session, a app.Analysis, name string) error {
	l, err := s.OpenLog(ctx, a)
	if err != nil {
		return err
	}
	log, err := logfile.Open(l.Path)
	if err != nil {
		return err
	}
	defer log.Close()
	all, err := log.Series(ctx, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, series := range all {
		if strings.EqualFold(series.Name, name) {
			return c.printPlot(logview.Plot(series, false))
		}
		names = append(names, series.Name)
	}
	if len(names) == 0 {
		return client.NotFound("this log reports no number again and again, such as \"loss: 0.12\" or a progress bar")
	}
	return client.NotFound("this log reports no %q again and again; it does: %s", text.Line(name), strings.Join(names, ", "))
}
