package upload

import (
	"context"
	"errors"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/shapes"
)

// What was on its way when a Send was stopped may still arrive: ordinary
// annotations are looked for again, until a look finds none.
const (
	undoLooks = 5
	undoPause = 500 * time.Millisecond
)

// Undo takes away what a Send has written before it was stopped: the result, and
// the ordinary annotations of this run.
func (j Job) Undo(ctx context.Context, f Found, sent Sent) error {
	var failed error
	if sent.Result != 0 {
		if err := j.Server.DeleteResult(ctx, sent.Result); !errors.Is(err, client.ErrNotFound) {
			failed = err
		}
	}
	if !j.Run.Algorithm.Writes.Annotations() {
		return failed
	}
	for look := range undoLooks {
		removed, err := j.removeOrdinary(ctx, f)
		if err != nil {
			return errors.Join(failed, err)
		}
		if removed == 0 && look > 0 {
			break
		}
		select {
		case <-time.After(undoPause):
		case <-ctx.Done():
			return errors.Join(failed, ctx.Err())
		}
	}
	return failed
}

// removeOrdinary deletes the ordinary annotations of this run, and tells how many
// there were.
func (j Job) removeOrdinary(ctx context.Context, f Found) (removed int, err error) {
	var uuids []string
	flush := func() error {
		n, err := j.remove(ctx, uuids)
		removed, uuids = removed+n, nil
		return err
	}
	for _, name := range f.Annotations {
		err := j.read(name, func(s shapes.Shape) error {
			if uuids = append(uuids, j.uuid(name, s)); len(uuids) < batch {
				return nil
			}
			return flush()
		})
		if err != nil {
			return removed, err
		}
	}
	if len(uuids) > 0 {
		err = flush()
	}
	return removed, err
}

func (j Job) remove(ctx context.Context, uuids []string) (int, error) {
	var ids []client.ID
	var all []exact.Annotation
	err := j.Server.EachAnnotation(ctx, exact.AnnotationQuery{Image: j.Run.Image.ID, UUIDs: uuids, Vectors: true}, func(a exact.Annotation) error {
		a.Deleted = true
		ids, all = append(ids, a.ID), append(all, a)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = j.Server.DeleteAnnotations(ctx, ids)
	if errors.Is(err, client.ErrForbidden) {
		// As people delete: who may add may also do that.
		err = j.Server.UpsertAnnotations(ctx, all, nil)
	}
	return len(ids), err
}
