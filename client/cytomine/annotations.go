package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// AnnotationCounts counts the annotations of a job per term. An annotation with
// several terms counts for each. Areas are summed where all annotations of a
// term have the same unit.
func (c *Client) AnnotationCounts(ctx context.Context, job client.Job) ([]client.TermCount, error) {
	if job.UserJob == 0 || job.Project == 0 {
		whole, err := c.Job(ctx, job.ID)
		if err != nil {
			return nil, err
		}
		job = whole
	}
	counts := map[client.ID]*client.TermCount{}
	path := web.With("/api/annotation.json", "project", fmt.Sprint(job.Project), "user", fmt.Sprint(job.UserJob),
		"showBasic", "true", "showGIS", "true", "showTerm", "true")
	err := c.each(ctx, path, func(raw []byte) error {
		var w struct {
			Area     float
			AreaUnit text
			Term     list[number]
		}
		if json.Unmarshal(raw, &w) != nil {
			return nil
		}
		if len(w.Term) == 0 {
			w.Term = []number{0}
		}
		for _, term := range w.Term {
			counted := counts[term.id()]
			if counted == nil {
				counted = &client.TermCount{Term: term.id()}
				counts[term.id()] = counted
			}
			addArea(counted, w.Area, string(w.AreaUnit))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	names := map[client.ID]string{}
	if _, unnamed := counts[0]; len(counts) > 1 || len(counts) == 1 && !unnamed {
		if names, err = c.termNames(ctx, job.Project); err != nil {
			return nil, err
		}
	}
	all := make([]client.TermCount, 0, len(counts))
	for id, counted := range counts {
		if counted.Unit == mixedUnits {
			counted.Unit, counted.Area = "", 0
		}
		if id != 0 {
			counted.Name = cmp.Or(names[id], fmt.Sprintf("term %d", id))
		}
		all = append(all, *counted)
	}
	slices.SortFunc(all, func(a, b client.TermCount) int {
		if (a.Term == 0) != (b.Term == 0) {
			return cmp.Compare(b.Term, a.Term) // the ones without a term last
		}
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Term, b.Term))
	})
	return all, nil
}

// mixedUnits marks a count whose areas cannot be added.
const mixedUnits = "mixed"

func addArea(t *client.TermCount, area float, written string) {
	t.Count++
	unit, factor := areaUnit(written)
	if !area.known || unit == "" {
		unit = mixedUnits
	}
	if t.Count > 1 && t.Unit != unit {
		unit = mixedUnits
	}
	t.Unit = unit
	t.Area += area.value * factor
}

// areaUnit reads the server's names of units: images with a known resolution
// are measured in micrometres, others in pixels.
func areaUnit(written string) (unit string, factor float64) {
	w := strings.ToLower(written)
	switch {
	case strings.Contains(w, "mic"), strings.Contains(w, "µm"), strings.Contains(w, "μm"), strings.Contains(w, "um"):
		return "µm²", 1
	case strings.Contains(w, "mm"):
		return "µm²", 1e6
	case strings.Contains(w, "pix"), strings.Contains(w, "px"):
		return "px²", 1
	}
	return "", 0
}

// termNames gives the names of the project's terms.
func (c *Client) termNames(ctx context.Context, project client.ID) (map[client.ID]string, error) {
	names := map[client.ID]string{}
	err := c.each(ctx, fmt.Sprintf("/api/project/%d/term.json", project), func(raw []byte) error {
		var w struct {
			ID   number
			Name text
		}
		if json.Unmarshal(raw, &w) == nil {
			names[w.ID.id()] = string(w.Name)
		}
		return nil
	})
	return names, err
}
