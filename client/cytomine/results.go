package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

var (
	_ client.AnnotationLister = (*Client)(nil)
	_ client.ImageLister      = (*Client)(nil)
	_ client.MetricStore      = (*Client)(nil)
	_ client.JobDeleter       = (*Client)(nil)
	_ client.ResultEraser     = (*Client)(nil)
)

// Annotations lists what a job drew. The names of terms cost one request, and only
// where there are terms.
func (c *Client) Annotations(ctx context.Context, job client.Job, shapes bool, each func(client.Annotation) error) error {
	if job.UserJob == 0 || job.Project == 0 {
		whole, err := c.Job(ctx, job.ID)
		if err != nil {
			return err
		}
		job = whole
	}
	var names map[client.ID]string
	path := web.With("/api/annotation.json", "project", fmt.Sprint(job.Project), "user", fmt.Sprint(job.UserJob),
		"showMeta", "true", "showGIS", "true", "showTerm", "true", "showImage", "true", "showWKT", fmt.Sprint(shapes))
	return c.each(ctx, path, func(raw []byte) error {
		var w struct {
			ID, Image, CountReviewedAnnotations number
			InstanceFilename, OriginalFilename  text
			Area, Rate                          float
			AreaUnit, Location                  text
			Term                                list[number]
			Reviewed                            truth
			Created                             moment
		}
		if json.Unmarshal(raw, &w) != nil {
			return nil
		}
		a := client.Annotation{
			ID: w.ID.id(), Image: w.Image.id(), ImageName: cmp.Or(string(w.InstanceFilename), string(w.OriginalFilename)),
			Reviewed: bool(w.Reviewed) || w.CountReviewedAnnotations > 0, Created: w.Created.time(), Shape: string(w.Location),
		}
		if unit, factor := areaUnit(string(w.AreaUnit)); unit != "" && w.Area.known {
			a.Area, a.Unit = w.Area.value*factor, unit
		}
		// Where a job gave no score the server says 0.
		if len(w.Term) > 0 && w.Rate.known && w.Rate.value > 0 {
			a.Score, a.Scored = w.Rate.value, true
		}
		for _, term := range w.Term {
			if names == nil {
				var err error
				if names, err = c.termNames(ctx, job.Project); err != nil {
					return err
				}
			}
			a.Terms = append(a.Terms, term.id())
			a.TermNames = append(a.TermNames, cmp.Or(names[term.id()], fmt.Sprintf("term %d", term)))
		}
		return each(a)
	})
}

// Images lists the images of a project.
func (c *Client) Images(ctx context.Context, project client.ID, each func(client.Image) error) error {
	return c.each(ctx, fmt.Sprintf("/api/project/%d/imageinstance.json", project), func(raw []byte) error {
		var w struct {
			ID, Width, Height                  number
			InstanceFilename, OriginalFilename text
			Resolution, PhysicalSizeX          float
		}
		if json.Unmarshal(raw, &w) != nil {
			return nil
		}
		i := client.Image{
			ID: w.ID.id(), Name: cmp.Or(string(w.InstanceFilename), string(w.OriginalFilename)),
			Width: int(w.Width), Height: int(w.Height), Resolution: w.Resolution.value,
		}
		if i.Resolution <= 0 {
			i.Resolution = max(w.PhysicalSizeX.value, 0)
		}
		return each(i)
	})
}

// Metrics reads what BIAFLOWS measured of a job, on images and on groups of them.
func (c *Client) Metrics(ctx context.Context, job client.ID) ([]client.Metric, error) {
	names, err := c.metricNames(ctx)
	if err != nil {
		return nil, err
	}
	var all []client.Metric
	for _, kind := range []string{"imageinstance", "imagegroup"} {
		err := c.metrics(ctx, fmt.Sprintf("/api/job/%d/%smetricresult.json", job, kind), func(w wireMetric) {
			m := names[w.Metric.id()]
			m.Name = cmp.Or(m.Name, fmt.Sprintf("metric %d", w.Metric))
			if m.Image, m.Value = w.Image.id(), w.Value.value; w.Value.known {
				all = append(all, m)
			}
		})
		if kind == "imagegroup" && errors.Is(err, client.ErrUnsupported) {
			err = nil // most servers that have the one lack the other
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

type wireMetric struct {
	ID, Metric, Image number
	Name, ShortName   text
	Value             float
}

func (c *Client) metricNames(ctx context.Context) (map[client.ID]client.Metric, error) {
	names := map[client.ID]client.Metric{}
	err := c.metrics(ctx, "/api/metric.json", func(w wireMetric) {
		names[w.ID.id()] = client.Metric{Name: cmp.Or(string(w.ShortName), string(w.Name)), Title: string(w.Name)}
	})
	return names, err
}

// metrics reads a list of metrics. It is asked for whole, because the numbers in
// it may be NaN, which is no JSON; it is small.
func (c *Client) metrics(ctx context.Context, path string, row func(wireMetric)) error {
	body, err := c.open(ctx, path)
	if errors.Is(err, client.ErrNotFound) {
		return fmt.Errorf("%w: it keeps no metrics", client.ErrUnsupported)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, web.MaxAnswer))
	if err != nil {
		return err
	}
	if strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 64)])), "<") {
		return fmt.Errorf("%w: it keeps no metrics", client.ErrUnsupported)
	}
	_, err = readRows(strings.NewReader(withoutNaN(string(data))), func(raw []byte) error {
		var w wireMetric
		if json.Unmarshal(raw, &w) == nil {
			row(w)
		}
		return nil
	})
	if err != nil {
		return c.unreadable(path, data, err)
	}
	return nil
}

// withoutNaN writes null for what some servers write for numbers that are none.
func withoutNaN(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted:
			if n := bareNaN(s[i:]); n > 0 {
				b.WriteString("null")
				i += n - 1
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func bareNaN(s string) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(s, word) {
			return len(word)
		}
	}
	return 0
}

// DeleteJob deletes a job with what it wrote.
func (c *Client) DeleteJob(ctx context.Context, id client.ID) error {
	return c.remove(ctx, jobPath(id), fmt.Sprintf("job %d", id))
}

// DeleteAnnotation deletes one annotation.
func (c *Client) DeleteAnnotation(ctx context.Context, id client.ID) error {
	return c.remove(ctx, fmt.Sprintf("/api/annotation/%d.json", id), fmt.Sprintf("annotation %d", id))
}

// DeleteJobFile deletes one result file.
func (c *Client) DeleteJobFile(ctx context.Context, id client.ID) error {
	return c.remove(ctx, fmt.Sprintf("/api/jobdata/%d.json", id), fmt.Sprintf("file %d", id))
}

func (c *Client) remove(ctx context.Context, path, what string) error {
	if _, ok := ctx.Deadline(); !ok {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, deleteTimeout)
		defer stop()
	}
	// A server wants a Content-Type with every request that changes something.
	_, err := c.do(ctx, call{method: http.MethodDelete, path: path, contentType: "application/json"})
	if err != nil {
		return fmt.Errorf("cannot delete %s: %w", what, err)
	}
	return nil
}
