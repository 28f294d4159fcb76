package report

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
)

// End is how a run ended, for the server.
type End struct {
	State  runner.State `json:"state"`
	Reason string       `json:"reason,omitempty"`
	// Detail is the end of the log, for servers that keep no logs but some text of
	// a failure (EXACT).
	Detail string `json:"detail,omitempty"`
}

// send writes the end of a run to its job.
func (e End) send(ctx context.Context, server client.Server, r runner.Run, job client.ID) error {
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	if x, ok := server.(*exact.Client); ok {
		return e.sendExact(ctx, x, r, job)
	}
	run := r.ID
	_, err := server.UpdateJob(ctx, job, func(c *client.JobChange) error {
		return e.change(run, c, client.Killed)
	})
	if err == nil || client.Transient(err) || e.State != runner.Cancelled || !refused(err) {
		return err
	}
	// Servers before Cytomine 3 have no status for "killed".
	_, err = server.UpdateJob(ctx, job, func(c *client.JobChange) error {
		return e.change(run, c, client.Failed)
	})
	return err
}

// refused tells that the server will not take this, now or later.
func refused(err error) bool {
	if errors.Is(err, client.ErrUnauthorised) || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrForbidden) {
		return false
	}
	var h *client.HTTPError
	return errors.Is(err, client.ErrInvalid) || errors.As(err, &h) && h.Status >= 400 && h.Status < 500
}

// change edits the job into how the run ended. killed is the status for a
// cancelled run.
func (e End) change(run string, c *client.JobChange, killed client.Status) error {
	was := *c
	own := said(run, c.Comment)
	switch e.State {
	case runner.Succeeded:
		c.Status, c.Progress = client.Success, 100
		if own == "" {
			c.Comment = Comment(run, e.Reason)
		}
	case runner.Cancelled:
		c.Status, c.Comment = killed, Comment(run, e.Reason)
	default:
		c.Status = client.Failed
		switch {
		case was.Status == client.Success:
			text := e.Reason + "; the program itself had reported success"
			if own != "" {
				text += ": " + own
			}
			c.Comment = Comment(run, text)
		case was.Status == client.Failed && own == "" && e.Reason != "" && strings.HasPrefix(was.Comment, e.Reason):
			// Told already, and the answer was lost: what else the comment says
			// of the program's own words stays.
		case was.Status == client.Failed && own != "":
			// The program's own words about its failure are the better ones.
		default:
			c.Comment = Comment(run, e.Reason)
		}
	}
	if *c == was {
		return client.ErrNoChange
	}
	return nil
}

// said is what the program wrote as the job's comment; empty where the comment
// is ours.
func said(run, comment string) string {
	if strings.Contains(comment, Mark(run)) {
		return ""
	}
	return strings.TrimSpace(comment)
}

// Said is what the program itself wrote as the comment of a run's job.
func Said(run string, job client.Job) string { return said(run, job.Comment) }

// describe names what could not be sent.
func describe(job client.ID, err error) error {
	return fmt.Errorf("cannot report the end of job %d: %w", job, err)
}
