package cytomine

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cytorun/cytorun/client"
)

// deleteTimeout is how long a server may take to delete what a job wrote: it
// goes through thousands of annotations one by one before it answers.
const deleteTimeout = 10 * time.Minute

// DeleteResults deletes the annotations and result files of a job. The server
// lets only managers of the project do so.
func (c *Client) DeleteResults(ctx context.Context, job client.ID) error {
	if _, ok := ctx.Deadline(); !ok {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, deleteTimeout)
		defer stop()
	}
	_, err := c.do(ctx, call{method: http.MethodDelete, path: fmt.Sprintf("/api/job/%d/alldata.json", job), contentType: "application/json"})
	if err != nil {
		return fmt.Errorf("cannot delete the results of job %d: %w", job, err)
	}
	return nil
}
