package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
)

// MethodsFormats lists what Write can write.
var MethodsFormats = []string{"text", "md", "latex", "json"}

// Write writes the paragraphs and the table.
func (m Methods) Write(w io.Writer, format string) error {
	switch format {
	case "text", "":
		return m.writeText(w)
	case "md":
		return m.writeMarkdown(w)
	case "latex":
		return m.writeLatex(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(m)
	}
	return fmt.Errorf("no format %q; use one of %s", format, strings.Join(MethodsFormats, ", "))
}

func (m Methods) writeText(w io.Writer) error {
	var b strings.Builder
	for _, p := range m.Paragraphs {
		b.WriteString(strings.Join(text.Wrap(p, 78), "\n") + "\n\n")
	}
	widths := make([]int, len(m.Head))
	for _, row := range append([][]string{m.Head}, m.Rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], text.Width(text.Line(c)))
		}
	}
	for _, row := range append([][]string{m.Head}, m.Rows...) {
		var l strings.Builder
		for i, c := range row {
			l.WriteString(text.Pad(text.Line(c), widths[i]) + "  ")
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	if len(m.Missing) > 0 {
		b.WriteString("\nnot recorded: " + strings.Join(m.Missing, "; ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m Methods) writeMarkdown(w io.Writer) error {
	esc := strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "*", "\\*", "_", "\\_", "`", "\\`").Replace
	var b strings.Builder
	for _, p := range m.Paragraphs {
		b.WriteString(esc(p) + "\n\n")
	}
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + esc(text.Line(c)) + " ")
		}
		b.WriteString("|\n")
	}
	row(m.Head)
	b.WriteString(strings.Repeat("|---", len(m.Head)) + "|\n")
	for _, r := range m.Rows {
		row(r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m Methods) writeLatex(w io.Writer) error {
	esc := compare.Latex
	var b strings.Builder
	for _, p := range m.Paragraphs {
		b.WriteString(esc(p) + "\n\n")
	}
	b.WriteString("\\begin{tabular}{" + strings.Repeat("l", len(m.Head)) + "}\n\\hline\n")
	row := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(esc(text.Line(c)))
		}
		b.WriteString(" \\\\\n")
	}
	row(m.Head)
	b.WriteString("\\hline\n")
	for _, r := range m.Rows {
		row(r)
	}
	b.WriteString("\\hline\n\\end{tabular}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
