package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// resourceOptions are the flags that say what a run may use of the box.
type resourceOptions struct {
	gpus                          int
	gpu, gpuMemory, memory, limit string // as they were typed
	cpus                          float64

	set   *pflag.FlagSet
	given runner.Resources // what they say
}

func (o *resourceOptions) addResourceFlags(f *pflag.FlagSet) {
	o.set = f
	f.IntVar(&o.gpus, "gpus", 0, "how many GPUs, whichever are free (default: as the algorithm's last run here, else 0)")
	f.StringVar(&o.gpu, "gpu", "", "these GPUs: `ID[,ID]`, an index or UUID of nvidia-smi -L")
	f.StringVar(&o.gpuMemory, "gpu-memory", "", "share the GPUs, and use at most this `AMOUNT` of the memory of each, such as 8G")
	f.StringVar(&o.memory, "memory", "", "let the container have at most this `AMOUNT` of memory, such as 16G")
	f.Float64Var(&o.cpus, "cpus", 0, "let the container have at most so many processors, such as 4 or 0.5")
	f.StringVar(&o.limit, "time-limit", "", "end the run after this `TIME`, such as 90m, 2h30m or 1d")
}

// checkResources reads the flags.
func (o *resourceOptions) checkResources() (err error) {
	g := &o.given
	switch {
	case o.gpus < 0:
		return fmt.Errorf("--gpus must not be negative; got %d", o.gpus)
	case o.gpu != "" && o.gpus > 0:
		return errors.New("--gpu names the GPUs, --gpus counts them; use one of the two")
	case !(o.cpus >= 0 && o.cpus <= app.MostCPUs):
		return fmt.Errorf("--cpus is a number of processors such as 4 or 0.5; got %v", o.cpus)
	}
	g.GPUs, g.CPUs = o.gpus, o.cpus
	if o.gpu != "" {
		if g.Devices, err = gpu.ParseNames(o.gpu); err != nil {
			return fmt.Errorf("--gpu: %w", err)
		}
		g.GPUs = len(g.Devices)
	}
	for _, a := range []struct {
		flag, text string
		to         *int64
	}{{"gpu-memory", o.gpuMemory, &g.GPUMemory}, {"memory", o.memory, &g.Memory}} {
		if a.text == "" || a.text == "0" {
			continue
		}
		if *a.to, err = gpu.ParseMemory(a.text); err != nil {
			return fmt.Errorf("--%s: %w", a.flag, err)
		}
	}
	if o.limit != "0" {
		if g.TimeLimit, err = app.ParseTimeLimit(o.limit); err != nil {
			return fmt.Errorf("--time-limit: %w", err)
		}
	}
	return nil
}

// namesGPUs tells whether the flags say anything of GPUs themselves.
func (o *resourceOptions) namesGPUs() bool { return o.set.Changed("gpus") || o.set.Changed("gpu") }

// change puts what the flags say in place of what a run would get without them.
func (o *resourceOptions) change(r *runner.Resources) {
	if o.namesGPUs() {
		r.GPUs, r.Devices = o.given.GPUs, o.given.Devices
	}
	if o.set.Changed("gpu-memory") {
		if r.GPUMemory = o.given.GPUMemory; r.GPUMemory > 0 && r.GPUs == 0 && !o.namesGPUs() {
			r.GPUs = 1 // memory of a GPU is asked of one
		}
	}
	if r.GPUs == 0 {
		r.GPUMemory = 0
	}
	if o.set.Changed("memory") {
		r.Memory = o.given.Memory
	}
	if o.set.Changed("cpus") {
		r.CPUs = o.given.CPUs
	}
	if o.set.Changed("time-limit") {
		r.TimeLimit = o.given.TimeLimit
	}
}

// likeLast asks for the GPUs that the algorithm's last run here asked for, where
// no flag says anything, and tells so.
func (c *cli) likeLast(s *app.Session, r *app.LaunchRequest, o runOptions) {
	last, ok := s.LastGPUs(r.Algorithm.Name)
	if !ok || o.namesGPUs() || last.GPUs == 0 {
		return
	}
	r.GPUs, r.Devices, r.GPUMemory = last.GPUs, last.Devices, last.GPUMemory
	what := app.WantedGPUs(r.Resources)
	c.say("%s, as the last run of %s; --gpus 0 takes none", strings.ToUpper(what[:1])+what[1:], r.Algorithm.Name)
}

// warnLimits says before a launch which limits will not hold.
func (c *cli) warnLimits(s *app.Session, r app.LaunchRequest) {
	if err := s.LimitsProblem(r); err != nil {
		c.warn(err.Error())
	}
}
