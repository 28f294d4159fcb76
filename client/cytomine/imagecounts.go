package cytomine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// AnnotationsByImage counts the annotations of a job per image.
func (c *Client) AnnotationsByImage(ctx context.Context, job client.Job) (map[client.ID]int, error) {
	if job.UserJob == 0 || job.Project == 0 {
		whole, err := c.Job(ctx, job.ID)
		if err != nil {
			return nil, err
		}
		job = whole
	}
	counts := map[client.ID]int{}
	path := web.With("/api/annotation.json", "project", fmt.Sprint(job.Project), "user", fmt.Sprint(job.UserJob), "showBasic", "true", "showMeta", "true")
	err := c.each(ctx, path, func(raw []byte) error {
		var w struct{ Image number }
		if json.Unmarshal(raw, &w) == nil {
			counts[w.Image.id()]++
		}
		return nil
	})
	return counts, err
}
