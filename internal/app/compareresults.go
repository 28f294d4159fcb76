package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
)

// keptLong is how old a look at the results of a job that ended may be for a
// comparison: nothing but a person's own doing changes them.
const keptLong = 24 * time.Hour

// results are the rows of what an analysis wrote.
func (c *comparing) results(ctx context.Context, a Analysis) []compare.Entry {
	if a.JobID() == 0 {
		return nil
	}
	r, sums, err := c.resultsOf(ctx, a)
	if err != nil {
		return []compare.Entry{textEntry(compare.Results, "results", "not readable: "+err.Error())}
	}
	es := []compare.Entry{numberEntry(compare.Results, "annotations", float64(r.Annotations()), compare.Plain)}
	for _, t := range r.Counts {
		name := t.Name
		if name == "" {
			name = "no term"
		}
		es = append(es, numberEntry(compare.Results, name+", count", float64(t.Count), compare.Plain))
		if t.Unit != "" {
			// Areas of one unit share a row; pixels and micrometres cannot be
			// compared.
			e := numberEntry(compare.Results, name+", area in "+t.Unit, t.Area, compare.Plain)
			e.Label, e.Text, e.Unit = name+", area", fmt.Sprintf("%.4g", t.Area), t.Unit
			es = append(es, e)
		}
	}
	es = append(es, c.metrics(ctx, a)...)
	for _, f := range r.Files {
		es = append(es, fileEntry(f, sums[f.ID]))
	}
	return es
}

// fileEntry is the row of a result file. Where its checksum is known, that tells
// whether two are the same, else its size.
func fileEntry(f client.JobFile, sum string) compare.Entry {
	key := "file " + f.Name
	switch {
	case f.Size < 0:
		return textEntry(compare.Results, key, "upload not finished")
	case sum == "":
		return numberEntry(compare.Results, key, float64(f.Size), compare.Bytes)
	}
	e := textEntry(compare.Results, key, sum)
	e.Text = text.Bytes(f.Size) + ", sha256 " + sum[:min(len(sum), 12)]
	return e
}

// resultsOf are the results of an analysis: as they were recorded at the end of a
// run, as they were seen lately, or as the server says.
func (c *comparing) resultsOf(ctx context.Context, a Analysis) (Results, map[client.ID]string, error) {
	if a.Run != nil && !a.State().Live {
		if r, sums, ok := RecordedResults(*a.Run); ok {
			return r, sums, nil
		}
	}
	kept, age, ok := c.s.keptResults(a)
	away := c.serverAway()
	if ok && (age < keptLong || away != nil) {
		return kept, nil, nil
	}
	if away != nil {
		return Results{}, nil, away
	}
	r, err := c.s.Results(ctx, a)
	if err != nil {
		if c.failed(err); ok {
			return kept, nil, nil
		}
	}
	return r, nil, err
}

// metrics are the rows of the measures that a server keeps.
func (c *comparing) metrics(ctx context.Context, a Analysis) []compare.Entry {
	c.mu.Lock()
	skip := c.noMetrics || c.away != nil
	c.mu.Unlock()
	if skip || a.State().Live {
		return nil
	}
	sums, err := c.s.Metrics(ctx, a)
	if errors.Is(err, client.ErrUnsupported) {
		c.mu.Lock()
		c.noMetrics = true
		c.mu.Unlock()
		return nil
	}
	if err != nil {
		c.failed(err)
		return []compare.Entry{textEntry(compare.Results, "metrics", "not readable: "+err.Error())}
	}
	var es []compare.Entry
	for _, m := range sums {
		e := numberEntry(compare.Results, "metric "+m.Name, m.Mean, compare.Plain)
		e.Label, e.Text, e.Better = m.Name+", mean", fmt.Sprintf("%.4g", m.Mean), m.Better
		es = append(es, e)
	}
	return es
}
