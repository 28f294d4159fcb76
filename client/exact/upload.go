package exact

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/client"
)

// UpsertAnnotations writes ordinary annotations, several at once (Options.Uploads).
// progress, which may be nil, is told how many are there, one call at a time. The
// first error that does not pass ends it; doing it all again is harmless.
func (c *Client) UpsertAnnotations(ctx context.Context, all []Annotation, progress func(done int)) error {
	return c.upload(ctx, len(all), progress, func(ctx context.Context, i int) error {
		_, err := c.UpsertAnnotation(ctx, all[i])
		return err
	})
}

// UploadResultAnnotations adds annotations to an entry, several at once, and leaves
// out those whose UUID the entry already has: the server takes a second one with
// the same UUID as another annotation. Where an answer is lost the entry is read
// before anything is sent again. progress is as for UpsertAnnotations.
func (c *Client) UploadResultAnnotations(ctx context.Context, entry client.ID, all []ResultAnnotation, progress func(done int)) error {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Entry = entry; all[i].UUID == "" {
			return fmt.Errorf("annotation %d of entry %d has no UUID: %w", i, entry, client.ErrInvalid)
		}
	}
	return c.again(ctx, func() error {
		there := map[string]bool{}
		err := c.EachResultAnnotation(ctx, entry, false, func(a ResultAnnotation) error {
			there[strings.ToLower(a.UUID)] = true
			return nil
		})
		if err != nil {
			return err
		}
		missing := make([]ResultAnnotation, 0, len(all))
		for _, a := range all {
			if id := strings.ToLower(a.UUID); !there[id] {
				there[id] = true
				missing = append(missing, a)
			}
		}
		before := len(all) - len(missing)
		return c.upload(ctx, len(missing), func(done int) {
			if progress != nil {
				progress(before + done)
			}
		}, func(ctx context.Context, i int) error {
			_, err := c.CreateResultAnnotation(ctx, missing[i])
			return err
		})
	})
}

// upload calls send for 0..n-1, Options.Uploads at a time, until one fails, and
// waits for all that were begun.
func (c *Client) upload(ctx context.Context, n int, progress func(done int), send func(context.Context, int) error) error {
	var (
		all      sync.WaitGroup
		lock     sync.Mutex
		next     int
		done     int
		firstErr error
	)
	if n == 0 && progress != nil {
		progress(0)
	}
	for range min(c.opts.Uploads, n) {
		all.Go(func() {
			for {
				lock.Lock()
				i := next
				next++
				failed := firstErr != nil
				lock.Unlock()
				if i >= n || failed {
					return
				}
				err := send(ctx, i)
				lock.Lock()
				if err == nil {
					done++
					if progress != nil {
						progress(done)
					}
				} else if firstErr == nil {
					firstErr = fmt.Errorf("annotation %d of %d: %w", i+1, n, err)
				}
				lock.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return firstErr
}
