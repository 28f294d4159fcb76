package paramform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// Fields of the launch block that say what a run may use of the box.
const (
	blockGPUs      = "gpus"
	blockDevices   = "gpu"
	blockGPUMemory = "gpu-memory"
	blockMemory    = "memory"
	blockCPUs      = "cpus"
	blockLimit     = "time-limit"
)

// resourceParameters are those fields as parameters.
func resourceParameters() []descriptor.Parameter {
	zero, gpus := "0", "0"
	most := strconv.Itoa(app.MostCPUs)
	return []descriptor.Parameter{
		{ID: blockGPUs, Name: "GPUs", Type: descriptor.Number, Integer: true, Minimum: &zero, Default: &gpus, Flag: "--gpus",
			Description: "How many GPUs the analysis gets. It waits in the queue until they are free. As the last run of the algorithm here, at first none."},
		{ID: blockDevices, Name: "Which GPUs", Type: descriptor.String, Optional: true, Flag: "--gpu",
			Description: "The GPUs that it must be, as nvidia-smi -L lists them: 0, or 0,2, or the beginning of a UUID. Empty: whichever are free."},
		{ID: blockGPUMemory, Name: "GPU memory", Type: descriptor.String, Optional: true, Flag: "--gpu-memory",
			Description: "Shares each GPU with others that say so too, and uses at most this much of its memory, such as 8G. Empty: the GPUs as a whole."},
		{ID: blockMemory, Name: "Memory", Type: descriptor.String, Optional: true, Flag: "--memory",
			Description: "The container has at most this much memory, such as 16G. Empty: all of the box. Not every box can hold it to that; the checks before the launch tell."},
		{ID: blockCPUs, Name: "Processors", Type: descriptor.Number, Optional: true, Minimum: &zero, Maximum: &most, Flag: "--cpus",
			Description: "The container has at most so many processors, such as 4. Empty: all of the box. Not every box can hold it to that; the checks before the launch tell."},
		{ID: blockLimit, Name: "Time limit", Type: descriptor.String, Optional: true, Flag: "--time-limit",
			Description: "The analysis is stopped after this time, such as 90m, 2h30m or 1d. Empty: never."},
	}
}

// takesResource says what such a field accepts, empty for another field.
func takesResource(id string) string {
	switch id {
	case blockDevices:
		return "0,2 or GPU-5d3f"
	case blockGPUMemory, blockMemory:
		return "8G, 800M"
	case blockCPUs:
		return "4, 0.5"
	case blockLimit:
		return "90m, 2h30m, 1d"
	}
	return ""
}

// resourceValues are the fields that say the same as r.
func resourceValues(r runner.Resources, origin client.Origin) []client.Value {
	var vs []client.Value
	add := func(id, text string) { vs = append(vs, client.Value{Parameter: id, Text: text, Origin: origin}) }
	add(blockGPUs, strconv.Itoa(r.GPUs))
	if len(r.Devices) > 0 {
		add(blockDevices, strings.Join(r.Devices, ","))
	}
	if r.GPUMemory > 0 {
		add(blockGPUMemory, gpu.FormatMemory(r.GPUMemory))
	}
	if r.Memory > 0 {
		add(blockMemory, gpu.FormatMemory(r.Memory))
	}
	if r.CPUs > 0 {
		add(blockCPUs, strconv.FormatFloat(r.CPUs, 'f', -1, 64))
	}
	if r.TimeLimit > 0 {
		add(blockLimit, app.FormatTimeLimit(r.TimeLimit))
	}
	return vs
}

// startWith opens the launch block with resources, as far as nobody has said
// anything else.
func (m *Screen) startWith(r runner.Resources, origin client.Origin) {
	for _, v := range resourceValues(r, origin) {
		f, base := m.block.Field(v.Parameter), m.blockBase.Field(v.Parameter)
		if f.Text == base.Text && f.Origin == base.Origin {
			m.block.Set(v.Parameter, v.Text, v.Origin)
		}
		m.blockBase.Set(v.Parameter, v.Text, v.Origin)
	}
	m.judgeResources()
}

// resources is what the form asks for; what is no valid text asks for nothing.
func (m *Screen) resources() (r runner.Resources) {
	n, _ := m.block.Field(blockGPUs).Value().Number()
	r.GPUs = int(n)
	if s := m.blockText(blockDevices); s != "" {
		r.Devices, _ = gpu.ParseNames(s)
	}
	if len(r.Devices) > 0 {
		r.GPUs = len(r.Devices)
	}
	r.GPUMemory = memory(m.blockText(blockGPUMemory))
	r.Memory = memory(m.blockText(blockMemory))
	r.CPUs, _ = m.block.Field(blockCPUs).Value().Number()
	r.TimeLimit, _ = app.ParseTimeLimit(m.blockText(blockLimit))
	return r
}

func memory(s string) int64 {
	if s == "" {
		return 0
	}
	n, _ := gpu.ParseMemory(s)
	return n
}

// judgeResources says at each of the fields what is wrong with it, also beside
// the others.
func (m *Screen) judgeResources() {
	r := m.resources()
	judge := func(id string, check func(s string) error) {
		f := m.block.Field(id)
		m.block.Set(id, f.Text, f.Origin) // its own problems alone
		if len(f.Problems) > 0 || strings.TrimSpace(f.Text) == "" {
			return
		}
		if err := check(strings.TrimSpace(f.Text)); err != nil {
			f.Problems = []forms.Problem{{Parameter: id, Message: err.Error()}}
		}
	}
	judge(blockDevices, func(s string) error {
		names, err := gpu.ParseNames(s)
		count := m.block.Field(blockGPUs)
		n, _ := count.Value().Number()
		if err == nil && int(n) != len(names) && count.Origin == client.FromUser {
			err = fmt.Errorf("names %s, and GPUs says %s; make them agree, or clear this", counted(len(names), "GPU"), count.Text)
		}
		return err
	})
	judge(blockGPUMemory, func(s string) error {
		_, err := gpu.ParseMemory(s)
		if err == nil && r.GPUs == 0 {
			err = fmt.Errorf("asks for memory of a GPU, and GPUs says none")
		}
		return err
	})
	judge(blockMemory, func(s string) error { _, err := gpu.ParseMemory(s); return err })
	judge(blockLimit, func(s string) error { _, err := app.ParseTimeLimit(s); return err })
}

// isResource tells whether a field says what a run may use.
func isResource(id string) bool {
	switch id {
	case blockGPUs, blockDevices, blockGPUMemory, blockMemory, blockCPUs, blockLimit:
		return true
	}
	return false
}
