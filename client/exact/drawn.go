package exact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
)

// drawn is one annotation of a job, from either store.
type drawn struct {
	client.Annotation
	form   VectorType
	vector Vector
}

// since is how long before the creation of a job one of its annotations may seem to
// have been made: an hour for the season, and what clocks differ.
const since = 90 * time.Minute

// eachDrawn calls each for what a job wrote: the annotations of its plugin result,
// then the ordinary ones on its image that name it (see Mark), but for those that
// are the same object in both, by their UUID. The ids of ordinary ones are given as
// negative, because the two stores count apart.
func (c *Client) eachDrawn(ctx context.Context, id client.ID, vectors bool, each func(drawn) error) error {
	job, err := c.PluginJob(ctx, id)
	if err != nil {
		return err
	}
	image, err := c.Image(ctx, job.Image)
	if err != nil {
		return fmt.Errorf("image %d of job %d: %w", job.Image, id, err)
	}
	var types map[client.ID]AnnotationType
	give := func(a client.Annotation, kind client.ID, v Vector) error {
		if types == nil {
			if types, err = c.typesByID(ctx, image.ImageSet); err != nil {
				return err
			}
		}
		known := types[kind]
		a.ImageName = image.Name
		a.Terms, a.TermNames = []client.ID{kind}, []string{cmp.Or(known.Name, fmt.Sprintf("annotation type %d", kind))}
		d := drawn{Annotation: a, form: v.form(known.VectorType), vector: v}
		if area := v.area(d.form); area > 0 {
			d.Area, d.Unit = area, "px²"
			if image.MPP > 0 {
				d.Area, d.Unit = area*image.MPP*image.MPP, "µm²"
			}
		}
		d.Shape = v.wkt(d.form, image.Height)
		return each(d)
	}
	results, err := c.Results(ctx, ResultQuery{Job: id})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, r := range results {
		entries, err := c.Entries(ctx, r.ID)
		if err != nil {
			return err
		}
		for _, e := range entries {
			err := c.EachResultAnnotation(ctx, e.ID, vectors, func(a ResultAnnotation) error {
				seen[strings.ToLower(a.UUID)] = true
				return give(client.Annotation{ID: a.ID, Image: a.Image, Score: a.Score, Scored: a.Score != 0, Created: a.Time}, a.Type, a.Vector)
			})
			if err != nil {
				return err
			}
		}
	}
	q := AnnotationQuery{Image: job.Image, Since: job.Created.Add(-since), Vectors: vectors}
	return c.EachAnnotation(ctx, q, func(a Annotation) error {
		if m, ok := MarkOf(a.Meta); !ok || m.Job != id || seen[strings.ToLower(a.UUID)] {
			return nil
		}
		return give(client.Annotation{ID: -a.ID, Image: a.Image, Reviewed: a.Verified, Created: a.Time}, a.Type, a.Vector)
	})
}

func (c *Client) typesByID(ctx context.Context, set client.ID) (map[client.ID]AnnotationType, error) {
	all, err := c.AnnotationTypes(ctx, set)
	if err != nil {
		return nil, err
	}
	types := map[client.ID]AnnotationType{}
	for _, t := range all {
		types[t.ID] = t
	}
	return types, nil
}

// Annotations lists what a job drew: what is in its plugin result, and the ordinary
// annotations that name it in their meta data. The latter have negative ids.
func (c *Client) Annotations(ctx context.Context, job client.Job, shapes bool, each func(client.Annotation) error) error {
	return c.eachDrawn(ctx, job.ID, true, func(d drawn) error {
		if !shapes {
			d.Shape = ""
		}
		return each(d.Annotation)
	})
}

// AnnotationCounts counts what a job drew per annotation type.
func (c *Client) AnnotationCounts(ctx context.Context, job client.Job) ([]client.TermCount, error) {
	counts := map[client.ID]*client.TermCount{}
	err := c.eachDrawn(ctx, job.ID, true, func(d drawn) error {
		counted := counts[d.Terms[0]]
		if counted == nil {
			counted = &client.TermCount{Term: d.Terms[0], Name: d.TermNames[0]}
			counts[d.Terms[0]] = counted
		}
		counted.Count++
		if d.Unit != "" {
			counted.Area += d.Area
			counted.Unit = d.Unit
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]client.TermCount, 0, len(counts))
	for _, counted := range counts {
		all = append(all, *counted)
	}
	slices.SortFunc(all, func(a, b client.TermCount) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Term, b.Term))
	})
	return all, nil
}

// AnnotationsByImage counts what a job drew on its image.
func (c *Client) AnnotationsByImage(ctx context.Context, job client.Job) (map[client.ID]int, error) {
	counts := map[client.ID]int{}
	err := c.eachDrawn(ctx, job.ID, false, func(d drawn) error {
		counts[d.Image]++
		return nil
	})
	return counts, err
}

// DeleteResults deletes the plugin result of a job, and the ordinary annotations
// that name it; the job stays as it is. Where one of the latter was verified
// nothing is deleted.
func (c *Client) DeleteResults(ctx context.Context, job client.ID) error {
	ordinary, reviewed, err := c.ordinary(ctx, job)
	if err != nil {
		return fmt.Errorf("cannot delete the results of job %d: %w", job, err)
	}
	if reviewed > 0 {
		return fmt.Errorf("cannot delete the results of job %d: %d of its annotations are verified: %w", job, reviewed, client.ErrInvalid)
	}
	return c.deleteAll(ctx, job, ordinary)
}

// DeleteJob deletes a job with everything it wrote. The server by itself would
// leave its result behind.
func (c *Client) DeleteJob(ctx context.Context, id client.ID) error {
	ordinary, _, err := c.ordinary(ctx, id)
	if err != nil {
		return fmt.Errorf("cannot delete job %d: %w", id, err)
	}
	if err := c.deleteAll(ctx, id, ordinary); err != nil {
		return err
	}
	return c.DeletePluginJob(ctx, id)
}

// ordinary gives the ids of the ordinary annotations that name a job, and how many
// of them somebody verified.
func (c *Client) ordinary(ctx context.Context, id client.ID) (ids []client.ID, reviewed int, err error) {
	job, err := c.PluginJob(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	err = c.EachAnnotation(ctx, AnnotationQuery{Image: job.Image, Since: job.Created.Add(-since)}, func(a Annotation) error {
		if m, ok := MarkOf(a.Meta); ok && m.Job == id {
			ids = append(ids, a.ID)
			if a.Verified {
				reviewed++
			}
		}
		return nil
	})
	if errors.Is(err, client.ErrNotFound) { // an image that may not be seen
		err = nil
	}
	return ids, reviewed, err
}

func (c *Client) deleteAll(ctx context.Context, job client.ID, ordinary []client.ID) error {
	results, err := c.Results(ctx, ResultQuery{Job: job})
	if err != nil {
		return fmt.Errorf("cannot delete the results of job %d: %w", job, err)
	}
	for _, r := range results {
		if err := c.DeleteResult(ctx, r.ID); err != nil && !errors.Is(err, client.ErrNotFound) {
			return err
		}
	}
	return c.DeleteAnnotations(ctx, ordinary)
}
