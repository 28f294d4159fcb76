package servertest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
)

func createJob(t *testing.T, f Fixture) {
	ctx := t.Context()
	before := time.Now().Add(-time.Minute)
	made := f.newJob(t, "0.5", "héllo \"x\"")
	for name, job := range map[string]client.Job{"answer": made, "read again": must[client.Job](t)(f.Server.Job(ctx, made.ID))} {
		if job.ID == 0 || (job.UserJob == 0) == f.can(client.KeysPerJob) || job.Project != f.Project || job.Algorithm != f.Algorithm || job.Username != f.Username ||
			job.Status != client.InQueue || (job.Comment != "cytorun test") == f.can(client.KeepsComments) || (job.Image == 0) == (f.JobImage != nil) || job.AlgorithmName == "" || job.Number == 0 ||
			job.Created.Before(before) || job.Created.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s: %+v", name, job)
		}
		if !f.can(client.KeepsParameters) {
			continue
		}
		values := map[string]string{}
		for _, p := range job.Parameters {
			if p.Value != nil {
				values[p.Name] = *p.Value
			}
		}
		if want := map[string]string{f.Parameters[1]: "0.5", f.Parameters[2]: "héllo \"x\""}; !reflect.DeepEqual(values, want) {
			t.Errorf("%s: parameters %v, want %v", name, values, want)
		}
	}
	if job := f.newJob(t); job.Parameters == nil || len(job.Parameters) != 0 || job.Number == made.Number {
		t.Errorf("without parameters: %+v", job)
	}
}

func refusedJobs(t *testing.T, f Fixture) {
	ctx := t.Context()
	job := f.describe(t, f.Project)
	refused := map[string]client.NewJob{
		"no such project":   {Project: missing, Algorithm: f.Algorithm, Image: job.Image},
		"no such algorithm": {Project: f.Project, Algorithm: missing, Image: job.Image},
		"nothing":           {},
	}
	if f.JobImage != nil {
		refused["no image"] = client.NewJob{Project: f.Project, Algorithm: f.Algorithm}
		refused["no such image"] = client.NewJob{Project: f.Project, Algorithm: f.Algorithm, Image: missing}
		refused["image of another project"] = client.NewJob{Project: f.OtherProject, Algorithm: f.Algorithm, Image: job.Image}
		refused["parameters"] = client.NewJob{Project: f.Project, Algorithm: f.Algorithm, Image: job.Image, Parameters: []client.NewJobParameter{{Parameter: 1, Value: "x"}}}
	}
	for name, j := range refused {
		if _, err := f.Server.CreateJob(ctx, j); !errors.Is(err, client.ErrInvalid) && !errors.Is(err, client.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.can(client.KeepsParameters) {
		longParameters(t, f)
	} else {
		made := must[client.Job](t)(f.Server.CreateJob(ctx, job))
		_, err := f.Server.UpdateJob(ctx, made.ID, func(c *client.JobChange) error { c.Progress = 101; return nil })
		is(t, err, client.ErrInvalid)
	}
	if page := must[client.JobPage](t)(f.Server.Jobs(ctx, client.JobFilter{Project: f.Project})); page.Total != 1 {
		t.Errorf("%d jobs, most from refused requests", page.Total)
	}
	_, err := f.Server.Job(ctx, missing)
	is(t, err, client.ErrNotFound)
	_, err = f.Server.UpdateJob(ctx, missing, func(*client.JobChange) error { return nil })
	is(t, err, client.ErrNotFound)
}

// longParameters makes one job.
func longParameters(t *testing.T, f Fixture) {
	ctx := t.Context()
	algorithm := must[client.Algorithm](t)(f.Server.Algorithm(ctx, f.Algorithm))
	value := func(s string) []client.NewJobParameter {
		return []client.NewJobParameter{{Parameter: algorithm.Parameters[1].ServerID, Value: s}}
	}
	_, err := f.Server.CreateJob(ctx, client.NewJob{Project: f.Project, Algorithm: f.Algorithm, Parameters: value(strings.Repeat("x", 5001))})
	is(t, err, client.ErrInvalid)
	job, err := f.Server.CreateJob(ctx, client.NewJob{Project: f.Project, Algorithm: f.Algorithm, Comment: strings.Repeat("ü", 400), Parameters: value(strings.Repeat("x", 5000))})
	if err != nil || len([]rune(job.Comment)) != 255 || len(*job.Parameters[0].Value) != 5000 {
		t.Errorf("at the limits: %+v, %v", job.Comment, err)
	}
	_, err = f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Progress = 101; return nil })
	is(t, err, client.ErrInvalid)
}

// nextMillisecond waits until the server's clock, which counts milliseconds,
// has moved on: lists are sorted by time. It asks the server what time it is by
// making jobs of another project.
func (f Fixture) nextMillisecond(t *testing.T, since time.Time) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		job, err := f.Server.CreateJob(t.Context(), f.describe(t, f.OtherProject))
		if err != nil {
			t.Fatal(err)
		}
		if job.Created.After(since) {
			return
		}
	}
	t.Fatal("the clock of the server stands still")
}

func listJobs(t *testing.T, f Fixture) {
	ctx := t.Context()
	var ids []client.ID
	for i := range 4 {
		job := f.newJob(t, fmt.Sprint(i))
		ids = append([]client.ID{job.ID}, ids...)
		f.nextMillisecond(t, job.Created)
	}
	failed := must[client.Job](t)(f.Server.UpdateJob(ctx, ids[1], func(c *client.JobChange) error { c.Status = client.Failed; return nil }))
	for name, c := range map[string]struct {
		filter client.JobFilter
		want   []client.ID
	}{
		"project":              {client.JobFilter{Project: f.Project}, ids},
		"no such project":      {client.JobFilter{Project: missing}, nil},
		"algorithm":            {client.JobFilter{Algorithms: []client.ID{f.Algorithm, missing}}, ids},
		"other algorithm":      {client.JobFilter{Algorithms: []client.ID{missing}}, nil},
		"status":               {client.JobFilter{Statuses: []client.Status{client.Failed}}, []client.ID{ids[1]}},
		"two states":           {client.JobFilter{Statuses: []client.Status{client.Failed, client.InQueue}}, ids},
		"user":                 {client.JobFilter{Usernames: []string{f.Username}}, ids},
		"other user":           {client.JobFilter{Usernames: []string{"no one + else, %41"}}, nil},
		"one of two users":     {client.JobFilter{Usernames: []string{"somebody", f.Username}}, ids},
		"created before":       {client.JobFilter{CreatedBefore: failed.Created.Add(-time.Hour)}, nil},
		"created after":        {client.JobFilter{CreatedAfter: failed.Created.Add(-time.Hour)}, ids},
		"created exactly then": {client.JobFilter{CreatedAfter: failed.Created, CreatedBefore: failed.Created}, []client.ID{ids[1]}},
	} {
		if c.filter.Project == 0 {
			c.filter.Project = f.Project
		}
		page, err := f.Server.Jobs(ctx, c.filter)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []client.ID
		for _, j := range page.Jobs {
			got = append(got, j.ID)
			if j.Parameters != nil || j.Username != f.Username || j.AlgorithmName == "" {
				t.Errorf("%s: %+v", name, j)
			}
		}
		if !slices.Equal(got, c.want) || page.Total != len(c.want) {
			t.Errorf("%s: %v of %d, want %v", name, got, page.Total, c.want)
		}
	}
	everywhere := must[client.JobPage](t)(f.Server.Jobs(ctx, client.JobFilter{}))
	if everywhere.Total <= len(ids) {
		t.Errorf("%d jobs in all projects", everywhere.Total)
	}
	if !f.can(client.KeepsParameters) {
		return
	}
	page := must[client.JobPage](t)(f.Server.Jobs(ctx, client.JobFilter{Project: f.Project, WithParameters: true}))
	for i, j := range page.Jobs {
		if len(j.Parameters) != 1 || *j.Parameters[0].Value != fmt.Sprint(3-i) || j.Parameters[0].Name != f.Parameters[1] {
			t.Errorf("with parameters: %+v", j.Parameters)
		}
	}
}

func pageJobs(t *testing.T, f Fixture) {
	ctx := t.Context()
	const total = 7
	for range total {
		f.newJob(t)
	}
	seen := map[client.ID]bool{}
	for offset := 0; offset < total; offset += 3 {
		page := must[client.JobPage](t)(f.Server.Jobs(ctx, client.JobFilter{Project: f.Project, Max: 3, Offset: offset}))
		if page.Total != total || page.Offset != offset || len(page.Jobs) != min(3, total-offset) {
			t.Errorf("at %d: %d jobs of %d", offset, len(page.Jobs), page.Total)
		}
		for _, j := range page.Jobs {
			seen[j.ID] = true
		}
	}
	if len(seen) != total {
		t.Errorf("%d of %d jobs on the pages", len(seen), total)
	}
	beyond := must[client.JobPage](t)(f.Server.Jobs(ctx, client.JobFilter{Project: f.Project, Max: 3, Offset: 100}))
	if len(beyond.Jobs) != 0 {
		t.Errorf("%d jobs beyond the end", len(beyond.Jobs))
	}
}

func updateKeeps(t *testing.T, f Fixture) {
	ctx := t.Context()
	job := f.newJob(t, "1")
	field := f.Mark(t, job.ID)
	before := rawFields(t, must[client.Job](t)(f.Server.Job(ctx, job.ID)))
	if before[field] == nil {
		t.Fatalf("%s was not set: %v", field, before)
	}
	updated := must[client.Job](t)(f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error {
		if c.Status != client.InQueue || (c.Comment != "cytorun test") == f.can(client.KeepsComments) {
			t.Errorf("starts as %+v", c)
		}
		c.Status, c.Progress, c.Comment = client.Running, 40, strings.Repeat("ß", 300)
		return nil
	}))
	read := must[client.Job](t)(f.Server.Job(ctx, job.ID))
	for name, j := range map[string]client.Job{"answer": updated, "read again": read} {
		if j.Status != client.Running || j.Progress != 40 || (j.Comment != strings.Repeat("ß", 255)) == f.can(client.KeepsComments) || !j.Created.Equal(job.Created) || j.Username != f.Username {
			t.Errorf("%s: %+v", name, j)
		}
	}
	after := rawFields(t, read)
	for name, was := range before {
		if !slices.Contains(f.Changes, name) && !reflect.DeepEqual(after[name], was) {
			t.Errorf("%s was %v, is %v", name, was, after[name])
		}
	}
	cleared := must[client.Job](t)(f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Comment, c.Progress = "", 0; return nil }))
	if cleared.Comment != "" || cleared.Progress != 0 || cleared.Status != client.Running {
		t.Errorf("cleared: %+v", cleared)
	}
}

func updateNothing(t *testing.T, f Fixture) {
	ctx := t.Context()
	job := f.newJob(t)
	before := must[client.Job](t)(f.Server.Job(ctx, job.ID))
	same := must[client.Job](t)(f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error {
		c.Status = client.Failed
		return client.ErrNoChange
	}))
	own := errors.New("own")
	_, err := f.Server.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Status = client.Failed; return own })
	is(t, err, own)
	after := must[client.Job](t)(f.Server.Job(ctx, job.ID))
	if same.Status != client.InQueue || string(before.Raw) != string(after.Raw) {
		t.Errorf("%s became %s", before.Raw, after.Raw)
	}
}

func updateConcurrently(t *testing.T, f Fixture) {
	job := f.newJob(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := f.Server.UpdateJob(t.Context(), job.ID, func(c *client.JobChange) error { c.Progress++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if now := must[client.Job](t)(f.Server.Job(t.Context(), job.ID)); now.Progress != 20 {
		t.Errorf("20 updates made progress %d", now.Progress)
	}
}

// updateFromTwo: what one program wrote is not undone by another one's update
// of something else.
func updateFromTwo(t *testing.T, f Fixture) {
	job := f.newJob(t)
	must[client.Job](t)(f.Second.UpdateJob(t.Context(), job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil }))
	now := must[client.Job](t)(f.Server.UpdateJob(t.Context(), job.ID, func(c *client.JobChange) error { c.Progress = 100; return nil }))
	if now.Status != client.Success || now.Progress != 100 {
		t.Errorf("%+v", now)
	}
}
