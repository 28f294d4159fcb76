package runner

import (
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Files of a run folder that say under what the program ran and what it left
// behind. A run is judged without them: they are there to be read years later.
const (
	MachineFile = "machine.json" // supervisor, before the start
	OutputsFile = "outputs.json" // supervisor, after the end
	// ReplacedFile is what the server had of a job before the run redid it.
	ReplacedFile = "replaced.json" // supervisor, before the job is made fresh
)

// Machine is machine.json: the box as it was when the program started. What
// could not be found out is empty or zero.
type Machine struct {
	Schema int    `json:"schema"`
	Host   string `json:"host"`
	BootID string `json:"boot_id"`
	OS     string `json:"os,omitempty"`     // PRETTY_NAME of /etc/os-release
	Kernel string `json:"kernel,omitempty"` // such as "Linux 6.8.0-45-generic"
	Arch   string `json:"arch,omitempty"`   // as Go names it, such as "amd64"
	CPU    string `json:"cpu,omitempty"`    // model name
	CPUs   int    `json:"cpus,omitempty"`   // that this user may use
	Memory int64  `json:"memory,omitempty"` // bytes
	// Runtime and RuntimeVersion are what executed the container, such as
	// "apptainer" and "1.4.5"; "process" has no version.
	Runtime        string `json:"runtime"`
	RuntimeVersion string `json:"runtime_version,omitempty"`
	// GPUs are those that the program could see; empty without any.
	GPUs      []MachineGPU `json:"gpus,omitempty"`
	GPUDriver string       `json:"gpu_driver,omitempty"`
	// Sources is the code that the person brought, as the program found it: it
	// may be another than at the launch.
	Sources []Source `json:"sources,omitempty"`
	// Supervisor is the version of the cytorun that started the program.
	Supervisor string `json:"supervisor,omitempty"`
}

// MachineGPU is one GPU of a Machine.
type MachineGPU struct {
	UUID   string `json:"uuid"`
	Name   string `json:"name"`
	Memory int64  `json:"memory,omitempty"` // bytes
}

// Outputs is outputs.json: what the program had left on the server and in its
// log when it had ended.
type Outputs struct {
	Schema int       `json:"schema"`
	Time   time.Time `json:"time"` // when it was looked at
	// Terms counts annotations per term; empty where the server does not count.
	Terms []OutputTerm `json:"terms,omitempty"`
	Files []OutputFile `json:"files,omitempty"`
	Log   *OutputLog   `json:"log,omitempty"`
}

// OutputTerm counts the annotations of one term; without a name, those that
// have none.
type OutputTerm struct {
	Term  client.ID `json:"term,omitempty"`
	Name  string    `json:"name,omitempty"`
	Count int       `json:"count"`
	// Area is their sum in Unit, such as "µm²"; 0 with an empty Unit where the
	// server gives none.
	Area float64 `json:"area,omitempty"`
	Unit string  `json:"unit,omitempty"`
}

// OutputFile is one result file on the server.
type OutputFile struct {
	ID   client.ID `json:"id"`
	Key  string    `json:"key,omitempty"`
	Name string    `json:"name"`
	Size int64     `json:"size"` // bytes; -1 before its upload ended
	// SHA256 is 64 hex digits of the file as the server handed it out; empty
	// where it did not.
	SHA256 string `json:"sha256,omitempty"`
}

// OutputLog is output.log as the program left it.
type OutputLog struct {
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// WriteMachine replaces machine.json. It may be lost when the machine crashes.
func WriteMachine(folder string, m Machine) error {
	m.Schema = Schema
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(folder, MachineFile), append(data, '\n'), false)
}

// ReadMachine reads machine.json, if it is there.
func ReadMachine(folder string) (Machine, bool) {
	var m Machine
	err := readJSON(filepath.Join(folder, MachineFile), &m)
	return m, err == nil
}

// WriteOutputs replaces outputs.json.
func WriteOutputs(folder string, o Outputs) error {
	o.Schema = Schema
	return WriteJSON(filepath.Join(folder, OutputsFile), o)
}

// ReadOutputs reads outputs.json, if it is there.
func ReadOutputs(folder string) (Outputs, bool) {
	var o Outputs
	err := readJSON(filepath.Join(folder, OutputsFile), &o)
	return o, err == nil
}
