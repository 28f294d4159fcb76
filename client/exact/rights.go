package exact

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/cytorun/cytorun/client"
)

// A right is a permission of Django that an account has or lacks, and a request
// that asks for it and changes nothing: permissions are looked at before the
// address and the body are (contract §1.2, recordings 085, 108 and 109).
type right struct{ name, method, path string }

var jobRight = right{"processing.change_pluginjob", http.MethodPatch, one(jobsPath, 0)}

var resultRights = []right{
	{"processing.add_pluginresult", http.MethodPost, resultsPath},
	{"processing.add_pluginresultentry", http.MethodPost, entriesPath},
	{"processing.add_pluginresultannotation", http.MethodPost, shapesPath},
}

// granted are the rights that an account was seen to have; they are asked for once.
type granted struct {
	mu    sync.Mutex
	names map[string]bool
}

// LackingRights names the permissions that the account lacks and a run needs: to
// claim a job, and with results to write what it found. None are named where the
// server does not say, so that a run may still meet a refusal.
func (c *Client) LackingRights(ctx context.Context, results bool) []string {
	rights := []right{jobRight}
	if results {
		rights = append(rights, resultRights...)
	}
	var lacking []string
	for _, r := range rights {
		switch has, sure := c.has(ctx, r); {
		case !sure:
			return lacking
		case !has:
			lacking = append(lacking, r.name)
		}
	}
	return lacking
}

func (c *Client) has(ctx context.Context, r right) (has, sure bool) {
	c.granted.mu.Lock()
	defer c.granted.mu.Unlock()
	if c.granted.names[r.name] {
		return true, true
	}
	_, err := c.write(ctx, r.method, r.path, struct{}{}, nil)
	switch {
	case errors.Is(err, client.ErrForbidden):
		return false, true
	case errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrInvalid):
		if c.granted.names == nil {
			c.granted.names = map[string]bool{}
		}
		c.granted.names[r.name] = true
		return true, true
	}
	return false, false
}
