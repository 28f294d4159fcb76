package descriptor

import (
	"bytes"
	"encoding/json"
)

// The JSON of cytomine-0.1, in the order of its reference.
type (
	fileJSON struct {
		Name          string        `json:"name"`
		Description   string        `json:"description,omitempty"`
		Version       string        `json:"tool-version,omitempty"`
		Container     containerJSON `json:"container-image"`
		CommandLine   string        `json:"command-line"`
		Inputs        []inputJSON   `json:"inputs"`
		SchemaVersion string        `json:"schema-version"`
		ExactPackage  string        `json:"exact-package,omitempty"`
		ExactWrites   Writes        `json:"exact-writes,omitempty"`
	}
	containerJSON struct {
		Image string `json:"image"`
		Type  string `json:"type"`
	}
	inputJSON struct {
		ID              string `json:"id"`
		ValueKey        string `json:"value-key"`
		Flag            string `json:"command-line-flag,omitempty"`
		Name            string `json:"name"`
		Description     string `json:"description,omitempty"`
		Type            Type   `json:"type"`
		Optional        bool   `json:"optional"`
		SetByServer     bool   `json:"set-by-server,omitempty"`
		ServerParameter bool   `json:"server-parameter,omitempty"`
		Default         any    `json:"default-value,omitempty"`
		Choices         []any  `json:"value-choices,omitempty"`
		Minimum         any    `json:"minimum,omitempty"`
		Maximum         any    `json:"maximum,omitempty"`
		Integer         bool   `json:"integer,omitempty"`
		URI             string `json:"uri,omitempty"`
		URIPrint        string `json:"uri-print-attribute,omitempty"`
		URISort         string `json:"uri-sort-attribute,omitempty"`
	}
)

// JSON writes the descriptor as cytomine-0.1, whatever schema it was read
// from: types the schema lacks become String, the container type singularity.
func (d *Descriptor) JSON() ([]byte, error) {
	file := fileJSON{
		Name:          d.Name,
		Description:   d.Description,
		Version:       d.Version,
		Container:     containerJSON{d.Container.Image, "singularity"},
		CommandLine:   d.CommandLine,
		Inputs:        make([]inputJSON, 0, len(d.Parameters)),
		SchemaVersion: SchemaVersion,
		ExactPackage:  d.ExactPackage,
		ExactWrites:   d.ExactWrites,
	}
	for _, p := range d.Parameters {
		file.Inputs = append(file.Inputs, p.input())
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(file)
	return b.Bytes(), err
}

func (p Parameter) input() inputJSON {
	in := inputJSON{
		ID: p.ID, ValueKey: p.ValueKey, Flag: p.Flag, Name: p.Label(), Description: p.Description, Type: p.Type,
		Optional: p.Optional, SetByServer: p.SetByServer, ServerParameter: p.ServerParameter, Integer: p.Integer,
		URI: p.URI, URIPrint: p.URIPrint, URISort: p.URISort,
	}
	switch p.Type {
	case File, Image, "":
		in.Type = String
	}
	if p.Default != nil {
		in.Default = p.jsonValue(*p.Default)
	}
	for _, choice := range p.Choices {
		in.Choices = append(in.Choices, p.jsonValue(choice))
	}
	if p.Minimum != nil {
		in.Minimum = p.jsonValue(*p.Minimum)
	}
	if p.Maximum != nil {
		in.Maximum = p.jsonValue(*p.Maximum)
	}
	return in
}

// jsonValue writes numbers and booleans as JSON has them and the rest, also
// what is not of the parameter's type, as a string.
func (p Parameter) jsonValue(text string) any {
	if v, err := ParseValue(p.Type, text); err == nil && v.IsSet() {
		switch p.Type {
		case Number:
			return json.Number(v.Text())
		case Boolean:
			return v.Text() == "true"
		}
	}
	return text
}
