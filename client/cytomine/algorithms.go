package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Class names of the server's objects, for the calls that take one.
const (
	jobClass       = "be.cytomine.processing.Job"
	softwareClass  = "be.cytomine.processing.Software"
	parameterClass = "be.cytomine.processing.SoftwareParameter"
)

type wireSoftware struct {
	ID                             number
	Name, SoftwareVersion          text
	ExecuteCommand, PullingCommand text
	Deprecated                     truth
	Parameters                     list[wireParameter]
}

type wireParameter struct {
	ID, Index                              number
	Name, Type, HumanName                  text
	DefaultParamValue                      value
	ValueKey, CommandLineFlag              text
	Required, SetByServer, ServerParameter truth
	URI                                    text `json:"uri"`
	URIPrint                               text `json:"uriPrintAttribut"`
	URISort                                text `json:"uriSortAttribut"`
}

func (w wireSoftware) algorithm() client.Algorithm {
	return client.Algorithm{
		ID: w.ID.id(), Name: string(w.Name), Version: string(w.SoftwareVersion), Deprecated: bool(w.Deprecated),
		Container:   containerOf(string(w.PullingCommand)),
		CommandLine: commandLineOf(string(w.ExecuteCommand)),
		Parameters:  parametersOf(w.Parameters),
	}
}

func (w wireParameter) parameter() client.Parameter {
	kind, _ := descriptor.ParseType(string(w.Type))
	p := client.Parameter{ServerID: w.ID.id(), Index: int(w.Index), Parameter: descriptor.Parameter{
		ID: string(w.Name), Name: string(w.HumanName), Type: kind, RawType: string(w.Type),
		ValueKey: string(w.ValueKey), Flag: string(w.CommandLineFlag),
		Optional: !bool(w.Required), SetByServer: bool(w.SetByServer), ServerParameter: bool(w.ServerParameter),
		URI: string(w.URI), URIPrint: string(w.URIPrint), URISort: string(w.URISort),
	}}
	if p.ValueKey == "" {
		p.ValueKey = "[" + strings.ToUpper(p.ID) + "]" // the server's own default
	}
	if written := w.DefaultParamValue.text; written != nil && *written != "" {
		p.Default = written
		if canonical, err := descriptor.ParseValue(kind, *written); err == nil {
			shown := canonical.Text()
			if p.Default = &shown; shown == "" {
				p.Default = nil
			}
		}
	}
	return p
}

// parametersOf sorts by index and id, because several may share an index.
func parametersOf(wire []wireParameter) []client.Parameter {
	all := make([]client.Parameter, 0, len(wire))
	for _, w := range wire {
		all = append(all, w.parameter())
	}
	slices.SortFunc(all, func(a, b client.Parameter) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.ServerID, b.ServerID))
	})
	return all
}

// Algorithms lists what can be run in a project, deprecated ones included, by
// name and newest first.
func (c *Client) Algorithms(ctx context.Context, project client.ID) ([]client.Algorithm, error) {
	path := "/api/software.json"
	if project != 0 {
		path = fmt.Sprintf("/api/project/%d/software.json", project)
	}
	algorithms := []client.Algorithm{}
	err := c.each(ctx, path, func(raw []byte) error {
		var w wireSoftware
		if json.Unmarshal(raw, &w) == nil {
			algorithms = append(algorithms, w.algorithm())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(algorithms, func(a, b client.Algorithm) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(b.ID, a.ID))
	})
	return algorithms, nil
}

// Algorithm reads one algorithm with all its parameters and the descriptions of
// both. The server gives each description by a request of its own; one that
// cannot be read is left out.
func (c *Client) Algorithm(ctx context.Context, id client.ID) (client.Algorithm, error) {
	var w wireSoftware
	if err := c.get(ctx, fmt.Sprintf("/api/software/%d.json", id), &w); err != nil {
		return client.Algorithm{}, err
	}
	algorithm := w.algorithm()
	var wire []wireParameter
	err := c.each(ctx, fmt.Sprintf("/api/software/%d/parameter.json?withSetByServer=true", id), func(raw []byte) error {
		var p wireParameter
		if json.Unmarshal(raw, &p) == nil {
			wire = append(wire, p)
		}
		return nil
	})
	if err != nil {
		return client.Algorithm{}, err
	}
	algorithm.Parameters = parametersOf(wire)
	if algorithm.Description, err = c.description(ctx, softwareClass, algorithm.ID); err != nil && ctx.Err() != nil {
		return client.Algorithm{}, err
	}
	c.describe(ctx, algorithm.Parameters)
	return algorithm, nil
}

// describe fills in the help texts of the parameters that people see, a few at
// a time.
func (c *Client) describe(ctx context.Context, parameters []client.Parameter) {
	var all sync.WaitGroup
	slots := make(chan struct{}, 6)
	for i := range parameters {
		p := &parameters[i]
		if p.SetByServer && p.IsServerInput() {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			p.Description, _ = c.description(ctx, parameterClass, p.ServerID)
		})
	}
	all.Wait()
}

// description reads the description of an object, empty when it has none.
func (c *Client) description(ctx context.Context, class string, id client.ID) (string, error) {
	var w struct{ Data text }
	err := c.get(ctx, fmt.Sprintf("/api/domain/%s/%d/description.json", class, id), &w)
	if errors.Is(err, client.ErrNotFound) {
		return "", nil
	}
	return string(w.Data), err
}
