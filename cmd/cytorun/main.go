// Command cytorun launches image analysis algorithms of a Cytomine server
// on local hardware, in the terminal.
//
// Rules of this package: one small file for each subcommand, which turns flags
// into options, calls internal/app, and prints. Data goes to standard output
// and nothing else does; messages go to standard error. Exit codes are those
// of exit.go.
package main

import (
	"fmt"
	"os"

	"github.com/cytorun/cytorun/internal/demo/program"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/shell"
	"github.com/cytorun/cytorun/runner/supervisor"
)

func main() { os.Exit(Main(os.Args[1:])) }

// Main is the whole program; it returns the exit code.
func Main(args []string) int {
	// What runs and completions pay for at every start is answered before any
	// command is built.
	if len(args) > 0 {
		switch args[0] {
		case "keep":
			return keep.Main(args[1:])
		case "supervise":
			return supervisor.Main(args[1:])
		case "hold":
			return shell.Hold(args[1:])
		case "demo-program":
			return program.Main(args[1:])
		case "version", "--version":
			if len(args) == 1 {
				fmt.Println("cytorun " + version())
				return exitOK
			}
		}
	}
	return guarded(func() int { return execute(args, os.Stdin, os.Stdout, os.Stderr) })
}
