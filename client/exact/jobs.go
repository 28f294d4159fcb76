package exact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Status maps the derived state onto the status that every kind of server has.
func (s State) Status() client.Status {
	switch s {
	case StateFailed:
		return client.Failed
	case StateDone:
		return client.Success
	case StateClaimed:
		return client.Running
	case StatePartial:
		return client.Indeterminate
	}
	return client.InQueue
}

// progress is for people: 100 only where the server means it.
func (j PluginJob) progress() int {
	if j.Progress == 100 {
		return 100
	}
	if math.IsNaN(j.Progress) {
		return 0
	}
	return int(min(99, max(0, j.Progress)))
}

// names are what the ids of a job stand for.
type names struct {
	places  map[client.ID]client.ID // image sets by image
	plugins map[client.ID]string
	users   map[client.ID]string
}

func (n names) job(j PluginJob) client.Job {
	return client.Job{
		ID: j.ID, Number: int(j.ID), Project: n.places[j.Image], Image: j.Image, Algorithm: j.Plugin,
		AlgorithmName: cmp.Or(n.plugins[j.Plugin], fmt.Sprintf("plugin %d", j.Plugin)),
		Status:        j.State().Status(), Progress: j.progress(), Comment: j.ErrorMessage,
		Created: j.Created, Updated: j.Updated, Username: userName(n.users, j.Creator), Raw: j.Raw,
	}
}

// snapshot is a list of jobs that was read not long ago, so that the next page of
// it costs nothing and fits the first.
type snapshot struct {
	project client.ID
	at      time.Time
	took    time.Duration // to read it
	jobs    []client.Job
}

const snapshotLife = 30 * time.Second

// slow is when reading a list costs the server so much that it is not read again
// at once, whoever asks: then it serves for five times as long as it took.
const slow = 500 * time.Millisecond

// serves tells whether the list is new enough; old that its beginning is shown.
func (s *snapshot) serves(project client.ID, now time.Time, old bool) bool {
	if s == nil || s.project != project {
		return false
	}
	life := time.Duration(0)
	switch {
	case old:
		life = snapshotLife
	case s.took > slow:
		life = min(5*s.took, snapshotLife)
	}
	return now.Sub(s.at) < life
}

// Jobs lists one page of jobs, newest first. EXACT cannot tell the jobs of an image
// set, so that all are read and joined with the images that the user may see; jobs
// on other images are left out.
func (c *Client) Jobs(ctx context.Context, f client.JobFilter) (client.JobPage, error) {
	all, err := c.allJobs(ctx, f.Project, f.Offset > 0)
	if err != nil {
		return client.JobPage{}, err
	}
	page := client.JobPage{Offset: f.Offset, Jobs: []client.Job{}}
	if f.Max <= 0 {
		f.Max = 100
	}
	for _, j := range all {
		if !matches(f, j) {
			continue
		}
		if page.Total++; page.Total > f.Offset && len(page.Jobs) < f.Max {
			page.Jobs = append(page.Jobs, j)
		}
	}
	return page, nil
}

func matches(f client.JobFilter, j client.Job) bool {
	return (len(f.Algorithms) == 0 || slices.Contains(f.Algorithms, j.Algorithm)) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, j.Status)) &&
		(len(f.Usernames) == 0 || slices.Contains(f.Usernames, j.Username)) &&
		(f.CreatedAfter.IsZero() || !j.Created.Before(f.CreatedAfter)) &&
		(f.CreatedBefore.IsZero() || !j.Created.After(f.CreatedBefore))
}

// allJobs reads the jobs of an image set, or all. old tells whether a list from a
// little while ago serves too.
func (c *Client) allJobs(ctx context.Context, project client.ID, old bool) ([]client.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, c.failed(ctx, err)
	}
	c.known.Lock()
	shot := c.known.snapshot
	c.known.Unlock()
	start := c.opts.Now()
	if shot.serves(project, start, old) {
		return shot.jobs, nil
	}
	rows, err := c.PluginJobs(ctx, JobQuery{})
	if err != nil {
		return nil, err
	}
	var lastImage, lastPlugin client.ID
	for _, row := range rows {
		lastImage, lastPlugin = max(lastImage, row.Image), max(lastPlugin, row.Plugin)
	}
	var n names
	if n.places, err = c.placesFor(ctx, project, lastImage); err != nil {
		return nil, err
	}
	if n.plugins, err = c.pluginNames(ctx, lastPlugin); err != nil {
		return nil, err
	}
	if n.users, err = c.userNames(ctx); err != nil {
		return nil, err
	}
	jobs := []client.Job{}
	for _, row := range rows {
		if _, ok := n.places[row.Image]; ok {
			jobs = append(jobs, n.job(row))
		}
	}
	slices.SortStableFunc(jobs, func(a, b client.Job) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
	})
	c.known.Lock()
	now := c.opts.Now()
	c.known.snapshot = &snapshot{project: project, at: now, took: now.Sub(start), jobs: jobs}
	c.known.Unlock()
	return jobs, nil
}

// Job reads one job.
func (c *Client) Job(ctx context.Context, id client.ID) (client.Job, error) {
	j, err := c.PluginJob(ctx, id)
	if err != nil {
		return client.Job{}, err
	}
	return c.named(ctx, j)
}

// named adds what the ids of one job stand for. An image that may not be seen
// leaves the project out.
func (c *Client) named(ctx context.Context, j PluginJob) (client.Job, error) {
	place, err := c.placeOf(ctx, j.Image)
	if err != nil {
		return client.Job{}, err
	}
	plugins, err := c.pluginNames(ctx, j.Plugin)
	if err != nil {
		return client.Job{}, err
	}
	users, err := c.userNames(ctx)
	if err != nil {
		return client.Job{}, err
	}
	n := names{places: map[client.ID]client.ID{j.Image: place}, plugins: plugins, users: users}
	job := n.job(j)
	job.Parameters = []client.JobParameter{}
	return job, nil
}

// placeOf is the image set of one image, 0 where the image may not be seen.
func (c *Client) placeOf(ctx context.Context, image client.ID) (client.ID, error) {
	c.known.Lock()
	place, ok := c.known.sets[image]
	c.known.Unlock()
	if ok {
		return place, nil
	}
	i, err := c.Image(ctx, image)
	if err != nil && !errors.Is(err, client.ErrNotFound) && !errors.Is(err, client.ErrForbidden) {
		return 0, err
	}
	c.known.Lock()
	defer c.known.Unlock()
	if c.known.sets == nil {
		c.known.sets = map[client.ID]client.ID{}
	}
	c.known.sets[image] = i.ImageSet
	return i.ImageSet, nil
}

// errNoImage is a job for EXACT without an image.
var errNoImage = fmt.Errorf("%w: a job on EXACT is over one image; choose an image", client.ErrInvalid)

// CreateJob makes the job of a plugin on one image. EXACT keeps neither comment
// nor parameters, and makes every job pending. A *DuplicateError tells that there
// is one already.
func (c *Client) CreateJob(ctx context.Context, j client.NewJob) (client.Job, error) {
	if j.Image == 0 {
		return client.Job{}, errNoImage
	}
	if len(j.Parameters) > 0 {
		return client.Job{}, fmt.Errorf("%w: EXACT keeps no parameters of jobs", client.ErrInvalid)
	}
	// The server lets anybody create jobs on images of anybody.
	image, err := c.Image(ctx, j.Image)
	if err != nil {
		return client.Job{}, fmt.Errorf("image %d: %w", j.Image, err)
	}
	if j.Project != 0 && image.ImageSet != j.Project {
		return client.Job{}, fmt.Errorf("%w: image %d is not in image set %d", client.ErrInvalid, j.Image, j.Project)
	}
	if image.Type == GeneratedImage {
		return client.Job{}, fmt.Errorf("%w: image %d was made by the server, nothing is run on it", client.ErrInvalid, j.Image)
	}
	made, err := c.CreatePluginJob(ctx, j.Image, j.Algorithm)
	if err != nil {
		return client.Job{}, err
	}
	return c.named(ctx, made)
}

// LaunchRequests are the requests that a launch writes with, in their order.
func (c *Client) LaunchRequests(j client.NewJob) ([]client.Request, error) {
	if j.Image == 0 {
		return nil, errNoImage
	}
	return []client.Request{
		{Method: http.MethodPost, Path: newJobPath, Body: map[string]client.ID{"image_id": j.Image, "plugin_id": j.Algorithm}, What: "makes the job"},
		{Method: http.MethodPatch, Path: jobsPath + "{job}/", Body: map[string]any{"attached_worker": "{host}_{run}", "updated_time": "{now}"},
			What: "claims the job, so that no worker takes it"},
		{Method: http.MethodPatch, Path: jobsPath + "{job}/", Body: map[string]any{"processing_complete": 0, "updated_time": "{now}"},
			What: "tells progress, and at the end 100 or an error_message"},
	}, nil
}
