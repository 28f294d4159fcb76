package supervisor

import (
	"errors"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// errNoContainer is why a program of the demo has no limits.
var errNoContainer = errors.New("memory and processors are limited in containers only")

// noteLimits leaves in the events why limits that were asked for do not hold.
// The run goes on without: whoever launched it was told.
func (s *supervisor) noteLimits(runtime *apptainer.Apptainer) error {
	r := s.run().Resources
	if r.Memory == 0 && r.CPUs == 0 {
		return nil
	}
	err := errNoContainer
	if runtime != nil {
		err = runtime.Limits()
	}
	if err == nil {
		return nil
	}
	return s.event(runner.Event{Facts: map[string]string{runner.FactUnlimited: oneLine(err.Error()) + "; it runs without a limit"}})
}

// memoryLimit is the most memory that the container could have, in bytes; 0 for
// all of the box.
func (s *supervisor) memoryLimit() int64 {
	limit := s.run().Resources.Memory
	if limit == 0 {
		return 0
	}
	events, err := runner.ReadEvents(s.folder)
	if err != nil {
		return 0
	}
	for _, e := range events {
		if e.Facts[runner.FactUnlimited] != "" {
			return 0
		}
	}
	return limit
}
