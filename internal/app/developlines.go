package app

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/runner"
)

// DevelopLine is one line on what of a run is not the algorithm's own.
type DevelopLine struct {
	Name, Text string
	// row and cell tell the same where each place in the container and each
	// variable has a row of its own; empty where that is no other.
	row, cell string
}

// DevelopLines tell what of a run is not the algorithm's own. found is the code as
// the program found it, where that is known; it may be another than at the launch.
func DevelopLines(d *runner.Develop, found []runner.Source) []DevelopLine {
	if d == nil {
		return nil
	}
	var lines []DevelopLine
	now := func(was runner.Source) runner.Source {
		for _, f := range found {
			if f.Path == was.Path {
				return f
			}
		}
		return was
	}
	add := func(name, format string, args ...any) {
		lines = append(lines, DevelopLine{Name: name, Text: fmt.Sprintf(format, args...)})
	}
	if label := d.Label(); label != "" {
		add("modified", "%s", label)
	}
	if d.Source != nil {
		add("source", "%s (%s)", d.Source.Path, now(*d.Source))
		add("program", "%s", strings.Join(d.Program, " "))
	}
	if d.Descriptor != nil {
		add("descriptor", "%s (%s)", d.Descriptor.Path, now(*d.Descriptor))
	}
	for _, b := range d.Binds {
		add("bind", "%s (%s)", b, now(b.Source))
		cell := fmt.Sprintf("%s (%s)", b.Path, now(b.Source))
		if b.ReadOnly {
			cell += ", read-only"
		}
		lines[len(lines)-1].row, lines[len(lines)-1].cell = "bind "+b.Inside, cell
	}
	for _, v := range d.Env {
		cell := "from the environment of the launch"
		if v.Value == nil {
			add("variable", "%s, %s", v.Name, cell)
		} else {
			add("variable", "%s", v)
			cell = *v.Value
		}
		lines[len(lines)-1].row, lines[len(lines)-1].cell = "variable "+v.Name, cell
	}
	if d.Instead != "" {
		add("instead of", "%s", d.Instead)
	}
	return lines
}

// developFacts are the lines of DevelopLines as rows, so that analyses can be put
// side by side.
func developFacts(d *runner.Develop, found []runner.Source) []DevelopLine {
	var out []DevelopLine
	for _, l := range DevelopLines(d, found) {
		switch {
		case l.Name == "modified": // the row of the algorithm says it
		case l.row != "":
			out = append(out, DevelopLine{Name: l.row, Text: l.cell})
		default:
			out = append(out, l)
		}
	}
	return out
}
