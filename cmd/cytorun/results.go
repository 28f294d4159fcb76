package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newResultsCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:               "results ANALYSIS",
		Short:             "count the annotations and list the files of an analysis",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, a, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			r, err := s.Results(cmd.Context(), a)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(field{"id", a.Key()}, field{"results", toResultsJSON(r)})
			}
			return c.printResults(r)
		},
	}
}

type resultsJSON struct {
	Annotations int        `json:"annotations"`
	Terms       []termJSON `json:"terms"`
	Files       []fileJSON `json:"files"`
}

type termJSON struct {
	Term  string  `json:"term"` // empty: without a term
	Count int     `json:"count"`
	Area  float64 `json:"area,omitempty"`
	Unit  string  `json:"unit,omitempty"`
}

type fileJSON struct {
	ID    int64  `json:"id"`
	Key   string `json:"key"`
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"` // -1: its upload has not ended
}

func toResultsJSON(r app.Results) resultsJSON {
	out := resultsJSON{Annotations: r.Annotations(), Terms: []termJSON{}, Files: []fileJSON{}}
	for _, t := range r.Counts {
		out.Terms = append(out.Terms, termJSON{t.Name, t.Count, t.Area, t.Unit})
	}
	for _, f := range r.Files {
		out.Files = append(out.Files, fileJSON{int64(f.ID), f.Key, f.Name, f.Size})
	}
	return out
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
