package cytomine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"unicode/utf16"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// Limits of the server's columns, in characters.
const (
	maxComment = 255
	maxValue   = 5000
)

// ValueTooLongError tells that a value does not fit into the server's column.
// It is client.ErrInvalid.
type ValueTooLongError struct {
	Parameter   client.ID
	Length, Max int // in characters
}

// Error says what to do about it.
func (e *ValueTooLongError) Error() string {
	return fmt.Sprintf("the value of parameter %d has %d characters, the server takes %d; choose fewer items, or start one analysis for each part", e.Parameter, e.Length, e.Max)
}

// Unwrap gives client.ErrInvalid.
func (e *ValueTooLongError) Unwrap() error { return client.ErrInvalid }

// newJob is the body that makes a job.
func newJob(j client.NewJob) (map[string]any, error) {
	type param struct {
		SoftwareParameter client.ID `json:"softwareParameter"`
		Value             string    `json:"value"`
	}
	params := make([]param, 0, len(j.Parameters))
	for _, p := range j.Parameters {
		// The server counts as Java does.
		if n := len(utf16.Encode([]rune(p.Value))); n > maxValue {
			return nil, &ValueTooLongError{p.Parameter, n, maxValue}
		}
		params = append(params, param{p.Parameter, p.Value})
	}
	body := map[string]any{"project": j.Project, "software": j.Algorithm, "params": params, "status": j.Status}
	if j.Comment != "" {
		body["statusComment"] = web.Cut(j.Comment, maxComment)
	}
	return body, nil
}

const newJobPath = "/api/job.json"

// LaunchRequests are the requests that a launch writes with, in their order.
func (c *Client) LaunchRequests(j client.NewJob) ([]client.Request, error) {
	job, err := newJob(j)
	if err != nil {
		return nil, err
	}
	return []client.Request{
		{Method: http.MethodPost, Path: newJobPath, Body: job, What: "makes the job and its user"},
		{Method: http.MethodGet, Path: "/api/userJob/{job.userJob}.json", What: "reads the keys of that user, for the program"},
		{Method: http.MethodPut, Path: "/api/job/{job}.json", Body: map[string]any{"status": client.Running, "progress": 0},
			What: "tells each state: the whole job as it was just read, with a new status, progress and statusComment"},
		{Method: http.MethodPost, Path: "/api/attachedfile.json?domainClassName=" + jobClass + "&domainIdent={job}", What: "attaches the log as " + logName + " at the end"},
	}, nil
}

// CreateJob makes a job with its parameters and its own user in one request.
// Where the answer is lost the job may exist: look for it before trying again.
func (c *Client) CreateJob(ctx context.Context, j client.NewJob) (client.Job, error) {
	request, err := newJob(j)
	if err != nil {
		return client.Job{}, err
	}
	answer, err := c.write(ctx, http.MethodPost, newJobPath, request)
	if err != nil {
		return client.Job{}, err
	}
	job, err := c.readJob(newJobPath, unwrap(answer, "job"))
	if err != nil {
		return client.Job{}, err
	}
	if len(job.Parameters) >= len(j.Parameters) && job.UserJob != 0 {
		return job, nil
	}
	// The server renders its answer before it stores the parameters.
	if whole, err := c.Job(ctx, job.ID); err == nil {
		return whole, nil
	}
	return job, nil // it exists, which is what counts
}

// UpdateJob reads the job, lets change edit it and writes the whole object
// back. Updates of one job by this Client wait for each other; between two
// programs the last one wins, because the server has no compare-and-set.
func (c *Client) UpdateJob(ctx context.Context, id client.ID, change func(*client.JobChange) error) (client.Job, error) {
	unlock, err := c.updates.Lock(ctx, id)
	if err != nil {
		return client.Job{}, c.failed(ctx, err)
	}
	defer unlock()
	raw, err := c.do(ctx, call{method: http.MethodGet, path: jobPath(id)})
	if err != nil {
		return client.Job{}, err
	}
	job, err := c.readJob(jobPath(id), raw)
	if err != nil {
		return client.Job{}, err
	}
	before := client.JobChange{Status: job.Status, Progress: job.Progress, Comment: job.Comment}
	after := before
	if err := change(&after); errors.Is(err, client.ErrNoChange) {
		return job, nil
	} else if err != nil {
		return client.Job{}, err
	}
	after.Comment = web.Cut(after.Comment, maxComment)
	if after == before {
		return job, nil
	}
	body, err := changed(raw, before, after)
	if err != nil {
		return client.Job{}, c.unreadable(jobPath(id), raw, err)
	}
	answer, err := c.do(ctx, call{method: http.MethodPut, path: jobPath(id), body: body, contentType: "application/json"})
	if err != nil {
		return client.Job{}, err
	}
	return c.readJob(jobPath(id), unwrap(answer, "job"))
}

// changed writes what differs into the raw object.
func changed(raw []byte, before, after client.JobChange) ([]byte, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if after.Status != before.Status {
		fields["status"] = int(after.Status)
	}
	if after.Progress != before.Progress {
		fields["progress"] = after.Progress
	}
	if after.Comment != before.Comment {
		fields["statusComment"] = after.Comment
	}
	for name := range maps.Keys(fields) {
		value, err := json.Marshal(fields[name])
		if err != nil {
			return nil, err
		}
		object[name] = value
	}
	return json.Marshal(object)
}

// JobKeys gives the keys of the job's own user.
func (c *Client) JobKeys(ctx context.Context, job client.Job) (client.Keys, error) {
	if job.UserJob == 0 {
		whole, err := c.Job(ctx, job.ID)
		if err != nil {
			return client.Keys{}, err
		}
		if job = whole; job.UserJob == 0 {
			return client.Keys{}, client.NotFound("job %d has no user of its own; start a new analysis", job.ID)
		}
	}
	var w struct{ PublicKey, PrivateKey text }
	err := c.get(ctx, fmt.Sprintf("/api/userJob/%d.json", job.UserJob), &w)
	if err == nil && (w.PublicKey == "" || w.PrivateKey == "") || errors.Is(err, client.ErrNotFound) {
		err = c.get(ctx, fmt.Sprintf("/api/user/%d.json", job.UserJob), &w)
	}
	if err != nil {
		return client.Keys{}, err
	}
	if w.PublicKey == "" || w.PrivateKey == "" {
		return client.Keys{}, fmt.Errorf("%s does not give the keys of job %d: %w; only who started the job may have them", c.base, job.ID, client.ErrForbidden)
	}
	return client.Keys{Public: string(w.PublicKey), Private: string(w.PrivateKey)}, nil
}
