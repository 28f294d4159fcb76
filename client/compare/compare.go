// Package compare puts analyses side by side: analyses are columns; facts,
// parameters and results are rows.
//
// It is pure and total: any number of analyses, of any versions of any
// algorithms, with values missing, doubled or of changing type, makes a table.
// Rows are aligned by the key of an entry (a parameter's name), never by ids of
// the server, which differ from version to version. Names for ids are resolved
// by the caller.
package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

// Section groups the rows of a table, in this order.
type Section int

// The sections of a table.
const (
	Facts Section = iota
	Parameters
	Results
)

// String is the section's heading.
func (s Section) String() string {
	switch s {
	case Facts:
		return "analysis"
	case Parameters:
		return "parameters"
	case Results:
		return "results"
	}
	return "other"
}

// Better tells in which direction a number is good.
type Better int

// The directions of a row.
const (
	Neither Better = iota
	Lower
	Higher
)

// Quantity says what a number measures, and so how a difference is written.
type Quantity int

// The quantities of a row. Times are in seconds, memory and files in bytes.
const (
	Plain Quantity = iota
	Seconds
	Bytes  // of files
	Memory // in bytes too
)

// Input is one analysis to compare.
type Input struct {
	Key     string // identity of the analysis, returned in Column
	Title   string
	Entries []Entry
	// Unfit tells that it came to no good end: its numbers are shown and are never
	// the best, because giving up early is no virtue.
	Unfit bool
}

// Entry is one thing known of an analysis.
type Entry struct {
	Section Section
	// Key identifies the row across analyses. A second entry with the same key
	// in one analysis gets a row of its own.
	Key   string
	Label string // shown; Key when empty
	// Value decides on equality, so that 1 and 1.0 do not differ.
	Value descriptor.Value
	// Text is shown instead of the value when not empty: names for ids, a
	// duration for seconds.
	Text     string
	Unit     string
	Quantity Quantity
	Better   Better
	// Note says where the value comes from when it was not recorded, such as
	// "default at launch".
	Note string
}

// Table is the comparison.
type Table struct {
	Columns []Column
	Rows    []Row
}

// Column is one analysis.
type Column struct {
	Key, Title string
}

// Row is one parameter, fact or result over all analyses.
type Row struct {
	Key      string
	Label    string
	Section  Section
	Unit     string
	Quantity Quantity
	Better   Better
	Cells    []Cell // one for each column
	Differs  bool
	// Best lists the columns that hold the best value in the row's direction.
	// It is empty when there is no direction, or nothing to choose between.
	Best []int
}

// Cell is one value of one analysis.
type Cell struct {
	Missing  bool // the analysis has no such entry
	Text     string
	Number   float64
	IsNumber bool
	Note     string

	value descriptor.Value
	unfit bool // never the best
}

// Equal tells whether two cells say the same. Values of the same meaning are
// equal however they were written; missing equals only missing.
func (c Cell) Equal(d Cell) bool {
	if c.Missing || d.Missing {
		return c.Missing == d.Missing
	}
	if c.value.IsSet() && d.value.IsSet() {
		return c.value.Equal(d.value)
	}
	return c.value.IsSet() == d.value.IsSet() && c.Text == d.Text
}

// New aligns the analyses into a table.
func New(inputs []Input) Table {
	t := Table{Columns: make([]Column, len(inputs))}
	order := newOrder()
	for i, in := range inputs {
		t.Columns[i] = Column{Key: in.Key, Title: in.Title}
		after := [sections]*node{}
		for j := range in.Entries {
			e := &in.Entries[j]
			k := rowKey{section: e.Section, key: e.Key, nth: 1}
			n := order.place(k, after)
			for n.of == i+1 { // this analysis has been here already: the key is doubled
				k.nth++
				n = order.place(k, after)
			}
			n.of = i + 1
			if s := int(e.Section); s >= 0 && s < len(after) {
				after[s] = n
			}
			if n.row == nil {
				n.row = newRow(e, k.nth, len(inputs))
			}
			n.row.Cells[i] = newCell(e)
			n.row.Cells[i].unfit = in.Unfit
			if n.row.Unit == "" {
				n.row.Unit = e.Unit
			}
			if n.row.Better == Neither {
				n.row.Better = e.Better
			}
			if n.row.Quantity == Plain {
				n.row.Quantity = e.Quantity
			}
		}
	}
	t.Rows = order.rows()
	for i := range t.Rows {
		t.Rows[i].judge()
	}
	return t
}

func newRow(e *Entry, nth, columns int) *Row {
	r := &Row{Key: e.Key, Label: e.Label, Section: e.Section, Cells: make([]Cell, columns)}
	if r.Label == "" {
		r.Label = e.Key
	}
	if nth > 1 {
		r.Key = fmt.Sprintf("%s (%d)", r.Key, nth)
		r.Label = fmt.Sprintf("%s (%d)", r.Label, nth)
	}
	for i := range r.Cells {
		r.Cells[i].Missing = true
	}
	return r
}

func newCell(e *Entry) Cell {
	c := Cell{Text: e.Text, Note: e.Note, value: e.Value}
	if c.Text == "" {
		c.Text = e.Value.Display()
	}
	// A Domain's id reads as a number too, but ids have no distance.
	if e.Value.Type() == descriptor.Number {
		if n, err := strconv.ParseFloat(e.Value.Text(), 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
			c.Number, c.IsNumber = n, true
		}
	}
	return c
}

// judge finds out whether the row differs and which columns are best.
func (r *Row) judge() {
	r.Differs = false
	for _, c := range r.Cells[1:] {
		if !c.Equal(r.Cells[0]) {
			r.Differs = true
			break
		}
	}
	r.Best = nil
	if r.Better == Neither || !r.Differs {
		return
	}
	best, numbers, spread := 0.0, 0, false
	for _, c := range r.Cells {
		if !c.IsNumber || c.unfit {
			continue
		}
		if numbers > 0 && c.Number != best {
			spread = true
		}
		if numbers == 0 || (r.Better == Lower && c.Number < best) || (r.Better == Higher && c.Number > best) {
			best = c.Number
		}
		numbers++
	}
	if !spread {
		return
	}
	for i, c := range r.Cells {
		if c.IsNumber && !c.unfit && c.Number == best {
			r.Best = append(r.Best, i)
		}
	}
}

// Turn is the table with another direction for a row: neither, lower, higher, and
// around.
func (t Table) Turn(row int) Table {
	if row < 0 || row >= len(t.Rows) || len(t.Columns) == 0 {
		return t
	}
	t.Rows = append([]Row(nil), t.Rows...)
	r := &t.Rows[row]
	r.Better = (r.Better + 1) % (Higher + 1)
	r.judge()
	return t
}

// Differences is the table without the rows in which all analyses agree.
func (t Table) Differences() Table {
	d := Table{Columns: t.Columns}
	for _, r := range t.Rows {
		if r.Differs {
			d.Rows = append(d.Rows, r)
		}
	}
	return d
}

// Delta is how much a cell differs from the baseline's, such as "+0.5 (+25 %)".
// It is false where there is nothing to say: not both numbers, or equal.
func (t Table) Delta(row, col, baseline int) (string, bool) {
	if row < 0 || row >= len(t.Rows) || col == baseline {
		return "", false
	}
	cells := t.Rows[row].Cells
	if col < 0 || baseline < 0 || col >= len(cells) || baseline >= len(cells) {
		return "", false
	}
	c, b := cells[col], cells[baseline]
	if !c.IsNumber || !b.IsNumber || c.Number == b.Number {
		return "", false
	}
	d := c.Number - b.Number
	out := difference(d, t.Rows[row].Quantity)
	if out[1:] == difference(0, t.Rows[row].Quantity)[1:] {
		return "", false // too small for the words of its quantity
	}
	if b.Number != 0 {
		if pc := 100 * d / math.Abs(b.Number); !math.IsInf(pc, 0) {
			out += " (" + signedPercent(pc) + " %)"
		}
	}
	return out, true
}

// difference writes a number with its sign, in the words of its quantity.
func difference(d float64, q Quantity) string {
	sign := "+"
	if d < 0 {
		sign = "-"
	}
	switch q {
	case Seconds:
		return sign + text.Duration(time.Duration(math.Abs(d)*float64(time.Second)))
	case Bytes:
		return sign + text.Bytes(int64(math.Abs(d)))
	case Memory:
		return sign + text.Memory(int64(math.Abs(d)))
	}
	return signed(d)
}

func signed(x float64) string {
	// Ten digits hide the noise of binary fractions: 0.3-0.1 is +0.2. A
	// difference that is still long was measured, and four digits say it.
	s := strconv.FormatFloat(x, 'g', 10, 64)
	if len(strings.TrimPrefix(s, "-")) > 7 && x != math.Trunc(x) {
		s = strconv.FormatFloat(x, 'g', 4, 64)
	}
	if x > 0 {
		s = "+" + s
	}
	return s
}

func signedPercent(x float64) string {
	digits := 0
	if a := math.Abs(x); a < 10 {
		digits = 1
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if x > 0 {
		s = "+" + s
	}
	return s
}

// DifferentParameters are the rows of parameters in which analyses differ.
func (t Table) DifferentParameters() []Row {
	var rows []Row
	for _, r := range t.Rows {
		if r.Differs && r.Section == Parameters {
			rows = append(rows, r)
		}
	}
	return rows
}
