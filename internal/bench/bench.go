// Package bench lets a benchmark report a number that cytorun means to reach, in one line
// that `make bench` collects:
//
//	NAME VALUE UNIT goal GOAL ok|short
//
// It may also report what another program on this machine takes for the same:
//
//	NAME VALUE UNIT beside PROGRAM
//
// It is used by benchmarks only and imports nothing of this module.
package bench

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"
)

// Report prints one line about a measured value in unit, and whether it reaches goal: ok if
// it is at most goal where lowerIsBetter, else at least goal; otherwise short. A number
// that falls short does not fail the benchmark. name has no spaces, such as
// "compare/open-1000x200".
func Report(b *testing.B, name string, value float64, unit string, goal float64, lowerIsBetter bool) {
	b.Helper()
	if err := write(os.Stdout, name, value, unit, goal, lowerIsBetter); err != nil {
		b.Fatal(err)
	}
}

// Beside prints one line about what another program takes for what name measures of ours.
func Beside(b *testing.B, name string, value float64, unit, program string) {
	b.Helper()
	fmt.Printf("\n%s %s %s beside %s\n", name, number(value), unit, program)
}

// write begins a new line: `go test` may have begun one for the benchmark that is running.
func write(w io.Writer, name string, value float64, unit string, goal float64, lowerIsBetter bool) error {
	verdict := "short"
	if lowerIsBetter && value <= goal || !lowerIsBetter && value >= goal {
		verdict = "ok"
	}
	_, err := fmt.Fprintf(w, "\n%s %s %s goal %s %s\n", name, number(value), unit, number(goal), verdict)
	return err
}

// number writes three significant digits, and every digit of a whole number.
func number(v float64) string {
	if v >= 1000 || v <= -1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(round3(v), 'f', -1, 64)
}

func round3(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return r
}
