package cytomine

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// Jobs lists one page of jobs, newest first.
func (c *Client) Jobs(ctx context.Context, f client.JobFilter) (client.JobPage, error) {
	page := client.JobPage{Offset: f.Offset, Jobs: []client.Job{}}
	size, err := c.rows(ctx, jobsPath(f), func(raw []byte) error {
		if job, err := jobOf(raw); err == nil && job.ID != 0 {
			if !f.WithParameters {
				job.Parameters = nil
			}
			page.Jobs = append(page.Jobs, job)
		}
		return nil
	})
	if err != nil {
		return client.JobPage{}, err
	}
	page.Total = max(size, f.Offset+len(page.Jobs))
	return page, nil
}

func jobsPath(f client.JobFilter) string {
	if f.Max <= 0 {
		f.Max = 100
	}
	var pairs []string
	add := func(name, value string) { pairs = append(pairs, name, value) }
	// The server splits the values of a bracketed filter at commas and decodes
	// each once more.
	filter := func(name string, values ...string) {
		for i := range values {
			values[i] = url.QueryEscape(values[i])
		}
		add(name, strings.Join(values, ","))
	}
	if f.Project != 0 {
		add("project", fmt.Sprint(f.Project))
	}
	if len(f.Algorithms) > 0 {
		add("software", join(f.Algorithms))
	}
	add("withJobParameters", strconv.FormatBool(f.WithParameters))
	if len(f.Statuses) > 0 {
		numbers := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			numbers[i] = strconv.Itoa(int(s))
		}
		filter("status[in]", numbers...)
	}
	if len(f.Usernames) > 0 {
		filter("username[in]", slices.Clone(f.Usernames)...)
	}
	if !f.CreatedAfter.IsZero() {
		filter("created[gte]", fmt.Sprint(f.CreatedAfter.UnixMilli()))
	}
	if !f.CreatedBefore.IsZero() {
		filter("created[lte]", fmt.Sprint(f.CreatedBefore.UnixMilli()))
	}
	add("sort", "created")
	add("order", "desc")
	add("max", fmt.Sprint(f.Max))
	add("offset", fmt.Sprint(f.Offset))
	return web.With("/api/job.json", pairs...)
}

func join[T any](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = fmt.Sprint(item)
	}
	return strings.Join(words, ",")
}
