package descriptor

import (
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// object is a JSON object while it is read: its members by name.
type object struct {
	offset  int
	members map[string]member
	id      string // replaces @id and @ID, inside an input
}

type member struct {
	name  int // offset of the name
	value hujson.Value
}

// object returns the members of v. Of a name given twice the last one counts,
// as in the JSON readers of Groovy and Python.
func (r *reader) object(v hujson.Value) (object, bool) {
	o, ok := v.Value.(*hujson.Object)
	if !ok {
		return object{offset: v.StartOffset}, false
	}
	members := make(map[string]member, len(o.Members))
	for _, m := range o.Members {
		name := literal(m.Name)
		if _, twice := members[name]; twice {
			r.warn(m.Name.StartOffset, "attribute %s is given twice; the last one counts", quote(name))
		}
		members[name] = member{m.Name.StartOffset, m.Value}
	}
	return object{offset: v.StartOffset, members: members}, true
}

// literal returns the text of a string, a number, a boolean or null.
func literal(v hujson.Value) string {
	l, _ := v.Value.(hujson.Literal)
	return l.String()
}

// unknown warns about members that are none of the known attributes.
func (r *reader) unknown(o object, known []string) {
	meant := make(map[string]string, len(known))
	for _, name := range known {
		meant[foldName(name)] = name
	}
	for name, m := range o.members {
		if slices.Contains(known, name) {
			continue
		}
		hint := "it is ignored"
		if k := meant[foldName(name)]; k != "" {
			hint += "; did you mean " + quote(k) + "?"
		}
		r.warn(m.name, "attribute %s is not part of cytomine-0.1; %s", quote(name), hint)
	}
}

var foldAway = strings.NewReplacer("-", "", "_", "", " ", "")

// foldName makes defaultValue, default_value and Default-Value the same.
func foldName(s string) string { return strings.ToLower(foldAway.Replace(s)) }

// at returns the offset of an attribute's value, or of the object without it.
func (o object) at(name string) int {
	if m, ok := o.members[name]; ok {
		return m.value.StartOffset
	}
	return o.offset
}

// has reports whether the attribute is there and not null.
func (o object) has(name string) bool {
	m, ok := o.members[name]
	return ok && m.value.Value.Kind() != 'n'
}

// string reads an attribute that should be a string; absent and null are "".
func (r *reader) string(o object, name string) string {
	if !o.has(name) {
		return ""
	}
	v := o.members[name].value
	switch v.Value.Kind() {
	case '"':
		return r.expand(o, v.StartOffset, literal(v))
	case '{', '[':
		r.warn(v.StartOffset, "%s should be a string, but is %s; it is ignored", name, kindName(v))
		return ""
	}
	r.warn(v.StartOffset, "%s should be a string, but is %s", name, kindName(v))
	return literal(v)
}

// bool reads an attribute that should be true or false; absent is false.
func (r *reader) bool(o object, name string) bool {
	if !o.has(name) {
		return false
	}
	v := o.members[name].value
	kind := v.Value.Kind()
	if kind == 't' || kind == 'f' {
		return kind == 't'
	}
	if kind == '{' || kind == '[' {
		r.warn(v.StartOffset, "%s should be true or false, but is %s; it is ignored", name, kindName(v))
		return false
	}
	text := literal(v)
	b, err := parseBool(text)
	if err != nil {
		r.warn(v.StartOffset, "%s should be true or false; %s is read as false", name, quote(text))
		return false
	}
	hint := ""
	if kind == '"' && !b {
		hint = ", though a Cytomine server takes any text for true"
	}
	r.warn(v.StartOffset, "%s should be true or false without quotes; %s is read as %t%s", name, quote(text), b, hint)
	return b
}

// scalar returns the text of a string, number or boolean value; ok is false
// for null, a list and an object.
func (r *reader) scalar(o object, v hujson.Value) (text string, ok bool) {
	switch v.Value.Kind() {
	case 'n', '{', '[':
		return "", false
	case '"':
		return r.expand(o, v.StartOffset, literal(v)), true
	}
	return literal(v), true
}

// expand replaces @id and @ID by the id of the input. The budget bounds what
// a long id repeated often can add.
func (r *reader) expand(o object, offset int, s string) string {
	n := strings.Count(s, "@id") + strings.Count(s, "@ID")
	if o.id == "" || n == 0 {
		return s
	}
	upper := strings.ToUpper(o.id)
	if r.budget -= n * (len(o.id) + len(upper)); r.budget < 0 {
		r.warn(offset, "@id is not replaced here: the file repeats it too often")
		return s
	}
	return strings.NewReplacer("@ID", upper, "@id", o.id).Replace(s)
}
