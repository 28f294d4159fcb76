// Package descriptor reads, validates and writes the JSON file that describes
// an algorithm (Cytomine's schema cytomine-0.1), and holds the values that
// people choose for its parameters.
//
// The package is pure: no files, no network, no clock, no screen. Real
// descriptors break their schema in many ways, so reading is lenient and
// everything unusual becomes a Finding with its line and column; only text
// that is not JSON at all is refused. Names, descriptions and choices come
// from strangers: whoever shows them must clean them first.
package descriptor

import "strings"

// Descriptor is one algorithm as its descriptor file describes it.
type Descriptor struct {
	// Name is the algorithm's name; it may be empty in templates.
	Name string
	// Description is free text, sometimes HTML.
	Description string
	// Version is the attribute "tool-version", which cytomine-0.1 does not
	// have but some files carry; usually empty.
	Version string
	// Container names the packaged program.
	Container Container
	// CommandLine holds the program's words and the keys of its parameters.
	CommandLine string
	// SchemaVersion is the attribute as written, "cytomine-0.1" in good files.
	SchemaVersion string
	// ExactPackage is the attribute "exact-package": the package of the EXACT
	// plugin that this descriptor binds to a container. Empty without.
	ExactPackage string
	// ExactWrites is the attribute "exact-writes", and WritesResult where a file
	// program says nothing. Empty for any other program.
	ExactWrites Writes
	// Parameters are the inputs in file order, ids unique.
	Parameters []Parameter
}

// Container is the attribute "container-image".
type Container struct {
	// Image is an image reference such as "cytomine/s_myapp", without scheme,
	// mostly without a tag; empty when the file has none.
	Image string
	// Type is "singularity" in good files, whatever runs the container.
	Type string
}

// Parameter is one input of an algorithm, from a descriptor or from a server.
type Parameter struct {
	// ID is the name that the program, the server and commands use.
	ID string `json:"id"`
	// Name is the label for people; may be empty, see Label.
	Name string `json:"name,omitempty"`
	// Description is the help text, sometimes HTML.
	Description string `json:"description,omitempty"`
	// Type decides how a value is read, checked and compared.
	Type Type `json:"type"`
	// RawType is the type as it was written.
	RawType string `json:"raw_type,omitempty"`
	// ValueKey is the text in the command line that the value replaces.
	ValueKey string `json:"value_key,omitempty"`
	// Flag is the option word put before the value; empty for none.
	Flag string `json:"flag,omitempty"`
	// Optional parameters may stay without a value.
	Optional bool `json:"optional,omitempty"`
	// SetByServer says the file claims that the server fills the value; see
	// IsServerInput for the inputs a server really fills.
	SetByServer bool `json:"set_by_server,omitempty"`
	// ServerParameter values go to the server's scheduler and never to the
	// program's command line.
	ServerParameter bool `json:"server_parameter,omitempty"`
	// Default is the canonical text of the default value, nil for none. Text
	// that does not fit Type is kept as written, because the server would
	// send it all the same; Check tells.
	Default *string `json:"default,omitempty"`
	// Choices are the permitted values in canonical text; none means any.
	Choices []string `json:"choices,omitempty"`
	// Minimum and Maximum are inclusive limits of a Number or a Date: a
	// number, a date, or for a Date also milliseconds since 1970.
	Minimum *string `json:"minimum,omitempty"`
	Maximum *string `json:"maximum,omitempty"`
	// Integer refuses numbers with a fraction.
	Integer bool `json:"integer,omitempty"`
	// LimitsFrom says for people where Choices, Minimum, Maximum and Integer
	// come from, when not from the server's own parameter, which has none: such
	// as "descriptor nuclei.json".
	LimitsFrom string `json:"limits_from,omitempty"`
	// URI lists the options of a Domain or ListDomain, for example
	// "/api/project/$currentProject$/imageinstance.json".
	URI string `json:"uri,omitempty"`
	// URIPrint and URISort name the attribute of an option that is shown and
	// the one that orders the list.
	URIPrint string `json:"uri_print,omitempty"`
	URISort  string `json:"uri_sort,omitempty"`
}

// Label returns what people call the parameter: its name, else its id.
func (p Parameter) Label() string {
	if strings.TrimSpace(p.Name) != "" {
		return p.Name
	}
	return p.ID
}

// HasLimits reports whether anything but the type limits the values.
func (p Parameter) HasLimits() bool {
	return len(p.Choices) > 0 || p.Minimum != nil || p.Maximum != nil || p.Integer
}

// TakeLimits gives the parameter the limits of q, which come from a place that
// people know by name. Limits that it has from somewhere stay.
func (p *Parameter) TakeLimits(q Parameter, from string) {
	if p.LimitsFrom == "" && q.HasLimits() {
		p.Choices, p.Minimum, p.Maximum, p.Integer, p.LimitsFrom = q.Choices, q.Minimum, q.Maximum, q.Integer, from
	}
}

// serverInputs are the inputs that a Cytomine server fills itself, found by
// name as JobRuntimeService does it: upper-cased, without underscores; and those
// that we fill for a run on an EXACT server.
var serverInputs = map[string]bool{
	"HOST": true, "PUBLICKEY": true, "PRIVATEKEY": true, "IDSOFTWARE": true, "IDPROJECT": true,
	exactHost: true, exactToken: true, exactImageID: true, exactImage: true, exactJobID: true, exactImageSet: true, exactOutput: true,
}

// IsServerInput reports whether a server fills this input: host, public and
// private key, software id and project id, recognised by name as Cytomine
// does and whether or not the file marks them set-by-server; and those of
// ExactInputs. A parameter that
// is marked set-by-server but is not one of them belongs to the user.
func (p Parameter) IsServerInput() bool { return serverInputs[normalName(p.ID)] }

// IsSecret reports whether the value is one half of a key pair, or a token,
// which is never shown, logged or stored.
func (p Parameter) IsSecret() bool {
	n := normalName(p.ID)
	return n == "PUBLICKEY" || n == "PRIVATEKEY" || n == exactToken
}

// normalName folds the spellings of a standard input into one: upper case,
// no underscores, no CYTOMINE in front.
func normalName(id string) string {
	n := strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(id)), "_", "")
	return strings.TrimPrefix(n, "CYTOMINE")
}

// KeyName returns a key of the command line without what surrounds its name:
// "[@HOST]", "[HOST]", "@HOST" and "HOST" all give "HOST".
func KeyName(key string) string {
	key = strings.TrimSpace(key)
	if strings.HasPrefix(key, "[") && strings.HasSuffix(key, "]") && len(key) >= 2 {
		key = key[1 : len(key)-1]
	}
	return strings.TrimPrefix(key, "@")
}
