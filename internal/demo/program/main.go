// Package program holds the analysis programs of the demo: nuclei, stain and
// train; and outline, which works on files and knows no server.
//
// They stand for anybody's programs. They know nothing of the rest of this
// module but the pure package raster: they get the usual arguments of a
// Cytomine app, talk to the server through HTTP alone, with the keys of the
// job that they run for, and report their state as such apps do.
package program

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// task is one program: define adds its flags and gives its work, which runs
// once the flags are read and returns one line about what came out.
type task struct {
	name   string
	about  string
	define func(*flag.FlagSet) func(*job) (string, error)
}

var tasks = []task{
	{"nuclei", "find nuclei or cells and draw their outlines", defineNuclei},
	{"stain", "measure how much stain the images hold", defineStain},
	{"train", "train a small pixel classifier", defineTrain},
}

// Main runs the program that args name, with the rest of args as its own
// arguments, and returns its exit status: 0, 1 where the analysis failed, 2
// for wrong arguments. Some ways of failing that train offers end the process
// by other means.
func Main(args []string) int { return run(args, os.Stdout, os.Stderr) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	if args[0] == "outline" {
		return outlines(args[1:], stdout, stderr)
	}
	i := slices.IndexFunc(tasks, func(t task) bool { return t.name == args[0] })
	if i < 0 {
		fmt.Fprintf(stderr, "no program named %q\n", args[0])
		usage(stderr)
		return 2
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	var site site
	site.define(flags)
	work := tasks[i].define(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return 2 // flag has said why
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	j, err := open(site, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "ERROR:", err)
		return 1
	}
	summary, err := work(j)
	if err := errors.Join(err, j.end(summary, err)); err != nil {
		fmt.Fprintln(stderr, "ERROR:", err)
		return 1
	}
	return 0
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("programs of the demo (each takes -h):\n")
	for _, t := range tasks {
		fmt.Fprintf(&b, "  %-8s %s\n", t.name, t.about)
	}
	fmt.Fprintf(&b, "  %-8s %s\n", "outline", "outline the cells of one image file, without a server")
	fmt.Fprint(w, b.String())
}
