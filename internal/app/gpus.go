package app

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// request is what a launch wants of the GPUs of this box.
func (r LaunchRequest) request() gpu.Request {
	return gpu.Request{Count: r.GPUs, Names: r.Devices, Memory: r.GPUMemory}
}

// refuseGPUs tells when this box can never give what is asked for. That all of
// it is in use, or that the driver does not answer just now, only makes the run
// wait. The driver takes a while to answer: it is asked once for all, and not at
// all where nothing is asked for.
func refuseGPUs(ctx context.Context, requests []LaunchRequest) error {
	look := sync.OnceValue(func() gpu.Box { return gpu.Look(ctx) })
	for _, r := range requests {
		if r.Checked || r.request().GPUs() == 0 {
			continue
		}
		switch err := look().Available(r.request()); {
		case errors.Is(err, gpu.ErrMissing):
			why := strings.TrimPrefix(err.Error(), gpu.ErrMissing.Error()+": ")
			return forms.Problems{{Parameter: "gpus", Message: "this box has no GPU that nvidia-smi knows: " + why}}
		case errors.Is(err, gpu.ErrRequest):
			return forms.Problems{{Parameter: "gpus", Message: err.Error()}}
		}
	}
	return nil
}

// checkGPU is the line of GPUs in what is looked at before a launch.
func checkGPU(ctx context.Context, r LaunchRequest) Check {
	asked := r.request()
	if asked.GPUs() == 0 {
		if err := gpu.LookAtQueue(ctx).Available(asked); err != nil {
			return Check{Name: "queue", OK: true, Tell: true, Text: err.Error()}
		}
		return Check{Name: "GPUs", OK: true, Text: "none asked for"}
	}
	switch err := gpu.Look(ctx).Available(asked); {
	case err == nil:
		return Check{Name: "GPUs", OK: true, Text: asked.String() + " free"}
	case errors.Is(err, gpu.ErrMissing), errors.Is(err, gpu.ErrRequest):
		return Check{Name: "GPUs", Text: err.Error(), Next: "ask for what the box has; 'cytorun machine' shows it"}
	default:
		return Check{Name: "GPUs", OK: true, Warn: true, Text: err.Error(), Next: "the run waits in the queue; 'cytorun machine' shows who is before it"}
	}
}

// typical is how long an algorithm usually takes here, 0 where nobody knows. It
// only tells others how long they wait, so that not knowing it is no failure.
func (s *Session) typical(a client.Algorithm) time.Duration {
	runs, err := s.runs()
	if err != nil {
		return 0
	}
	return s.algorithmRow(a, runs).Typical
}

// TakeResources takes over what an earlier run was given. Of one of another
// host that is how many GPUs, not which.
func (r *LaunchRequest) TakeResources(run runner.Run, host string) {
	r.Resources = run.Resources
	if run.Host != host {
		r.Devices = nil
	}
	r.takeDevelop(run)
}

// LastGPUs are the GPUs that the last run of an algorithm on this box asked for,
// in any project: the default of the next one. It is false where there was none.
func (s *Session) LastGPUs(algorithm string) (runner.Resources, bool) {
	runs, err := s.Env.Store.List()
	if err != nil {
		return runner.Resources{}, false
	}
	for _, run := range runs { // newest first
		if run.Algorithm.Name == algorithm && run.Server.URL == s.Profile.URL && !run.ForeignHost {
			res := run.Resources
			return runner.Resources{GPUs: res.GPUs, Devices: res.Devices, GPUMemory: res.GPUMemory}, true
		}
	}
	return runner.Resources{}, false
}

// ResourcesOf are what an analysis that is launched again gets of the box, nil
// where that is not known of the earlier one.
func (s *Session) ResourcesOf(a Analysis) *runner.Resources {
	if a.Run == nil {
		return nil
	}
	var r LaunchRequest
	r.TakeResources(*a.Run, s.Env.Host)
	return &r.Resources
}

// WantedGPUs names the GPUs of a request, such as "2 GPUs" or "8 GiB of GPU 0".
func WantedGPUs(r runner.Resources) string { return LaunchRequest{Resources: r}.request().String() }

// Waits says of a run in the queue for what it waits, since when, and when it may
// begin as far as is known; empty for one that does not wait there.
func Waits(ctx context.Context, run runner.Run) string {
	if run.State != runner.Queued || run.ForeignHost {
		return ""
	}
	w, before, ok := gpu.Look(ctx).Find(run.ID)
	if !ok {
		return ""
	}
	s := "for " + w.Request.String() + ", " + strconv.Itoa(before) + " before it"
	if w.Request.GPUs() == 0 {
		s = "for its turn, " + strconv.Itoa(before) + " before it"
	}
	if !w.Since.IsZero() {
		s += ", since " + w.Since.Local().Format("15:04")
	}
	if !w.Start.IsZero() {
		s += ", may begin at about " + w.Start.Local().Format("15:04")
	}
	return s
}
