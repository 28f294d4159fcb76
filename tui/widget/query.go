package widget

import (
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// Query is a filter of words and fields: "nuclei state:failed by:me". Words
// are free; a field narrows by one property. A quoted value may hold blanks.
type Query struct {
	Words  []string
	Fields []QueryField
}

// QueryField is one "name:value" of a query, both in lower case.
type QueryField struct{ Name, Value string }

// ParseQuery reads a query. Only the given names are fields, so that a word
// with a colon in it stays a word; a field without a value yet is left out,
// because somebody is typing it.
func ParseQuery(s string, names ...string) Query {
	var q Query
	for _, w := range splitWords(strings.ToLower(s)) {
		name, value, ok := strings.Cut(w, ":")
		if ok && contains(names, name) {
			if value = strings.Trim(value, `"`); value != "" {
				q.Fields = append(q.Fields, QueryField{name, value})
			}
			continue
		}
		if w = strings.Trim(w, `"`); w != "" {
			q.Words = append(q.Words, w)
		}
	}
	return q
}

// splitWords cuts at blanks that are not inside quotes.
func splitWords(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Field writes a field so that ParseQuery reads it back.
func Field(name, value string) string {
	value = strings.ReplaceAll(text.Line(value), `"`, "")
	if strings.ContainsAny(value, " \t") {
		value = `"` + value + `"`
	}
	return name + ":" + value
}
