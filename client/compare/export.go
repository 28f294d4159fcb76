package compare

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// Formats lists what Export can write.
var Formats = []string{"table", "csv", "json", "md", "latex"}

// Export writes the table. baseline is the column that deltas refer to, or -1.
// Formats for people show deltas and mark the best values; csv and json hold
// the values alone, json with the numbers as well.
func (t Table) Export(w io.Writer, format string, baseline int) error {
	switch format {
	case "table", "":
		return t.exportTable(w, baseline)
	case "csv":
		return t.exportCSV(w)
	case "json":
		return t.exportJSON(w)
	case "md":
		return t.exportMarkdown(w, baseline)
	case "latex":
		return t.exportLatex(w, baseline)
	}
	return fmt.Errorf("cannot export a comparison as %q: unknown format; use one of %s", format, strings.Join(Formats, ", "))
}

// CellText is what a person reads in a cell: the value, its delta against the
// baseline, and where it came from.
func (t Table) CellText(row, col, baseline int) string {
	c := t.Rows[row].Cells[col]
	if c.Missing {
		return "-"
	}
	s := text.Line(c.Text)
	if d, ok := t.Delta(row, col, baseline); ok {
		s += "  " + d
	}
	if c.Note != "" {
		s += "  (" + text.Line(c.Note) + ")"
	}
	return s
}

func (r Row) label() string {
	l := text.Line(r.Label)
	if r.Unit != "" {
		l += " [" + text.Line(r.Unit) + "]"
	}
	return l
}

func (r Row) isBest(col int) bool {
	for _, b := range r.Best {
		if b == col {
			return true
		}
	}
	return false
}

func (t Table) exportTable(w io.Writer, baseline int) error {
	widths := make([]int, len(t.Columns)+1)
	lines := [][]string{{""}}
	for i, c := range t.Columns {
		title := text.Line(c.Title)
		if i == baseline {
			title += " (baseline)"
		}
		lines[0] = append(lines[0], title)
	}
	for i, r := range t.Rows {
		if i == 0 || t.Rows[i-1].Section != r.Section {
			lines = append(lines, nil, []string{strings.ToUpper(r.Section.String())})
		}
		line := []string{r.label()}
		for j := range t.Columns {
			s := t.CellText(i, j, baseline)
			if r.isBest(j) {
				s += " *"
			}
			line = append(line, s)
		}
		lines = append(lines, line)
	}
	for _, l := range lines {
		for i, s := range l {
			widths[i] = max(widths[i], text.Width(s))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		for i, s := range l {
			if i > 0 {
				b.WriteString("  ")
			}
			if i == len(l)-1 {
				b.WriteString(s)
			} else {
				b.WriteString(text.Pad(s, widths[i]))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// unit is what the numbers of a row are in, for programs.
func (r Row) unit() string {
	switch {
	case r.Unit != "":
	case r.Quantity == Seconds:
		return "s"
	case r.Quantity == Bytes, r.Quantity == Memory:
		return "bytes"
	}
	return r.Unit
}

func (t Table) exportCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"section", "key", "label", "unit"}
	for _, col := range t.Columns {
		head = append(head, SafeCell(text.Line(col.Title)))
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for _, r := range t.Rows {
		rec := []string{r.Section.String(), r.Key, r.Label, r.unit()}
		for _, cell := range r.Cells {
			if cell.IsNumber && r.Quantity != Plain { // a program cannot read "3m12s"
				rec = append(rec, strconv.FormatFloat(cell.Number, 'f', -1, 64))
				continue
			}
			rec = append(rec, cell.Text)
		}
		for i := range rec {
			rec[i] = SafeCell(text.Line(rec[i]))
		}
		if err := c.Write(rec); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// SafeCell keeps a spreadsheet from running server text as a formula.
func SafeCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@", rune(s[0])) {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

type jsonTable struct {
	Schema  int       `json:"schema"`
	Columns []jsonCol `json:"columns"`
	Rows    []jsonRow `json:"rows"`
}

type jsonCol struct {
	Key   string `json:"key"`
	Title string `json:"title"`
}

type jsonRow struct {
	Section string     `json:"section"`
	Key     string     `json:"key"`
	Label   string     `json:"label"`
	Unit    string     `json:"unit,omitempty"`
	Differs bool       `json:"differs"`
	Best    []int      `json:"best,omitempty"`
	Cells   []jsonCell `json:"cells"`
}

type jsonCell struct {
	Text    string   `json:"text,omitempty"`
	Number  *float64 `json:"number,omitempty"`
	Note    string   `json:"note,omitempty"`
	Missing bool     `json:"missing,omitempty"`
}

func (t Table) exportJSON(w io.Writer) error {
	out := jsonTable{Schema: 1, Columns: []jsonCol{}, Rows: []jsonRow{}}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, jsonCol(c))
	}
	for _, r := range t.Rows {
		jr := jsonRow{Section: r.Section.String(), Key: r.Key, Label: r.Label, Unit: r.unit(), Differs: r.Differs, Best: r.Best}
		for i := range r.Cells {
			c := &r.Cells[i]
			jc := jsonCell{Text: c.Text, Note: c.Note, Missing: c.Missing}
			if c.IsNumber {
				jc.Number = &c.Number
			}
			jr.Cells = append(jr.Cells, jc)
		}
		out.Rows = append(out.Rows, jr)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

func (t Table) exportMarkdown(w io.Writer, baseline int) error {
	esc := strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "*", "\\*", "_", "\\_", "`", "\\`").Replace
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range t.Columns {
		b.WriteString(" " + esc(text.Line(c.Title)) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(t.Columns)) + "\n")
	for i, r := range t.Rows {
		b.WriteString("| " + esc(r.label()) + " |")
		for j := range t.Columns {
			s := esc(t.CellText(i, j, baseline))
			if r.isBest(j) {
				s = "**" + s + "**"
			}
			b.WriteString(" " + s + " |")
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var latexEscape = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`,
	"_", `\_`, "{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`,
	"µ", `\textmu{}`, "×", `$\times$`, "“", "``", "”", "''", "²", `\textsuperscript{2}`, "•", `\textbullet{}`)

// Latex is text as LaTeX shows it.
func Latex(s string) string { return latexEscape.Replace(s) }

func (t Table) exportLatex(w io.Writer, baseline int) error {
	esc := Latex
	var b strings.Builder
	b.WriteString("\\begin{tabular}{l" + strings.Repeat("l", len(t.Columns)) + "}\n\\hline\n")
	for _, c := range t.Columns {
		b.WriteString(" & " + esc(text.Line(c.Title)))
	}
	b.WriteString(" \\\\\n\\hline\n")
	for i, r := range t.Rows {
		b.WriteString(esc(r.label()))
		for j := range t.Columns {
			s := esc(t.CellText(i, j, baseline))
			if r.isBest(j) {
				s = "\\textbf{" + s + "}"
			}
			b.WriteString(" & " + s)
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("\\hline\n\\end{tabular}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
