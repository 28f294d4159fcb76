package forms

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// MaxValue is how many characters a server stores of one value (contract §2.5),
// counted as Java does.
const MaxValue = 5000

func characters(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// Problem is one thing wrong with one parameter.
type Problem struct {
	Parameter string // its ID
	Message   string // lower case, without the name; may quote what was typed
	// Warning tells that the launch is possible all the same.
	Warning bool
	// Missing tells that there is no value, where one is required.
	Missing bool
	// Long tells that the value is a list, good but longer than the server stores:
	// a split makes it several.
	Long bool
	// Line and Col say where in a parameter file it is, counted from 1; 0 where
	// there is no file. File is its name, where that helps.
	File      string
	Line, Col int
}

// String is the problem with the name and the place of what it is about.
func (p Problem) String() string {
	s := p.Message
	if p.Parameter != "" {
		s = p.Parameter + ": " + s
	}
	switch {
	case p.File != "" && p.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, s)
	case p.File != "":
		return p.File + ": " + s
	case p.Line > 0:
		return fmt.Sprintf("line %d: %s", p.Line, s)
	}
	return s
}

// Problems are all that is wrong with a set of values. As an error they list
// what prevents a launch.
type Problems []Problem

// Errors counts those that prevent a launch.
func (ps Problems) Errors() int {
	n := 0
	for _, p := range ps {
		if !p.Warning {
			n++
		}
	}
	return n
}

// Of gives the problems of one parameter.
func (ps Problems) Of(parameter string) Problems {
	var of Problems
	for _, p := range ps {
		if p.Parameter == parameter {
			of = append(of, p)
		}
	}
	return of
}

// Error lists what prevents a launch, one line each.
func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	if len(lines) == 1 {
		return lines[0]
	}
	return fmt.Sprintf("%d parameters need a look:\n  %s", len(lines), strings.Join(lines, "\n  "))
}

// Validate is the one judge of values: the screen, flags, files and presets
// all ask it. It returns everything at once, errors first, in the order of the
// parameters. A parameter without a value in values has its default.
func Validate(parameters []descriptor.Parameter, values []client.Value) Problems {
	chosen := make(map[string]client.Value, len(values))
	known := make(map[string]bool, len(parameters))
	for _, p := range parameters {
		known[p.ID] = true
	}
	var problems Problems
	for _, v := range values {
		if !known[v.Parameter] {
			problems = append(problems, Problem{Parameter: v.Parameter, Message: "no such parameter" + suggestion(v.Parameter, parameters)})
		} else if _, twice := chosen[v.Parameter]; twice {
			problems = append(problems, Problem{Parameter: v.Parameter, Message: "is given twice"})
		}
		chosen[v.Parameter] = v
	}
	for _, p := range parameters {
		v, ok := chosen[p.ID]
		problems = append(problems, check(p, v, ok)...)
	}
	errorsFirst(problems)
	return problems
}

func errorsFirst(problems Problems) {
	sort.SliceStable(problems, func(i, j int) bool { return !problems[i].Warning && problems[j].Warning })
}

func check(p descriptor.Parameter, v client.Value, chosen bool) []Problem {
	text := v.Text
	if !chosen {
		text = defaultText(p)
	}
	// A default that breaks its own limits is the descriptor's fault: the
	// server would run it, so may the person.
	own := text != "" && (!chosen || v.Origin == client.FromDefault)
	value, err := descriptor.ParseValue(p.Type, text)
	if err != nil {
		message := err.Error()
		switch {
		case IsSweep(p, text):
			message += "; to make one run for each value, sweep it"
		case decimalComma(p, text):
			message += "; write it with a point, " + strings.Replace(strings.TrimSpace(text), ",", ".", 1)
		}
		return problem(p, own, message)
	}
	problems := problem(p, own, p.Check(value)...)
	for i := range problems {
		problems[i].Missing = !value.IsSet()
	}
	if n := characters(value.Text()); n > MaxValue {
		long := problem(p, own, tooLong(p, value, n))
		long[0].Long = p.Type.IsList()
		problems = append(problems, long...)
	}
	return problems
}

func tooLong(p descriptor.Parameter, v descriptor.Value, n int) string {
	if p.Type.IsList() {
		fits := max(len(v.List())*MaxValue/n, 1)
		return fmt.Sprintf("%d items make %d characters, the server stores %d; choose fewer, or split them over several runs: --split %s:%d", len(v.List()), n, MaxValue, p.ID, fits)
	}
	return fmt.Sprintf("%d characters, the server stores %d", n, MaxValue)
}

func problem(p descriptor.Parameter, fromDefault bool, messages ...string) []Problem {
	var out []Problem
	for _, m := range messages {
		if fromDefault {
			m = "its default " + m
		}
		out = append(out, Problem{Parameter: p.ID, Message: m, Warning: fromDefault})
	}
	return out
}

// suggestion names the parameter that was probably meant.
func suggestion(id string, parameters []descriptor.Parameter) string {
	best, distance := "", 3
	var names []string
	for _, p := range parameters {
		names = append(names, p.ID)
		if d := edits(strings.ToLower(id), strings.ToLower(p.ID)); d < distance {
			best, distance = p.ID, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %s?", best)
	case len(names) == 0:
		return "; this algorithm has none"
	case len(names) <= 12:
		return "; it has " + strings.Join(names, ", ")
	}
	return ""
}

// edits is the Levenshtein distance of two short names; names too long to be a
// slip of the fingers are far.
func edits(a, b string) int {
	const far = 100
	if len(a) > 64 || len(b) > 64 {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(row[j]+1, row[j-1]+1, cost)
		}
	}
	return row[len(b)]
}
