package exact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// UpdateJob reads the job, lets change edit it and writes the columns that differ.
// The server saves whole rows, so that another program's write at the same time
// can undo ours: it is read again, and written again if that happened.
func (c *Client) UpdateJob(ctx context.Context, id client.ID, change func(*client.JobChange) error) (client.Job, error) {
	unlock, err := c.updates.Lock(ctx, id)
	if err != nil {
		return client.Job{}, c.failed(ctx, err)
	}
	defer unlock()
	for attempt := 0; ; attempt++ {
		before, err := c.PluginJob(ctx, id)
		if err != nil {
			return client.Job{}, err
		}
		now := client.JobChange{Status: before.State().Status(), Progress: before.progress(), Comment: before.ErrorMessage}
		wanted := now
		err = change(&wanted)
		if errors.Is(err, client.ErrNoChange) {
			return c.named(ctx, before)
		}
		if err != nil {
			return client.Job{}, err
		}
		if wanted.Progress < 0 || wanted.Progress > 100 {
			return client.Job{}, fmt.Errorf("%w: a progress of %d", client.ErrInvalid, wanted.Progress)
		}
		p := c.columns(before, now, wanted)
		if p == (JobPatch{}) {
			return c.named(ctx, before)
		}
		if _, err := c.PatchPluginJob(ctx, id, p); err != nil {
			return client.Job{}, err
		}
		after, err := c.PluginJob(ctx, id)
		if err != nil {
			return client.Job{}, err
		}
		if holds(after, p) || attempt == web.Retries {
			return c.named(ctx, after)
		}
	}
}

// columns are what must be written so that the state of a job becomes another.
func (c *Client) columns(j PluginJob, now, wanted client.JobChange) (p JobPatch) {
	text := func(old, s string) *string {
		if s == old {
			return nil
		}
		return &s
	}
	number := func(n float64) *float64 {
		if n == j.Progress {
			return nil
		}
		return &n
	}
	if wanted.Progress != now.Progress {
		p.Progress = number(float64(wanted.Progress))
	}
	if wanted.Status == now.Status {
		if wanted.Status == client.Failed {
			p.ErrorMessage = text(j.ErrorMessage, cmp.Or(wanted.Comment, j.ErrorMessage))
		}
		return p
	}
	p.ErrorMessage, p.ErrorDetail = text(j.ErrorMessage, ""), text(j.ErrorDetail, "")
	switch wanted.Status {
	case client.Success:
		p.Progress, p.Worker = number(100), text(j.Worker, "")
	case client.Running:
		p.Worker = text(j.Worker, cmp.Or(j.Worker, workerName()))
		if j.Progress == 100 && p.Progress == nil {
			p.Progress = number(99)
		}
	case client.NotLaunched, client.InQueue, client.Waiting:
		p.Worker, p.Progress = text(j.Worker, ""), number(0)
	case client.Indeterminate:
		p.Worker = text(j.Worker, "")
	default:
		p.ErrorMessage, p.ErrorDetail = text(j.ErrorMessage, cmp.Or(wanted.Comment, wanted.Status.String())), nil
		p.Worker = text(j.Worker, "")
	}
	return p
}

// holds tells whether a row has what a patch wrote.
func holds(j PluginJob, p JobPatch) bool {
	return (p.Progress == nil || *p.Progress == j.Progress) && (p.Worker == nil || *p.Worker == j.Worker) &&
		(p.ErrorMessage == nil || *p.ErrorMessage == j.ErrorMessage) && (p.ErrorDetail == nil || *p.ErrorDetail == j.ErrorDetail)
}

// workerName is what a job says of who works on it when nobody gave a name.
func workerName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "cytorun"
	}
	host, _, _ = strings.Cut(host, ".")
	return host + "_cytorun"
}
