// Package command turns an algorithm's command line and the values chosen for
// its parameters into the words a program is started with.
//
// Cytomine replaces keys by plain text substitution and splits the result at
// spaces, which breaks values with spaces and keys inside other keys. Build
// works on whole words instead and gives every value one argument of its own;
// where a Cytomine server would have run something else, it says so. The
// package is pure and never uses a shell.
package command

import (
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
)

// Input is a parameter and the value resolved for it.
type Input struct {
	Parameter descriptor.Parameter
	// Value is the canonical text, nil or empty for none. Defaults are
	// resolved by the caller; only a required parameter without a value still
	// gets its default here, because the program insists on it.
	Value *string
}

// Result is what Build made.
type Result struct {
	// Argv are the words for the program, without its container.
	Argv []string
	// Secret marks, word by word, what must be masked wherever it is shown.
	Secret []bool
	// Unreached are the ids of the parameters that have no place in the
	// command line, so that no value of theirs reaches the program.
	// Parameters of the server's scheduler are not among them.
	Unreached []string
	// Notes say in words for people what is odd about the command line and
	// what a Cytomine server itself would have run instead.
	Notes []string
}

// Build makes the program's arguments: a word that is a key becomes flag and
// value, a word that contains keys gets their values put in, and a key
// without a value disappears together with its flag. A flag that the command
// line already spells out before the key is not repeated. Inputs must be in
// the order of the algorithm's parameters.
func Build(commandLine string, inputs []Input) Result {
	args := make([]argument, len(inputs))
	for i, in := range inputs {
		args[i] = newArgument(in)
	}
	words := place(commandLine, args)
	var out output
	for _, w := range words {
		out.word(w, args)
	}
	result := Result{Argv: out.argv, Secret: out.secret}
	for _, a := range args {
		if !a.placed && !a.param.ServerParameter {
			result.Unreached = append(result.Unreached, a.param.ID)
		}
	}
	result.Notes = append(placeNotes(words, args), serverNotes(commandLine, args, out.argv)...)
	return result
}

// argument is an input prepared for placing.
type argument struct {
	param  descriptor.Parameter
	key    string
	value  string   // empty: nothing is sent
	flag   []string // words put before the value
	placed bool
	loose  string // how the command line spells the key, where it differs
}

func newArgument(in Input) argument {
	p := in.Parameter
	a := argument{param: p, key: strings.TrimSpace(p.ValueKey), flag: strings.Fields(p.Flag)}
	if a.key == "" {
		a.key = "[" + strings.ToUpper(p.ID) + "]"
	}
	switch {
	case p.ServerParameter:
	case in.Value != nil && *in.Value != "":
		a.value = *in.Value
	case !p.Optional && p.Default != nil:
		a.value = *p.Default
	}
	return a
}
