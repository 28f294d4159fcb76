package exact

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
)

// known keeps what changes rarely and is asked for with every list of jobs, so that
// looking again at the jobs of a large image set is one request.
type known struct {
	sync.Mutex
	places   map[client.ID]list[client.ID] // by image set, 0 all: image sets by image
	plugins  list[string]                  // names by id
	users    list[string]
	sets     map[client.ID]client.ID // image sets by image, of single ones
	snapshot *snapshot
}

// list is a list of the server as it was a while ago.
type list[V any] struct {
	byID map[client.ID]V
	at   time.Time
	// last is the largest id that this list was asked for: what has a larger one
	// was made since.
	last client.ID
}

// knownFor is how long a list serves.
const knownFor = time.Minute

// recall gives a list as it is known, or reads it again where it is too old or
// was read before the object with the id last was made.
func recall[V any](c *Client, get func(*known) list[V], put func(*known, list[V]), last client.ID, read func() (map[client.ID]V, error)) (map[client.ID]V, error) {
	c.known.Lock()
	l := get(&c.known)
	c.known.Unlock()
	now := c.opts.Now()
	if l.byID != nil && now.Sub(l.at) < knownFor && last <= l.last {
		return l.byID, nil
	}
	byID, err := read()
	if err != nil {
		return nil, err
	}
	fresh := list[V]{byID, now, max(last, l.last)}
	for id := range byID {
		fresh.last = max(fresh.last, id)
	}
	c.known.Lock()
	put(&c.known, fresh)
	c.known.Unlock()
	return byID, nil
}

// placesFor gives the image set of each image in a set, 0 for all that may be seen;
// last is the newest image of interest. A set that may not be seen has none.
func (c *Client) placesFor(ctx context.Context, set, last client.ID) (map[client.ID]client.ID, error) {
	return recall(c,
		func(k *known) list[client.ID] { return k.places[set] },
		func(k *known, l list[client.ID]) {
			if k.places == nil {
				k.places = map[client.ID]list[client.ID]{}
			}
			k.places[set] = l
		}, last,
		func() (map[client.ID]client.ID, error) {
			places, err := c.imagePlaces(ctx, set)
			if errors.Is(err, client.ErrNotFound) {
				return map[client.ID]client.ID{}, nil
			}
			return places, err
		})
}

// pluginNames gives the names of the plugins; last is the newest one of interest.
func (c *Client) pluginNames(ctx context.Context, last client.ID) (map[client.ID]string, error) {
	return recall(c,
		func(k *known) list[string] { return k.plugins },
		func(k *known, l list[string]) { k.plugins = l }, last,
		func() (map[client.ID]string, error) {
			all, err := c.Plugins(ctx)
			names := make(map[client.ID]string, len(all))
			for _, p := range all {
				names[p.ID] = p.Name
			}
			return names, err
		})
}

// userNames gives the names of the users that the user may see.
func (c *Client) userNames(ctx context.Context) (map[client.ID]string, error) {
	return recall(c,
		func(k *known) list[string] { return k.users },
		func(k *known, l list[string]) { k.users = l }, 0,
		func() (map[client.ID]string, error) { return c.readUserNames(ctx) })
}

// forget drops the list of jobs, after something was written.
func (c *Client) forget() {
	c.known.Lock()
	c.known.snapshot = nil
	c.known.Unlock()
}
