package paramform

import (
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

// takes says in a few words what a field accepts.
func (m *Screen) takes(s spot) string {
	p := m.field(s).Parameter
	if s.launch && takesResource(p.ID) != "" {
		return takesResource(p.ID)
	}
	return takes(p)
}

func takes(p descriptor.Parameter) string {
	if len(p.Choices) > 0 {
		return text.Line(strings.Join(p.Choices, " | "))
	}
	limits := limits(p)
	switch p.Type {
	case descriptor.Boolean:
		return "true | false"
	case descriptor.Number:
		if p.Integer {
			return strings.TrimSpace("whole " + limits)
		}
		if limits != "" {
			return limits
		}
		return "number"
	case descriptor.Date:
		return strings.TrimSpace("YYYY-MM-DD " + limits)
	case descriptor.Domain:
		return "one of a list"
	case descriptor.ListDomain:
		return "some of a list"
	case descriptor.List:
		return "list"
	case descriptor.File, descriptor.Image:
		return strings.ToLower(string(p.Type))
	}
	return "text"
}

// limits are the smallest and the largest value.
func limits(p descriptor.Parameter) string {
	low, high := limit(p.Type, p.Minimum), limit(p.Type, p.Maximum)
	switch {
	case low != "" && high != "":
		return low + ".." + high
	case low != "":
		return "≥ " + low
	case high != "":
		return "≤ " + high
	}
	return ""
}

func limit(t descriptor.Type, s *string) string {
	if s == nil {
		return ""
	}
	if v, err := descriptor.ParseValue(t, *s); err == nil {
		return text.Line(v.Text())
	}
	return text.Line(*s)
}
