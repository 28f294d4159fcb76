package main

import (
	"fmt"
	"strconv"

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
			s, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			a, err := s.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			r, err := s.Results(cmd.Context(), a)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{"schema": 1, "id": a.Key(), "results": resultsJSON(r)})
			}
			return c.printResults(r)
		},
	}
}

func resultsJSON(r app.Results) map[string]any {
	terms, files := []map[string]any{}, []map[string]any{}
	for _, t := range r.Counts {
		m := map[string]any{"term": t.Name, "count": t.Count}
		if t.Unit != "" {
			m["area"], m["unit"] = t.Area, t.Unit
		}
		terms = append(terms, m)
	}
	for _, f := range r.Files {
		files = append(files, map[string]any{"id": int64(f.ID), "key": f.Key, "name": f.Name, "bytes": f.Size})
	}
	return map[string]any{"annotations": r.Annotations(), "terms": terms, "files": files}
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
		cells = append(cells, []string{name, strconv.Itoa(t.Count) + " annotations", area})
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
