package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/gpu"
)

func newMachineCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "machine",
		Short: "show the GPUs of this box, who has them and who waits",
		Long: `Show each GPU of this box with its memory and load, who has it and since when,
also without cytorun; which runs have a turn ([queue] slots in config.toml, else as
many as GPUs); and who waits in the queue, for what, and until about when as far as
earlier runs tell.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			stop := c.sayIfSlow("asking nvidia-smi for the GPUs of this box")
			m := env.Machine(cmd.Context())
			stop()
			if c.json {
				out := toMachineJSON(m)
				out.Workers = workersOf(env)
				return c.printJSON(field{"machine", out})
			}
			c.printMachine(m)
			for _, w := range workersOf(env) {
				if w.Running {
					c.printWorker(w)
				}
			}
			return nil
		},
	}
}

// machineJSON is this box as all its users share it. Sizes are -1 where the
// driver does not say.
type machineJSON struct {
	Host      string        `json:"host"`
	GPUs      []gpuJSON     `json:"gpus"`
	NoGPU     string        `json:"no_gpu,omitempty"`
	Slots     int           `json:"slots"`
	Turns     []holderJSON  `json:"turns"`
	Waiting   []waitingJSON `json:"waiting"`
	Problem   string        `json:"problem,omitempty"`
	Apptainer string        `json:"apptainer"`
	Cached    int64         `json:"cached_bytes"`
	Workers   []workerJSON  `json:"workers"`
}

type gpuJSON struct {
	Index     int           `json:"index"`
	Label     string        `json:"label"`
	UUID      string        `json:"uuid"`
	Name      string        `json:"name"`
	Memory    int64         `json:"memory"`
	Used      int64         `json:"used"`
	Load      int           `json:"load"`
	Free      bool          `json:"free"`
	Problem   string        `json:"problem,omitempty"`
	Leases    []holderJSON  `json:"leases"`
	Processes []processJSON `json:"processes"`
}

type holderJSON struct {
	Run    string    `json:"run"`
	UID    int       `json:"uid"`
	Memory int64     `json:"memory,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
}

type processJSON struct {
	PID   int       `json:"pid"`
	Name  string    `json:"name,omitempty"`
	User  string    `json:"user,omitempty"`
	Used  int64     `json:"used"`
	Since time.Time `json:"since,omitzero"`
	// Foreign is set where it belongs to no run that leased the GPU.
	Foreign bool `json:"foreign,omitempty"`
}

type waitingJSON struct {
	Run    string    `json:"run"`
	User   string    `json:"user"`
	Wants  string    `json:"wants"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since,omitzero"`
	Start  time.Time `json:"start,omitzero"`
}

func toMachineJSON(m app.Machine) machineJSON {
	out := machineJSON{
		Host: m.Host, GPUs: []gpuJSON{}, NoGPU: m.NoGPU, Slots: m.Slots, Turns: []holderJSON{}, Waiting: []waitingJSON{},
		Problem: m.QueueProblem, Apptainer: m.Apptainer.Text, Cached: m.Cached,
	}
	for _, g := range m.GPUs {
		j := gpuJSON{
			Index: g.Index, Label: g.Label, UUID: g.UUID, Name: g.Name, Memory: g.Total, Used: g.Used, Load: g.Load, Free: g.Free, Problem: g.Problem,
			Leases: []holderJSON{}, Processes: []processJSON{},
		}
		for _, l := range g.Leases {
			j.Leases = append(j.Leases, toHolderJSON(l.Holder))
		}
		for _, h := range g.Holders {
			j.Processes = append(j.Processes, processJSON{h.PID, h.Name, h.User, h.Used, h.Since.UTC(), h.Foreign})
		}
		out.GPUs = append(out.GPUs, j)
	}
	for _, h := range m.Turns {
		out.Turns = append(out.Turns, toHolderJSON(h))
	}
	for _, w := range m.Waiting {
		out.Waiting = append(out.Waiting, waitingJSON{w.Run, w.User, w.Request.String(), w.Reason, w.Since.UTC(), w.Start.UTC()})
	}
	return out
}

func toHolderJSON(h gpu.Holder) holderJSON {
	return holderJSON{h.Run, h.UID, h.Memory, h.Since.UTC(), h.Until.UTC()}
}

func (c *cli) printMachine(m app.Machine) {
	if m.NoGPU != "" {
		fmt.Fprintf(c.out, "GPUs    %s\n", text.Line(m.NoGPU))
	}
	for _, g := range m.GPUs {
		state := "in use"
		switch {
		case g.Problem != "":
			state = g.Problem
		case g.Free:
			state = "free"
		}
		load := ""
		if g.Load >= 0 {
			load = fmt.Sprintf(", load %d %%", g.Load)
		}
		fmt.Fprintf(c.out, "GPU %-3s %s  %s of %s%s: %s\n", g.Label, text.Line(g.Name), text.Memory(g.Used), text.Memory(g.Total), load, text.Line(state))
		for _, l := range g.Leases {
			fmt.Fprintf(c.out, "        leased by %s\n", l)
		}
		for _, h := range g.Holders {
			if h.Foreign {
				fmt.Fprintf(c.out, "        used without a lease by %s\n", text.Line(h.Text))
			}
		}
	}
	fmt.Fprintf(c.out, "queue   %d of %s taken, %d waiting\n", len(m.Turns), text.Plural(m.Slots, "turn"), len(m.Waiting))
	for _, h := range m.Turns {
		fmt.Fprintf(c.out, "        %s\n", h)
	}
	for i, w := range m.Waiting {
		fmt.Fprintf(c.out, "     %2d. %s\n", i+1, text.Line(w.String()))
		if i == 0 {
			fmt.Fprintf(c.out, "         %s\n", text.Line(w.Reason))
		}
	}
	if m.QueueProblem != "" {
		c.warn(text.Line(m.QueueProblem))
	}
}
