package forms

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

// FileStyle says how a parameter file is written.
type FileStyle struct {
	Title []string // lines at the top
	// Hints are further lines of help by parameter, such as its first options.
	Hints map[string][]string
	// ChosenOnly writes the parameters that have no value among those given as
	// comments, with their defaults, so that reading the file gives just the
	// values given. Without it every parameter has a line of its own.
	ChosenOnly bool
}

// WriteFile writes values as a commented parameter file, in the order of the
// form. ReadFile gives the same values back, exactly.
func WriteFile(w io.Writer, parameters []descriptor.Parameter, values []client.Value, style FileStyle) error {
	given := make(map[string]client.Value, len(values))
	for _, v := range values {
		given[v.Parameter] = v
	}
	var b strings.Builder
	for _, line := range style.Title {
		b.WriteString("# " + text.Line(line) + "\n") // not wrapped: it may hold a command
	}
	group := Group(-1)
	written := make(map[string]bool, len(parameters))
	for _, field := range New(parameters, nil).Fields {
		p := field.Parameter
		if written[p.ID] {
			continue // a server with two of one name: a file can hold one
		}
		written[p.ID] = true
		if field.Group != group {
			group = field.Group
			fmt.Fprintf(&b, "\n# ---- %s ----\n", group)
		}
		b.WriteByte('\n')
		help(&b, p, style.Hints[p.ID])
		v, ok := given[p.ID]
		if !ok {
			v = client.Value{Text: field.Text}
		}
		line := keyTOML(p.ID) + " = " + valueTOML(p, v) + "\n"
		if !ok && style.ChosenOnly {
			line = "# " + strings.TrimSuffix(strings.ReplaceAll(line, "\n", "\n# "), "# ")
		}
		b.WriteString(line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// help writes what a person must know of a parameter to set it.
func help(b *strings.Builder, p descriptor.Parameter, hints []string) {
	head := p.Label()
	if p.Flag != "" {
		head += " (" + p.Flag + ")"
	}
	comment(b, head)
	lines := strings.Split(strings.TrimSpace(text.HTML(p.Description)), "\n")
	for i, line := range lines {
		if i == 12 {
			comment(b, "…")
			break
		}
		comment(b, line)
	}
	comment(b, Describe(p))
	for _, h := range hints {
		comment(b, h)
	}
}

// comment writes text as comment lines; an empty text is no line.
func comment(b *strings.Builder, s string) {
	const width, most = 76, 800 // cells
	s = text.Truncate(s, most)
	if s = strings.TrimSpace(text.Line(s)); s == "" {
		return
	}
	for _, line := range text.Wrap(s, width) {
		b.WriteString("# " + strings.TrimSpace(line) + "\n")
	}
}

// Describe says in one line what a parameter takes: its type, limits, choices,
// whether it may stay empty, its default, and where the limits come from.
func Describe(p descriptor.Parameter) string {
	parts := []string{typeWords(p)}
	switch {
	case p.Minimum != nil && p.Maximum != nil:
		parts = append(parts, fmt.Sprintf("from %s to %s", *p.Minimum, *p.Maximum))
	case p.Minimum != nil:
		parts = append(parts, "at least "+*p.Minimum)
	case p.Maximum != nil:
		parts = append(parts, "at most "+*p.Maximum)
	}
	if len(p.Choices) > 0 {
		parts = append(parts, "one of "+strings.Join(p.Choices, " | "))
	}
	if p.Optional {
		parts = append(parts, "may stay empty")
	} else {
		parts = append(parts, "required")
	}
	if d := defaultText(p); d != "" {
		parts = append(parts, "default "+text.Truncate(text.Line(d), 60))
	}
	s := strings.Join(parts, "; ")
	if p.LimitsFrom != "" {
		s += "; limits from " + p.LimitsFrom
	}
	return s
}

func typeWords(p descriptor.Parameter) string {
	switch p.Type {
	case descriptor.Number:
		if p.Integer {
			return "whole number"
		}
		return "number"
	case descriptor.Boolean:
		return "true or false"
	case descriptor.Date:
		return "date such as 2024-01-31"
	case descriptor.Domain:
		return "one option by id or name"
	case descriptor.ListDomain:
		return "options by id or name, all, or a selection such as @mine"
	case descriptor.List:
		return "list"
	case descriptor.File:
		return "file"
	case descriptor.Image:
		return "image"
	}
	return "text"
}

func keyTOML(id string) string {
	for i := range len(id) {
		if !isBareKey(id[i]) {
			return stringTOML(id)
		}
	}
	if id == "" {
		return `""`
	}
	return id
}

// valueTOML writes a value so that reading it gives the same text: as its type
// where TOML has it, else as a string.
func valueTOML(p descriptor.Parameter, v client.Value) string {
	value, err := descriptor.ParseValue(p.Type, v.Text)
	if err != nil || value.Text() != v.Text {
		return stringTOML(v.Text) // as it was typed
	}
	switch {
	case p.Type.IsList():
		return listTOML(p.Type, value.List(), v.Labels)
	case p.Type == descriptor.Number, p.Type == descriptor.Domain, p.Type == descriptor.Boolean, p.Type == descriptor.Date:
		s := bareTOML(v.Text)
		if p.Type == descriptor.Domain && len(v.Labels) == 1 {
			s += " # " + text.Truncate(text.Line(v.Labels[0]), 60)
		}
		return s
	}
	return stringTOML(v.Text)
}

// bareTOML leaves the quotes out where TOML has such a value.
func bareTOML(s string) string {
	bare := s == "true" || s == "false" || numberPattern().MatchString(s) || dateTimePattern().MatchString(s)
	if zero := strings.TrimLeft(s, "+-"); len(zero) > 1 && zero[0] == '0' && isDigit(zero[1]) && !dateTimePattern().MatchString(s) {
		bare = false // TOML has no leading zeros
	}
	if bare && !strings.ContainsAny(s, ".eE-:") && len(s) > 18 {
		bare = false // more than other readers of TOML can hold
	}
	if bare {
		return s
	}
	return stringTOML(s)
}

// listTOML puts one item with its name on each line where names are known.
func listTOML(t descriptor.Type, items, labels []string) string {
	written := make([]string, len(items))
	for i, item := range items {
		written[i] = stringTOML(item)
		if t == descriptor.ListDomain {
			written[i] = bareTOML(item)
		}
	}
	if len(labels) != len(items) || len(items) == 0 {
		return "[" + strings.Join(written, ", ") + "]"
	}
	var b strings.Builder
	b.WriteString("[\n")
	for i := range written {
		fmt.Fprintf(&b, "  %s, # %s\n", written[i], text.Truncate(text.Line(labels[i]), 60))
	}
	b.WriteString("]")
	return b.String()
}

// stringTOML writes a basic string on one line.
func stringTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !strconv.IsPrint(r) && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		case !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
