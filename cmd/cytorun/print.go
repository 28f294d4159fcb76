package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// schema is the version of everything that --json prints. A field may be added
// without a new version; readers ignore fields that they do not know.
const schema = 1

// field is one field of an object of --json.
type field struct {
	name  string
	value any
}

// printJSON prints an object for programs: its fields in order, after the
// schema.
func (c *cli) printJSON(fields ...field) error {
	line, err := encode(fields)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return err
	}
	_, err = b.WriteTo(c.out)
	return err
}

// printLineJSON prints the object on one line.
func (c *cli) printLineJSON(fields ...field) error {
	line, err := encode(fields)
	if err != nil {
		return err
	}
	_, err = c.out.Write(line)
	return err
}

func encode(fields []field) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, f := range append([]field{{"schema", schema}}, fields...) {
		b.WriteByte("{,"[min(i, 1)])
		if err := e.Encode(f.name); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder ends everything with a new line
		b.WriteByte(':')
		if err := e.Encode(f.value); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// list is a list for --json, which prints nothing as [] rather than null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// printTable prints rows under a heading, aligned, safe for a terminal. Columns
// in which no row has anything are left out, and so is a heading without rows.
func (c *cli) printTable(head []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	widths := make([]int, len(head))
	full := make([]bool, len(head))
	lines := make([][]string, 0, len(rows)+1)
	for n, row := range append([][]string{head}, rows...) {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = text.Line(cell)
			widths[i] = max(widths[i], text.Width(line[i]))
			full[i] = full[i] || line[i] != "" && n > 0
		}
		lines = append(lines, line)
	}
	var b strings.Builder
	for _, line := range lines {
		var s strings.Builder
		for i, cell := range line {
			if full[i] {
				s.WriteString(text.Pad(cell, widths[i]) + "  ")
			}
		}
		b.WriteString(strings.TrimRight(s.String(), " ") + "\n")
	}
	_, err := io.WriteString(c.out, b.String())
	return err
}
