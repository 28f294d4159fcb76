package web

import (
	"context"
	"sync"

	"github.com/cytorun/cytorun/client"
)

// KeyedLock lets one goroutine at a time work on the object with a given id.
type KeyedLock struct{ locks sync.Map }

// Lock waits for its turn. The returned function ends it.
func (k *KeyedLock) Lock(ctx context.Context, id client.ID) (unlock func(), err error) {
	slot, _ := k.locks.LoadOrStore(id, make(chan struct{}, 1))
	turn := slot.(chan struct{})
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
