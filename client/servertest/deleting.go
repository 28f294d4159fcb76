package servertest

import (
	"errors"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func deleteResults(t *testing.T, f Fixture) {
	deleter := has[client.ResultDeleter](t, f.Server)
	counter := has[client.AnnotationCounter](t, f.Server)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	for _, j := range []client.Job{job, other} {
		f.Annotate(t, j, 7)
		if f.can(client.KeepsFiles) {
			f.AddFile(t, j, "report.html", []byte("a report"))
		}
	}
	if err := deleter.DeleteResults(ctx, job.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		job  client.Job
		left bool
	}{{job, false}, {other, true}} {
		counts, err := counter.AnnotationCounts(ctx, c.job)
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			t.Fatal(err)
		}
		if (len(counts) > 0) != c.left {
			t.Errorf("job %d: %+v; want some: %t", c.job.ID, counts, c.left)
		}
		if !f.can(client.KeepsFiles) {
			continue
		}
		files, err := has[client.FileStore](t, f.Server).JobFiles(ctx, c.job.ID)
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			t.Fatal(err)
		}
		if (len(files) > 0) != c.left {
			t.Errorf("job %d: %+v; want some: %t", c.job.ID, files, c.left)
		}
	}
	if err := deleter.DeleteResults(ctx, job.ID); err != nil && !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleting nothing: %v", err)
	}
	is(t, deleter.DeleteResults(ctx, missing), client.ErrNotFound)
}
