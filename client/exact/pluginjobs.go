package exact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// DuplicateError tells that a plugin already has a job on an image, in whatever
// state: the server allows one.
type DuplicateError struct {
	Job PluginJob // the one that is there; its ID is 0 where it was not found
}

// Error names the job.
func (e *DuplicateError) Error() string {
	if e.Job.ID == 0 {
		return "this plugin already has a job on this image; restart or delete that one"
	}
	return fmt.Sprintf("plugin %d already has job %d on image %d; restart or delete that one", e.Job.Plugin, e.Job.ID, e.Job.Image)
}

// Unwrap gives client.ErrConflict.
func (e *DuplicateError) Unwrap() error { return client.ErrConflict }

// jobFields are the columns of a job but for its result, which costs the server a
// query per job.
const jobFields = "id,creator,plugin,image,created_time,updated_time,eta_time,processing_complete,error_message,error_detail,attached_worker"

// PluginJobs lists plugin jobs, newest first.
func (c *Client) PluginJobs(ctx context.Context, q JobQuery) ([]PluginJob, error) {
	if err := c.learn(ctx); err != nil {
		return nil, err
	}
	if q.IDs != nil && len(q.IDs) == 0 {
		return nil, nil
	}
	fields := jobFields
	if q.WithResult {
		fields += ",result"
	}
	path := with(jobsPath, "fields", fields)
	if q.Image != 0 {
		path = with(path, "image_id", idText(q.Image))
	}
	if q.Creator != 0 {
		path = with(path, "user_id", idText(q.Creator))
	}
	if q.IDs != nil {
		path = with(path, "filter_ids", idList(q.IDs))
	}
	jobs := []PluginJob{}
	err := c.each(ctx, path, func(raw []byte) error {
		j, err := c.jobOf(raw)
		if err != nil || q.Image != 0 && j.Image != q.Image || q.Creator != 0 && j.Creator != q.Creator ||
			q.IDs != nil && !slices.Contains(q.IDs, j.ID) {
			return nil
		}
		jobs = append(jobs, j)
		return nil
	})
	return jobs, err
}

// NewestPluginJobs reads the first most of all plugin jobs, newest first, in one
// request. count is how many there are. A job that was made or restarted on the
// server's own pages stands at the top; one that was reset through the API keeps
// its place.
func (c *Client) NewestPluginJobs(ctx context.Context, most int) (jobs []PluginJob, count int, err error) {
	if err := c.learn(ctx); err != nil {
		return nil, 0, err
	}
	count, err = c.page(ctx, with(jobsPath, "fields", jobFields, "limit", fmt.Sprint(most)), func(raw []byte) error {
		if j, err := c.jobOf(raw); err == nil && j.ID != 0 {
			jobs = append(jobs, j)
		}
		return nil
	})
	return jobs, count, err
}

// PluginJob reads one plugin job with the id of its result.
func (c *Client) PluginJob(ctx context.Context, id client.ID) (PluginJob, error) {
	if err := c.learn(ctx); err != nil {
		return PluginJob{}, err
	}
	response, err := c.do(ctx, call{method: http.MethodGet, path: one(jobsPath, id)})
	if err != nil {
		return PluginJob{}, err
	}
	return c.readJob(one(jobsPath, id), response.Body())
}

func (c *Client) readJob(path string, body []byte) (PluginJob, error) {
	j, err := c.jobOf(body)
	if err == nil && j.ID == 0 {
		err = errors.New("no job in it")
	}
	if err != nil {
		return PluginJob{}, c.unreadable(path, err)
	}
	j.Raw = json.RawMessage(body)
	return j, nil
}

// CreatePluginJob makes the job of a plugin on an image. A *DuplicateError tells
// that there is one. Where the answer is lost the job is looked for, so that an
// error means that there is none by us, as far as one can see.
func (c *Client) CreatePluginJob(ctx context.Context, image, plugin client.ID) (PluginJob, error) {
	body, err := json.Marshal(map[string]client.ID{"image_id": image, "plugin_id": plugin})
	if err != nil {
		return PluginJob{}, err
	}
	response, err := c.do(ctx, call{method: http.MethodPost, path: newJobPath, body: body, contentType: "application/json"})
	if err == nil {
		var w wireJob
		if json.Unmarshal(response.Body(), &w) == nil {
			c.clock.observe(string(w.Created), response.Header().Get("Date"))
		}
		return c.readJob(newJobPath, response.Body())
	}
	var answer *client.HTTPError
	refused := errors.As(err, &answer)
	if refused && (answer.Status != http.StatusBadRequest || answer.Message != "") || !refused && !errors.Is(err, client.ErrUnreachable) {
		return PluginJob{}, err
	}
	// 400 with [] is a duplicate; without an answer the job may be there.
	jobs, lookErr := c.PluginJobs(ctx, JobQuery{Image: image})
	if lookErr != nil {
		if refused {
			return PluginJob{}, &DuplicateError{}
		}
		return PluginJob{}, err
	}
	at := slices.IndexFunc(jobs, func(j PluginJob) bool { return j.Plugin == plugin })
	switch {
	case refused && at < 0:
		return PluginJob{}, err // whatever [] meant
	case refused:
		return PluginJob{}, &DuplicateError{Job: jobs[at]}
	case at < 0 || c.clock.serverNow().Sub(jobs[at].Created) > 2*c.opts.Timeout || jobs[at].State() != StatePending:
		return PluginJob{}, err
	}
	return jobs[at], nil
}

// PatchPluginJob writes the named columns, and updated_time.
func (c *Client) PatchPluginJob(ctx context.Context, id client.ID, p JobPatch) (PluginJob, error) {
	if err := c.learn(ctx); err != nil {
		return PluginJob{}, err
	}
	response, err := c.write(ctx, http.MethodPatch, one(jobsPath, id), c.patch(p), nil)
	if err != nil {
		return PluginJob{}, err
	}
	return c.readJob(one(jobsPath, id), response.Body())
}

func (c *Client) patch(p JobPatch) map[string]any {
	columns := map[string]any{"updated_time": c.clock.naive(c.clock.serverNow())}
	if p.Progress != nil {
		columns["processing_complete"] = *p.Progress
	}
	if p.ETA != nil {
		columns["eta_time"] = c.clock.naive(*p.ETA)
	}
	for name, value := range map[string]*string{"attached_worker": p.Worker, "error_message": p.ErrorMessage, "error_detail": p.ErrorDetail} {
		switch {
		case value == nil:
		case *value == "":
			columns[name] = nil
		default:
			columns[name] = *value
		}
	}
	if worker, ok := columns["attached_worker"].(string); ok {
		columns["attached_worker"] = web.Cut(worker, 200)
	}
	return columns
}

// DeletePluginJob deletes the row of a job. Its result stays, without a job. It is
// also how EXACT stops one: a worker stops when its job is gone.
func (c *Client) DeletePluginJob(ctx context.Context, id client.ID) error {
	if err := c.remove(ctx, one(jobsPath, id)); err != nil {
		return fmt.Errorf("cannot delete job %d: %w", id, err)
	}
	return nil
}

// RestartPluginJob deletes the result of a job and makes it pending again, as the
// server's own restart does, and frees it too, which that one forgets.
func (c *Client) RestartPluginJob(ctx context.Context, id client.ID) (PluginJob, error) {
	results, err := c.Results(ctx, ResultQuery{Job: id})
	if err != nil {
		return PluginJob{}, err
	}
	for _, r := range results {
		if err := c.DeleteResult(ctx, r.ID); err != nil {
			return PluginJob{}, err
		}
	}
	none, zero := "", 0.0
	return c.PatchPluginJob(ctx, id, JobPatch{Progress: &zero, Worker: &none, ErrorMessage: &none, ErrorDetail: &none})
}
