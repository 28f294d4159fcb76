package exact

import (
	"context"
	"sync"

	"github.com/cytorun/cytorun/client"
)

// keyedLock lets one goroutine at a time work on the object with a given id.
type keyedLock struct{ locks sync.Map }

// lock waits for its turn. The returned function ends it.
func (k *keyedLock) lock(ctx context.Context, id client.ID) (unlock func(), err error) {
	slot, _ := k.locks.LoadOrStore(id, make(chan struct{}, 1))
	turn := slot.(chan struct{})
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
