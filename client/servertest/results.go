package servertest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func listAnnotations(t *testing.T, f Fixture) {
	lister := has[client.AnnotationLister](t, f.Server)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	all := func(j client.Job, shapes bool) (found []client.Annotation) {
		t.Helper()
		if err := lister.Annotations(ctx, j, shapes, func(a client.Annotation) error { found = append(found, a); return nil }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if none := all(job, false); len(none) != 0 {
		t.Errorf("%+v", none)
	}
	term := f.Annotate(t, job, 12)
	f.Annotate(t, other, 3)
	total := 12
	if f.can(client.DrawsUntyped) {
		total = 24
	}
	for _, shapes := range []bool{false, true} {
		found := all(client.Job{ID: job.ID}, shapes)
		if len(found) != total {
			t.Fatalf("%d annotations", len(found))
		}
		ids, named := map[client.ID]bool{}, 0
		for _, a := range found {
			ids[a.ID] = true
			if slices.Equal(a.TermNames, []string{term}) && len(a.Terms) == 1 {
				named++
			}
			if a.Image == 0 || a.ImageName == "" || a.Created.IsZero() || a.Reviewed || a.Area <= 0 && a.Unit != "" {
				t.Errorf("%+v", a)
			}
			if strings.HasPrefix(a.Shape, "POLYGON") != shapes {
				t.Errorf("shape %q, asked for: %t", a.Shape, shapes)
			}
		}
		if len(ids) != total || named != 12 {
			t.Errorf("%d ids, %d with the term", len(ids), named)
		}
	}
	own := errors.New("enough")
	n := 0
	err := lister.Annotations(ctx, job, false, func(client.Annotation) error { n++; return own })
	if is(t, err, own); n != 1 {
		t.Errorf("went on after the error: %d", n)
	}
}

func listImages(t *testing.T, f Fixture) {
	lister := has[client.ImageLister](t, f.Server)
	n := 0
	err := lister.Images(t.Context(), f.Project, func(i client.Image) error {
		if n++; i.ID == 0 || i.Name == "" || i.Width <= 0 || i.Height <= 0 || i.Resolution < 0 {
			t.Errorf("%+v", i)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d images, %v", n, err)
	}
}

func deleteJobs(t *testing.T, f Fixture) {
	deleter := has[client.JobDeleter](t, f.Server)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	if err := deleter.DeleteJob(ctx, job.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.Server.Job(ctx, job.ID)
	is(t, err, client.ErrNotFound)
	must[client.Job](t)(f.Server.Job(ctx, other.ID))
	is(t, deleter.DeleteJob(ctx, job.ID), client.ErrNotFound)
	if stranger, ok := f.Stranger.(client.JobDeleter); ok {
		is(t, stranger.DeleteJob(ctx, other.ID), client.ErrForbidden)
	}
}

func eraseResults(t *testing.T, f Fixture) {
	ability[client.ResultEraser](t, f, f.Server, client.ErasesOneByOne)
	keys := has[client.JobKeys](t, f.Server)
	lister := has[client.AnnotationLister](t, f.Server)
	ctx := t.Context()
	job := f.newJob(t)
	f.Annotate(t, job, 2)
	deleter := has[client.ResultEraser](t, f.As(t, must[client.Keys](t)(keys.JobKeys(ctx, job))))
	var ids []client.ID
	each := func(a client.Annotation) error { ids = append(ids, a.ID); return nil }
	if err := lister.Annotations(ctx, job, false, each); err != nil || len(ids) != 4 {
		t.Fatalf("%v, %v", ids, err)
	}
	for _, id := range ids[1:] {
		if err := deleter.DeleteAnnotation(ctx, id); err != nil {
			t.Error(err)
		}
	}
	left := ids[0]
	ids = nil
	if err := lister.Annotations(ctx, job, false, each); err != nil || !slices.Equal(ids, []client.ID{left}) {
		t.Errorf("%v are left, want %d; %v", ids, left, err)
	}
	is(t, deleter.DeleteAnnotation(ctx, missing), client.ErrNotFound)
	store := has[client.FileStore](t, f.Server)
	f.AddFile(t, job, "a.csv", []byte("a"))
	f.AddFile(t, job, "b.csv", []byte("b"))
	files := must[[]client.JobFile](t)(store.JobFiles(ctx, job.ID))
	if len(files) != 2 {
		t.Fatalf("%+v", files)
	}
	if err := deleter.DeleteJobFile(ctx, files[0].ID); err != nil {
		t.Error(err)
	}
	if now := must[[]client.JobFile](t)(store.JobFiles(ctx, job.ID)); len(now) != 1 || now[0].ID != files[1].ID {
		t.Errorf("left: %+v", now)
	}
	is(t, deleter.DeleteJobFile(ctx, missing), client.ErrNotFound)
}
