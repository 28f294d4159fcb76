package app

import (
	"strings"
	"testing"

	"github.com/cytorun/cytorun/runner"
)

func TestGPUsThatCanNeverBeGivenAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		script        string
		r             LaunchRequest
		refused, line string // what is said by the launch and before it
		ok, warn      bool
	}{
		"none asked for":        {"exit 9", LaunchRequest{}, "", "none asked for", true, false},
		"one that is free":      {twoGPUs, LaunchRequest{Resources: runner.Resources{GPUs: 1}}, "", "1 GPU free", true, false},
		"one that is in use":    {twoGPUs, LaunchRequest{Resources: runner.Resources{Devices: []string{"0"}}}, "", "waiting for GPU 0", true, true},
		"too many":              {twoGPUs, LaunchRequest{Resources: runner.Resources{GPUs: 3}}, "3 GPUs asked for, it has 2", "3 GPUs asked for", false, false},
		"one that is not there": {twoGPUs, LaunchRequest{Resources: runner.Resources{Devices: []string{"7"}}}, "there is no GPU 7", "there is no GPU 7", false, false},
		"too much memory":       {twoGPUs, LaunchRequest{Resources: runner.Resources{Devices: []string{"0"}, GPUMemory: 1 << 40}}, "of memory asked for", "of memory asked for", false, false},
		"no device":             {"exit 0", LaunchRequest{Resources: runner.Resources{GPUs: 1}}, "this box has no GPU that nvidia-smi knows", "no GPU on this box", false, false},
		"the driver fails now":  {"exit 9", LaunchRequest{Resources: runner.Resources{GPUs: 1}}, "", "the GPUs cannot be asked", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			box(t, tt.script)
			err := refuseGPUs(t.Context(), []LaunchRequest{{}, tt.r})
			if tt.refused == "" && err != nil || tt.refused != "" && (err == nil || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("refused with %v, want %q", err, tt.refused)
			}
			tt.r.Checked = true
			if err := refuseGPUs(t.Context(), []LaunchRequest{tt.r}); err != nil {
				t.Errorf("refused again: %v", err)
			}
			if c := checkGPU(t.Context(), tt.r); c.OK != tt.ok || c.Warn != tt.warn || !strings.Contains(c.Text, tt.line) {
				t.Errorf("check %+v", c)
			}
		})
	}
}
