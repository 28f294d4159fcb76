package command

import "strings"

// Program gives the words at the start of a command line that name the program,
// such as "python run.py": those before the first key and the first option. It is
// empty where the container's own entrypoint is the program.
func Program(commandLine string, inputs []Input) []string {
	args := make([]argument, len(inputs))
	for i, in := range inputs {
		args[i] = newArgument(in)
	}
	var program []string
	for _, w := range place(commandLine, args) {
		// python -m app is a program, and so is python -u run.py.
		option := strings.HasPrefix(w.text, "-") && w.text != "-m" && w.text != "-u"
		if w.pieces != nil || option || len(program) == 0 && strings.HasPrefix(w.text, "-") {
			break
		}
		program = append(program, w.text)
	}
	return program
}
