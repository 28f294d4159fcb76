package supervisor

import (
	"context"
	"strconv"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// request is what the run wants from the box besides its turn.
func (s *supervisor) request() gpu.Request {
	r := s.run().Resources
	typical := r.Expected
	if r.TimeLimit > 0 && (typical == 0 || r.TimeLimit < typical) {
		typical = r.TimeLimit
	}
	return gpu.Request{Count: r.GPUs, Names: r.Devices, Memory: r.GPUMemory, Typical: typical}
}

// draw gives the run its place in the box's queue, in the order of launches.
func (s *supervisor) draw() (*gpu.Queue, int64, error) {
	q, err := gpu.Open(s.run().ID, s.waiting)
	if err != nil {
		return nil, 0, err
	}
	number, err := q.Draw(s.run().Ticket)
	if err == nil && number != s.run().Ticket {
		err = s.event(runner.Event{Facts: map[string]string{runner.FactTicket: strconv.FormatInt(number, 10)}})
	}
	return q, number, err
}

// watchGPUs samples what the run does with its GPUs. The channel gives nil for
// a run that has none.
func (s *supervisor) watchGPUs(ctx context.Context) <-chan runner.GPUUse {
	if len(s.run().GPUs) == 0 {
		return nil
	}
	return gpu.Watch(ctx, gpu.Watched{
		Run: s.run().ID, GPUs: s.run().GPUs, Shared: s.run().Resources.GPUMemory > 0, File: s.path("gpu.json"),
	})
}

// noteUsage writes into the box's log what the run took.
func (s *supervisor) noteUsage(exit runner.Exit) {
	paths, err := profile.DefaultPaths()
	if err == nil {
		err = gpu.LogUse(paths.State, gpu.Record{
			Run: s.run().ID, Algorithm: s.run().Algorithm.Name, GPUs: s.run().GPUs, Started: exit.Started, Ended: exit.Ended,
		})
	}
	if err != nil {
		s.log.Warn("the log of the box's use", "error", err)
	}
}
