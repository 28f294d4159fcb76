// Package runner knows what a run is: its spec, its states, and its folder.
//
// A run is one execution of an algorithm on hardware that we can reach. Its
// folder is the only truth about it: screens, commands, supervisors and the
// container's keeper meet there and nowhere else, and each file has one kind
// of writer. Packages below this one execute (keep, supervisor, apptainer,
// gpu), report and read logs.
package runner

import (
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Schema is the version of every JSON file in a run folder that this program
// writes. Readers ignore unknown fields; writers refuse a newer schema.
const Schema = 1

// Spec says everything about a run that is known at its launch. It is written
// once and never changed, and it holds no secret.
type Spec struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`
	Group  string `json:"group,omitempty"` // of a sweep or a split
	Part   *Part  `json:"part,omitempty"`  // of a split
	// From is the run that this one repeats. In a group it takes its place.
	From string `json:"from,omitempty"`
	// StopAfter ends the runs of the group that still wait when so many failed
	// in a row; 0 lets them go on.
	StopAfter int        `json:"stop_after,omitempty"`
	Created   time.Time  `json:"created"`
	Server    ServerRef  `json:"server"`
	Project   ProjectRef `json:"project"`
	// Image is the one that the run is over, on servers whose jobs have one each
	// (EXACT); ID 0 elsewhere.
	Image ImageRef `json:"image,omitzero"`
	// Take is a job that the server already has and that this run executes, in
	// place of one of its own.
	Take      TakeJob        `json:"take,omitzero"`
	Algorithm AlgorithmSpec  `json:"algorithm"`
	Values    []client.Value `json:"values"`
	Runtime   Runtime        `json:"runtime"`
	Resources Resources      `json:"resources"`
	// Cache names folders inside the container whose content outlives the run,
	// besides those that every run keeps; see apptainer.Weights.
	Cache []string `json:"cache,omitempty"`
	Note  string   `json:"note,omitempty"`
	// Develop is nil for an algorithm as it is on its server.
	Develop *Develop `json:"develop,omitempty"`
	// Strict makes a warning at the end a failure.
	Strict  bool   `json:"strict,omitempty"`
	Person  string `json:"person"` // user name on the server
	User    string `json:"user"`   // user name on this box
	Host    string `json:"host"`
	BootID  string `json:"boot_id"`
	Cytorun string `json:"cytorun"` // version of this program
}

// Part says which part of a split a run is.
type Part struct {
	Parameter string `json:"parameter"` // the one whose values were split
	Index     int    `json:"index"`     // from 1
	Of        int    `json:"of"`
}

// ServerRef names the server of a run and how to find its keys again.
type ServerRef struct {
	Kind    client.Kind `json:"kind"`
	URL     string      `json:"url"`
	Profile string      `json:"profile,omitempty"` // empty: keys came from the environment or flags
}

// ProjectRef names the project of a run.
type ProjectRef struct {
	ID       client.ID `json:"id"`
	Name     string    `json:"name"`
	Ontology client.ID `json:"ontology,omitempty"`
}

// ImageRef names the image of a run.
type ImageRef struct {
	ID   client.ID `json:"id"`
	Name string    `json:"name,omitempty"`
}

// TakeJob is a job of the server to be executed by a run.
type TakeJob struct {
	ID client.ID `json:"id"`
	// Restart deletes what the job has written before and its error, as a person
	// agreed. Without it only a job that nobody has begun is taken.
	Restart bool `json:"restart,omitempty"`
	// Keeper is a file that is locked for as long as a worker lives which takes the
	// run's name off the job when it succeeded. Without one the run does it.
	Keeper string `json:"keeper,omitempty"`
}

// AlgorithmSpec is the algorithm as it was at launch.
type AlgorithmSpec struct {
	ID          client.ID       `json:"id"`
	Name        string          `json:"name"`
	Version     string          `json:"version,omitempty"`
	Container   string          `json:"container,omitempty"`
	CommandLine string          `json:"command_line"`
	Parameters  []ParameterSpec `json:"parameters"`
	// Package and Writes are those of client.Algorithm.
	Package string            `json:"package,omitempty"`
	Writes  descriptor.Writes `json:"writes,omitempty"`
}

// Inputs are the parameters without their server ids.
func (a AlgorithmSpec) Inputs() []descriptor.Parameter {
	out := make([]descriptor.Parameter, len(a.Parameters))
	for i, p := range a.Parameters {
		out[i] = p.Parameter
	}
	return out
}

// IsFileProgram tells whether the program works on a file of the image, and
// leaves files for us to bring to the server.
func (a AlgorithmSpec) IsFileProgram() bool { return descriptor.IsFileProgram(a.Inputs()) }

// ParameterSpec is one parameter with the id of the server's record.
type ParameterSpec struct {
	ServerID client.ID `json:"server_id"`
	descriptor.Parameter
}

// Runtime is what executes the container.
type Runtime string

// The runtimes. Process runs the program of the demo without a container and
// says so wherever the run is shown.
const (
	Apptainer Runtime = "apptainer"
	Process   Runtime = "process"
)

// Resources is what a run may use. Zero means no limit of ours, and no GPU.
type Resources struct {
	GPUs int `json:"gpus,omitempty"`
	// Devices are the GPUs it must be, as nvidia-smi names them: as many as GPUs
	// says, or none where any will do.
	Devices []string `json:"devices,omitempty"`
	// GPUMemory is what it needs of each GPU that it shares, in bytes; 0 takes
	// them whole.
	GPUMemory int64 `json:"gpu_memory,omitempty"`
	// Memory in bytes and CPUs in processors are limits.
	Memory int64   `json:"memory,omitempty"`
	CPUs   float64 `json:"cpus,omitempty"`
	// Expected is how long the algorithm usually takes.
	Expected  time.Duration `json:"expected,omitempty"`
	TimeLimit time.Duration `json:"time_limit,omitempty"` // nanoseconds
}
