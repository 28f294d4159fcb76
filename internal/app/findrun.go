package app

import (
	"fmt"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// FindRun finds a run of this box without a server: by its id or a unique part
// of it, @last or @failed.
func (e *Env) FindRun(name string) (runner.Run, error) {
	if name != "@last" && name != "@failed" {
		return e.Store.Find(name)
	}
	runs, err := e.Store.List()
	if err != nil {
		return runner.Run{}, err
	}
	for _, r := range runs {
		if name == "@last" || r.State == runner.Failed {
			return r, nil
		}
	}
	return runner.Run{}, fmt.Errorf("no run %s on this box: %w", name, client.ErrNotFound)
}
