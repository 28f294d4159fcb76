package descriptor

import (
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// The attributes that are read, or that Cytomine's own router reads.
var (
	topAttributes = []string{"name", "description", "container-image", "command-line", "inputs",
		"schema-version", "tool-version", "default-processing-server-name", "exact-package", "exact-writes"}
	imageAttributes = []string{"image", "type", "index"}
	inputAttributes = []string{"id", "value-key", "command-line-flag", "name", "description", "type",
		"optional", "set-by-server", "server-parameter", "default-value", "default", "value-choices",
		"values-choice", "minimum", "maximum", "equals", "integer", "uri", "uri-print-attribute", "uri-sort-attribute"}
)

// SchemaVersion is the only version a Cytomine server supports.
const SchemaVersion = "cytomine-0.1"

func (r *reader) descriptor(top object) *Descriptor {
	d := &Descriptor{
		Name:          strings.TrimSpace(r.string(top, "name")),
		Description:   r.string(top, "description"),
		Version:       strings.TrimSpace(r.string(top, "tool-version")),
		Container:     r.container(top),
		CommandLine:   r.commandLine(top),
		SchemaVersion: strings.TrimSpace(r.string(top, "schema-version")),
	}
	r.unknown(top, topAttributes)
	if d.Name == "" {
		r.warn(top.at("name"), "the algorithm has no name")
	}
	if d.CommandLine == "" {
		r.warn(top.at("command-line"), "no command-line: no parameter reaches the program")
	}
	switch d.SchemaVersion {
	case SchemaVersion:
	case "":
		r.warn(top.at("schema-version"), "no schema-version; read as %s", SchemaVersion)
	default:
		r.warn(top.at("schema-version"), "schema-version %s is not known; read as %s", quote(d.SchemaVersion), SchemaVersion)
	}
	objects := r.inputs(top, d)
	r.exact(top, d)
	r.lint(top, d, objects)
	r.lintExact(top, d, objects)
	return d
}

func (r *reader) commandLine(top object) string {
	m, ok := top.members["command-line"]
	if list, isList := m.value.Value.(*hujson.Array); ok && isList {
		r.warn(m.value.StartOffset, "command-line should be a string; its words are joined with spaces")
		var words []string
		for _, e := range list.Elements {
			if word, ok := r.scalar(top, e); ok {
				words = append(words, word)
			}
		}
		return strings.Join(words, " ")
	}
	return strings.TrimSpace(r.string(top, "command-line"))
}

func (r *reader) container(top object) Container {
	if !top.has("container-image") {
		r.warn(top.at("container-image"), "no container-image: there is nothing to run")
		return Container{}
	}
	v := top.members["container-image"].value
	o, ok := r.object(v)
	if !ok {
		c := Container{Image: strings.TrimSpace(r.string(top, "container-image"))}
		if v.Value.Kind() == '"' {
			r.warn(v.StartOffset, "container-image should be an object with image and type")
		}
		return c
	}
	r.unknown(o, imageAttributes)
	c := Container{Image: strings.TrimSpace(r.string(o, "image")), Type: strings.TrimSpace(r.string(o, "type"))}
	if strings.Contains(c.Type, "/") && (c.Image == "singularity" || c.Image == "docker") {
		r.warn(o.at("image"), "image and type of the container are swapped; they are read the other way round")
		c.Image, c.Type = c.Type, c.Image
	}
	if c.Image == "" {
		r.warn(o.at("image"), "container-image names no image: there is nothing to run")
	}
	switch c.Type {
	case "singularity":
	case "":
		r.warn(o.at("type"), "container-image has no type; singularity is meant")
	default:
		r.warn(o.at("type"), "container type %s is not supported by Cytomine; singularity is meant", quote(c.Type))
	}
	return c
}

// inputs reads the parameters into d and returns the object of each.
func (r *reader) inputs(top object, d *Descriptor) []object {
	list, ok := top.members["inputs"].value.Value.(*hujson.Array)
	switch {
	case !top.has("inputs"), ok && len(list.Elements) == 0:
		r.warn(top.at("inputs"), "the algorithm has no inputs")
		return nil
	case !ok:
		r.fail(top.at("inputs"), "inputs should be a list, but is %s", kindName(top.members["inputs"].value))
		return nil
	}
	var objects []object
	seen := make(map[string]bool)
	for _, e := range list.Elements {
		o, ok := r.object(e)
		if !ok {
			r.fail(e.StartOffset, "an input should be an object, but is %s; it is left out", kindName(e))
			continue
		}
		id := strings.TrimSpace(r.string(o, "id"))
		switch {
		case id == "":
			r.fail(o.at("id"), "an input has no id; it is left out")
			continue
		case seen[id]:
			r.warn(o.at("id"), "input %s is defined twice; this second one is left out", quote(id))
			continue
		}
		seen[id] = true
		o.id = id
		d.Parameters = append(d.Parameters, r.parameter(o, id))
		objects = append(objects, o)
	}
	return objects
}

// parameter reads one input with the defaults of Cytomine's router: required,
// no flag, key [@ID].
func (r *reader) parameter(o object, id string) Parameter {
	r.unknown(o, inputAttributes)
	p := Parameter{
		ID:              id,
		Name:            r.string(o, "name"),
		Description:     r.string(o, "description"),
		RawType:         strings.TrimSpace(r.string(o, "type")),
		ValueKey:        strings.TrimSpace(r.string(o, "value-key")),
		Flag:            strings.TrimSpace(r.string(o, "command-line-flag")),
		Optional:        r.bool(o, "optional"),
		SetByServer:     r.bool(o, "set-by-server"),
		ServerParameter: r.bool(o, "server-parameter"),
		Integer:         r.bool(o, "integer"),
		URI:             strings.TrimSpace(r.string(o, "uri")),
		URIPrint:        strings.TrimSpace(r.string(o, "uri-print-attribute")),
		URISort:         strings.TrimSpace(r.string(o, "uri-sort-attribute")),
	}
	if p.ValueKey == "" {
		p.ValueKey = "[" + strings.ToUpper(id) + "]"
	}
	var known bool
	switch p.Type, known = ParseType(p.RawType); {
	case known:
		p.Integer = p.Integer || strings.EqualFold(p.RawType, "integer")
	case p.RawType == "":
		r.warn(o.at("type"), "input %s has no type; read as String", quote(id))
	default:
		r.warn(o.at("type"), "type %s is not known; read as String", quote(p.RawType))
	}
	p.Choices = r.choices(o, p.Type)
	p.Minimum = r.limit(o, "minimum", p.Type)
	p.Maximum = r.limit(o, "maximum", p.Type)
	p.Default = r.defaultValue(o, p.Type)
	return p
}

// choices accepts the router's values-choice and Boutiques' value-choices.
func (r *reader) choices(o object, t Type) []string {
	name := "value-choices"
	if !o.has(name) {
		name = "values-choice"
	}
	if !o.has(name) {
		return nil
	}
	v := o.members[name].value
	list, ok := v.Value.(*hujson.Array)
	if !ok {
		r.warn(v.StartOffset, "%s should be a list, but is %s; it is ignored", name, kindName(v))
		return nil
	}
	var choices []string
	for _, e := range list.Elements {
		text, ok := r.scalar(o, e)
		if !ok || text == "" {
			r.warn(e.StartOffset, "a choice should be a value, but is %s; it is left out", emptyOr(kindName(e), ok))
			continue
		}
		choice, err := ParseValue(t, text)
		if err != nil {
			r.warn(e.StartOffset, "choice %s; it is left out", err)
			continue
		}
		choices = append(choices, choice.Text())
	}
	return slices.Clip(unique(choices))
}

func emptyOr(kind string, empty bool) string {
	if empty {
		return "empty"
	}
	return kind
}

// limit reads minimum or maximum, a number or its text.
func (r *reader) limit(o object, name string, t Type) *string {
	if !o.has(name) {
		return nil
	}
	v := o.members[name].value
	text, ok := r.scalar(o, v)
	if !ok {
		r.warn(v.StartOffset, "%s should be a number, but is %s; it is ignored", name, kindName(v))
		return nil
	}
	if text == "" {
		return nil
	}
	var err error
	switch t {
	case Number:
		var d decimal
		if d, err = parseDecimal(text); err == nil {
			text = d.text()
		}
	case Date:
		_, err = parseDateLimit(text)
	default:
		r.warn(v.StartOffset, "%s has no meaning for a %s; it is ignored", name, t)
		return nil
	}
	if err != nil {
		r.warn(v.StartOffset, "%s %s; it is ignored", name, err)
		return nil
	}
	return &text
}

// defaultValue reads default-value, or else the attribute default that some
// authors write.
func (r *reader) defaultValue(o object, t Type) *string {
	name := "default-value"
	if !o.has(name) && o.has("default") {
		name = "default"
		r.warn(o.members[name].name, `a Cytomine server ignores "default" and reads "default-value"; it is read here`)
	}
	if !o.has(name) {
		return nil
	}
	v := o.members[name].value
	text, ok := r.scalar(o, v)
	if list, isList := v.Value.(*hujson.Array); isList {
		text, ok = r.listDefault(o, list, t), true
	}
	if !ok {
		r.warn(v.StartOffset, "%s should be a value, but is %s; it is ignored", name, kindName(v))
		return nil
	}
	value, err := ParseValue(t, text)
	switch {
	case err != nil:
		r.warn(v.StartOffset, "%s %s", name, err)
		return &text
	case !value.IsSet():
		return nil
	}
	text = value.Text()
	return &text
}

// listDefault writes a list as the server would store it: Groovy's [1, 2],
// except where the type is a list itself.
func (r *reader) listDefault(o object, list *hujson.Array, t Type) string {
	var items []string
	for _, e := range list.Elements {
		if text, ok := r.scalar(o, e); ok {
			items = append(items, text)
		}
	}
	if t.IsList() {
		return strings.Join(items, ",")
	}
	return "[" + strings.Join(items, ", ") + "]"
}
