package runner

import "fmt"

// GPUUse is how a run used its GPUs, as far as looking now and then can tell.
type GPUUse struct {
	Schema  int      `json:"schema"`
	GPUs    []string `json:"gpus"` // UUIDs
	Touched []string `json:"touched,omitempty"`
	Samples int      `json:"samples"`
	// Memory is the most that the run had in use on all of them together, in
	// bytes; 0 where nobody can tell.
	Memory int64 `json:"memory"`
	// Load is how busy the GPUs were, mean and most, in percent. Of a shared GPU
	// it is the load of all who share it.
	Load     float64 `json:"load"`
	PeakLoad int     `json:"peak_load"`
}

// enoughSamples is how many it takes to say that a GPU was never used.
const enoughSamples = 3

// Warning says what is suspicious, "" where nothing is.
func (u GPUUse) Warning() string {
	idle := len(u.GPUs) - len(u.Touched)
	switch {
	case u.Samples < enoughSamples || idle <= 0:
		return ""
	case len(u.Touched) > 0:
		return fmt.Sprintf("%d GPUs leased and only %d used", len(u.GPUs), len(u.Touched))
	case len(u.GPUs) == 1:
		return "GPU leased but never used: the program may not have found it"
	}
	return fmt.Sprintf("%d GPUs leased but never used: the program may not have found them", len(u.GPUs))
}
