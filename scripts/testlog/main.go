// Command testlog reads what `go test -json` prints and shows what `go test` would have
// shown, while it collects the reasons of skipped tests, which `go test` keeps to itself:
//
//	go test -json ./... | go run ./scripts/testlog -skips FILE
//
// FILE gets one line for each skipped test. The exit status of the tests is that of
// `go test`: run it under pipefail.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	skips := flag.String("skips", "", "file to add a line for each skipped test to")
	flag.Parse()
	if err := run(*skips, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
		os.Exit(1)
	}
}

func run(path string, in io.Reader, out io.Writer) error {
	var skips io.Writer = io.Discard
	if path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		skips = f
	}
	return show(in, out, skips)
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// show prints the output of packages and of failed tests, and the reasons of skipped ones.
// Lines that are no events, such as those of a failed build, pass unchanged.
func show(in io.Reader, out, skips io.Writer) error {
	held := map[event][]string{} // output of tests that have not ended, by package and test
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
				fmt.Fprint(out, line)
			} else {
				handle(e, held, out, skips)
			}
		}
		if err == io.EOF {
			// a test that never ended: the binary died, and what it said matters most
			for _, text := range held {
				fmt.Fprint(out, strings.Join(text, ""))
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func handle(e event, held map[event][]string, out, skips io.Writer) {
	test := event{Package: e.Package, Test: e.Test}
	switch {
	case e.Action == "build-output", e.Action == "output" && e.Test == "":
		if e.Output != "PASS\n" && e.Output != "testing: warning: no tests to run\n" {
			fmt.Fprint(out, e.Output)
		}
	case e.Action == "output":
		held[test] = append(held[test], e.Output)
	case e.Test == "":
	case e.Action == "fail":
		for _, text := range held[test] {
			if !strings.HasPrefix(text, "=== ") {
				fmt.Fprint(out, text)
			}
		}
		delete(held, test)
	case e.Action == "skip":
		fmt.Fprintf(skips, "%s %s: %s\n", e.Package, e.Test, reason(held[test]))
		delete(held, test)
	case e.Action == "pass":
		delete(held, test)
	}
}

// reason is what a skipped test said, without the lines of the test runner and without
// the place in the source.
func reason(output []string) string {
	var said []string
	for _, text := range output {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "=== ") || strings.HasPrefix(text, "--- ") {
			continue
		}
		if place, rest, ok := strings.Cut(text, ": "); ok && strings.Contains(place, ".go:") {
			text = rest
		}
		said = append(said, text)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
