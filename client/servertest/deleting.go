package servertest

import (
	"errors"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func deleteResults(t *testing.T, f Fixture) {
	deleter := ability[client.ResultDeleter](t, f.Server)
	counter := ability[client.AnnotationCounter](t, f.Server)
	store := ability[client.FileStore](t, f.Server)
	keys := ability[client.JobKeys](t, f.Server)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	for _, j := range []client.Job{job, other} {
		own := must[client.Keys](t)(keys.JobKeys(ctx, j))
		f.Annotate(t, own, 7)
		f.AddFile(t, own, j.ID, "report.html", []byte("a report"))
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
		files, err := store.JobFiles(ctx, c.job.ID)
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			t.Fatal(err)
		}
		if (len(counts) > 0) != c.left || (len(files) > 0) != c.left {
			t.Errorf("job %d: %+v, %+v; want some: %t", c.job.ID, counts, files, c.left)
		}
	}
	if err := deleter.DeleteResults(ctx, job.ID); err != nil && !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleting nothing: %v", err)
	}
	is(t, deleter.DeleteResults(ctx, missing), client.ErrNotFound)
}
