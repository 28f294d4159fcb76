// Command picture turns a screen, as a terminal received it, into an SVG picture:
//
//	tmux capture-pane -e -p | go run ./scripts/picture -size 120x36 -title cytorun >docs/picture.svg
//
// It reads plain lines with escape sequences or everything that a program ever wrote to
// its terminal. The picture needs no fonts of its own: text is text, on a fixed grid.
// `rsvg-convert -o screen.png screen.svg` makes pixels of it where they are wanted.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out, diagnostics io.Writer) error {
	flags := flag.NewFlagSet("picture", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	size := flags.String("size", "120x36", "columns x rows of the terminal")
	title := flags.String("title", "", "what the picture shows, for people who cannot see it")
	light := flags.Bool("light", false, "a terminal with a light background")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var columns, rows int
	if n, err := fmt.Sscanf(*size, "%dx%d", &columns, &rows); n != 2 || err != nil || columns < 1 || rows < 1 || columns > 1000 || rows > 1000 {
		return fmt.Errorf("-size %q is not like 120x36", *size)
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	theme := dark
	if *light {
		theme = bright
	}
	var picture bytes.Buffer
	draw(&picture, screen(raw, columns, rows), theme, *title)
	_, err = out.Write(picture.Bytes())
	return err
}
