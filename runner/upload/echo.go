package upload

import (
	"encoding/json"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/shapes"
	"github.com/cytorun/cytorun/runner"
)

// EXACT keeps neither parameters nor history of a job. What was written with which
// parameters is therefore said in the meta_data of everything that is written.

// origin is the member "cytorun" of meta_data; the mark in it makes ordinary
// annotations findable by their job.
type origin struct {
	exact.Mark
	Algorithm  string            `json:"algorithm"`
	Version    string            `json:"version,omitempty"`
	Package    string            `json:"package,omitempty"`
	Container  string            `json:"container,omitempty"`
	Digest     string            `json:"container_digest,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	// Left names the parameters whose values are too long to be repeated in every
	// annotation; the run folder has them.
	Left []string `json:"parameters_left_out,omitempty"`
}

// Bounds of what is repeated with every annotation, in bytes.
const (
	mostValue = 200
	mostAll   = 2000
)

// echo makes meta_data.
type echo struct{ origin json.RawMessage }

func newEcho(run runner.Run, digest string) echo {
	o := origin{
		Mark: exact.Mark{Job: run.Job, Run: run.ID}, Algorithm: run.Algorithm.Name, Version: run.Algorithm.Version, Package: run.Algorithm.Package,
		Container: run.Algorithm.Container, Digest: digest, Parameters: map[string]string{},
	}
	room := mostAll
	for _, v := range run.Values {
		p := descriptor.Parameter{ID: v.Parameter}
		if p.IsSecret() || p.IsServerInput() || v.Parameter == descriptor.ImagesParameter {
			continue
		}
		if room -= len(v.Text) + len(v.Parameter); len(v.Text) > mostValue || room < 0 {
			o.Left = append(o.Left, v.Parameter)
			continue
		}
		o.Parameters[v.Parameter] = v.Text
	}
	data, err := json.Marshal(o)
	if err != nil {
		return echo{json.RawMessage("{}")} // strings alone are always written
	}
	return echo{data}
}

// of is the meta_data of a shape: the program's own, its words and identifier, and
// where it comes from.
func (e echo) of(s shapes.Shape) json.RawMessage {
	m := map[string]any{}
	if s.Meta != nil && json.Unmarshal(s.Meta, &m) != nil {
		m = map[string]any{}
	}
	if s.Name != "" {
		m["name"] = s.Name
	}
	if s.ID != "" {
		m["uuid"] = s.ID
	}
	m["cytorun"] = e.origin
	data, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return data
}
