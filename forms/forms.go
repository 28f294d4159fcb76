// Package forms is the parameter form of an algorithm without a screen: its
// fields, their values with the origin of each, and what is wrong with them.
//
// It is pure. The screen, the line-by-line form, flags, files and presets all
// fill a Form and all ask the same Validate, so that a value is good or bad
// everywhere alike.
package forms

import (
	"slices"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Group is where a field stands on the form.
type Group int

// The groups of a form, in the order of the screen.
const (
	Required  Group = iota // the person must give a value
	Prefilled              // there is a default
	Optional               // may stay empty
)

// String is the group's heading.
func (g Group) String() string {
	switch g {
	case Required:
		return "required"
	case Prefilled:
		return "pre-filled"
	}
	return "optional"
}

// Field is one parameter on the form.
type Field struct {
	Parameter descriptor.Parameter
	Group     Group
	// Text is the value as it was typed; canonical once it is valid. Empty
	// means no value.
	Text   string
	Origin client.Origin // empty while nobody gave a value
	Labels []string      // names of the chosen options, in the order of Text
	// Problems is what Validate found, errors before warnings.
	Problems []Problem

	sweeps bool
}

// Value is the field's text read as its type. It is no value where the text is
// invalid.
func (f Field) Value() descriptor.Value {
	v, err := descriptor.ParseValue(f.Parameter.Type, f.Text)
	if err != nil {
		return descriptor.Value{}
	}
	return v
}

// Sweep gives the values of a field that has several, see Form.AllowSweeps.
func (f Field) Sweep() (Sweep, bool) {
	if !f.sweeps || !IsSweep(f.Parameter, f.Text) {
		return Sweep{}, false
	}
	s, err := ParseSweep(f.Parameter, f.Text)
	return s, err == nil
}

// Changed tells whether the value is another than the default.
func (f Field) Changed() bool {
	return !f.Value().Equal(defaultValue(f.Parameter)) || f.Text != "" && !f.Value().IsSet()
}

// Form holds the fields in the order of the screen.
type Form struct {
	Fields []Field
	byID   map[string]int
}

// New makes the form of the parameters that a person sets, filled with their
// defaults and over them with earlier values. An earlier value of a parameter
// that the algorithm does not have is left out; Unknown names it.
func New(parameters []descriptor.Parameter, prefill []client.Value) *Form {
	f := &Form{byID: make(map[string]int, len(parameters))}
	for _, p := range parameters {
		f.Fields = append(f.Fields, newField(p))
	}
	slices.SortStableFunc(f.Fields, func(a, b Field) int { return int(a.Group) - int(b.Group) })
	for i, field := range f.Fields {
		f.byID[field.Parameter.ID] = i
	}
	for _, v := range prefill {
		f.Set(v.Parameter, v.Text, v.Origin, v.Labels...)
	}
	f.Validate()
	return f
}

func newField(p descriptor.Parameter) Field {
	f := Field{Parameter: p, Group: groupOf(p)}
	if d := defaultText(p); d != "" {
		f.Text, f.Origin = d, client.FromDefault
	}
	return f
}

func groupOf(p descriptor.Parameter) Group {
	switch {
	case defaultText(p) != "":
		return Prefilled
	case p.Optional:
		return Optional
	}
	return Required
}

// defaultText is the text that a field starts with. A required Boolean without
// a default starts as false, as in Cytomine's own form (contract §4.1).
func defaultText(p descriptor.Parameter) string {
	if p.Default != nil && *p.Default != "" {
		return *p.Default
	}
	if p.Type == descriptor.Boolean && !p.Optional {
		return "false"
	}
	return ""
}

func defaultValue(p descriptor.Parameter) descriptor.Value {
	v, _ := descriptor.ParseValue(p.Type, defaultText(p))
	return v
}

// Field finds a field by the parameter's id; nil when there is none.
func (f *Form) Field(id string) *Field {
	if i, ok := f.byID[id]; ok {
		return &f.Fields[i]
	}
	return nil
}

// Set gives a field a value and tells whether there is such a field. Text that
// is not valid stays as typed, with its problem.
func (f *Form) Set(id, text string, origin client.Origin, labels ...string) bool {
	field := f.Field(id)
	if field == nil {
		return false
	}
	if v, err := descriptor.ParseValue(field.Parameter.Type, text); err == nil {
		text = v.Text()
	}
	field.Text, field.Origin, field.Labels = text, origin, labels
	field.check()
	return true
}

// Clear takes a field's value away, also its default.
func (f *Form) Clear(id string) {
	if field := f.Field(id); field != nil {
		field.Text, field.Origin, field.Labels = "", client.FromUser, nil
		field.check()
	}
}

// Reset gives a field its default back.
func (f *Form) Reset(id string) {
	if field := f.Field(id); field != nil {
		sweeps := field.sweeps
		*field = newField(field.Parameter)
		field.sweeps = sweeps
		field.check()
	}
}

// Parameters are the parameters of the fields.
func (f *Form) Parameters() []descriptor.Parameter {
	ps := make([]descriptor.Parameter, len(f.Fields))
	for i := range f.Fields {
		ps[i] = f.Fields[i].Parameter
	}
	return ps
}

// Values are what a launch needs: every field with a value, defaults included,
// so that the server records what was really used, and every default that was
// cleared, with an empty text.
func (f *Form) Values() []client.Value {
	var vs []client.Value
	for _, field := range f.Fields {
		if v, ok := field.choice(); ok {
			vs = append(vs, v)
		}
	}
	return vs
}

// choice is the field as a launch takes it; ok is false where nobody chose
// anything and there is no default to clear.
func (f Field) choice() (v client.Value, ok bool) {
	if f.Text == "" && defaultText(f.Parameter) == "" {
		return client.Value{}, false
	}
	return client.Value{Parameter: f.Parameter.ID, Text: f.Text, Origin: f.Origin, Labels: f.Labels}, true
}

// check asks the judge about this field alone: a form of 200 parameters is
// changed at every key.
func (f *Field) check() {
	v, chosen := f.choice()
	if f.sweeps && IsSweep(f.Parameter, f.Text) {
		_, _, f.Problems = Sweeps([]descriptor.Parameter{f.Parameter}, []client.Value{v})
		return
	}
	f.Problems = check(f.Parameter, v, chosen)
}

// AllowSweeps lets a field take several values at once, as IsSweep recognises
// them. Such a form launches what Sweeps and Combine make of its Values.
func (f *Form) AllowSweeps() {
	for i := range f.Fields {
		f.Fields[i].sweeps = true
		f.Fields[i].check()
	}
}

// Validate checks every field, keeps what it found with them, and returns it,
// errors first.
func (f *Form) Validate() Problems {
	var problems Problems
	for i := range f.Fields {
		f.Fields[i].check()
		problems = append(problems, f.Fields[i].Problems...)
	}
	errorsFirst(problems)
	return problems
}
