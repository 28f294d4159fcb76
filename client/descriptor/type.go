package descriptor

import "strings"

// Type is the kind of value a parameter takes.
type Type string

// The types of cytomine-0.1, then List, which Cytomine's core knows too, and
// File and Image, which descriptors of related schemas use.
const (
	String     Type = "String"
	Number     Type = "Number"
	Boolean    Type = "Boolean"
	Date       Type = "Date"
	Domain     Type = "Domain"
	ListDomain Type = "ListDomain"
	List       Type = "List"
	File       Type = "File"
	Image      Type = "Image"
)

// typeNames maps lower-case spellings to types.
var typeNames = map[string]Type{
	"string": String, "number": Number, "boolean": Boolean, "date": Date,
	"domain": Domain, "listdomain": ListDomain, "list": List, "file": File, "image": Image,
	"float": Number, "integer": Number, "bool": Boolean,
}

// ParseType returns the type that s names, upper or lower case; "float" and
// "integer" are numbers. An unknown name is read as String with known false,
// so that its parameter stays a plain text field.
func ParseType(s string) (t Type, known bool) {
	if t, ok := typeNames[strings.ToLower(strings.TrimSpace(s))]; ok {
		return t, true
	}
	return String, false
}

// IsList reports whether a value of the type holds several items.
func (t Type) IsList() bool { return t == List || t == ListDomain }
