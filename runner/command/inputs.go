package command

import (
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
)

// ServerValues are the inputs that a server fills by itself, found by name
// whatever the descriptor says of them (descriptor.Parameter.IsServerInput).
type ServerValues struct {
	Host, PublicKey, PrivateKey, ProjectID, AlgorithmID string
	// Exact holds those of a run over one image of an EXACT server, by the ids of
	// descriptor.ExactInputs.
	Exact map[string]string
}

func (s ServerValues) of(p descriptor.Parameter) string {
	if id := p.ExactInput(); id != "" {
		return s.Exact[id]
	}
	name := strings.TrimPrefix(strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(p.ID)), "_", ""), "CYTOMINE")
	switch name {
	case "HOST":
		return s.Host
	case "PUBLICKEY":
		return s.PublicKey
	case "PRIVATEKEY":
		return s.PrivateKey
	case "IDPROJECT":
		return s.ProjectID
	case "IDSOFTWARE":
		return s.AlgorithmID
	}
	return ""
}

// Inputs pairs every parameter with the text that reaches the program: the
// server's own values, else what was chosen, else the default. A chosen empty
// text is no value: somebody cleared the default. A parameter that is marked
// set-by-server without being one of the server's gets its default, since
// nobody is asked for it.
func Inputs(parameters []descriptor.Parameter, chosen map[string]string, server ServerValues) []Input {
	inputs := make([]Input, 0, len(parameters))
	for _, p := range parameters {
		in := Input{Parameter: p}
		if p.IsServerInput() {
			v := server.of(p)
			in.Value = &v
		} else if v, ok := chosen[p.ID]; ok {
			if v != "" {
				in.Value = &v
			}
		} else if p.Default != nil && *p.Default != "" {
			in.Value = p.Default
		}
		inputs = append(inputs, in)
	}
	return inputs
}
