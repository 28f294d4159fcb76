package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"

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
// in which no row has anything are left out, and so is a heading without rows. On a
// terminal that is too narrow the columns that do not fit go on, indented, below.
func (c *cli) printTable(head []string, rows [][]string) error {
	_, err := io.WriteString(c.out, table(head, rows, c.columns()))
	return err
}

// columns is the width of the terminal that is printed to, 0 where it is none.
func (c *cli) columns() int {
	if f, ok := c.out.(*os.File); ok {
		if w, _, err := term.GetSize(f.Fd()); err == nil {
			return w
		}
	}
	return 0
}

// table is what printTable prints in so many columns, 0 for any number.
func table(head []string, rows [][]string, columns int) string {
	if len(rows) == 0 {
		return ""
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
		at := 0
		for i, cell := range line {
			if !full[i] {
				continue
			}
			if columns > 0 && at > 0 && at+widths[i] > columns {
				writeRow(&b, s.String())
				s.Reset()
				s.WriteString(below)
				at = len(below)
			}
			s.WriteString(text.Pad(cell, widths[i]) + "  ")
			at += widths[i] + 2
		}
		writeRow(&b, s.String())
	}
	return b.String()
}

// below is before what goes on under its row.
const below = "    "

// writeRow writes a line unless there is nothing in it.
func writeRow(b *strings.Builder, line string) {
	if line = strings.TrimRight(line, " "); line != "" {
		b.WriteString(line + "\n")
	}
}
