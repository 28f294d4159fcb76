package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner/logfile"
)

// printer prints the log in a file that holds text.
func printer(t *testing.T, content string, o logOptions) (*linePrinter, *bytes.Buffer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output.log")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := logfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	pattern, err := o.pattern()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return &linePrinter{log: log, out: bufio.NewWriter(&out), view: logfile.View{Filter: pattern, Context: o.context}, stamps: o.timestamps}, &out, path
}

func TestLinesOfALogAreChosen(t *testing.T) {
	const log = "one\n\x1b[31mtwo Error\x1b[0m\n 10%\r 50%\r100%\nthree\nfour\nfive error 7\n--private_key 0123456789abcdef0123\n"
	for name, c := range map[string]struct {
		o    logOptions
		want string
	}{
		"all, bars as their last state": {logOptions{timestamps: false}, "one\ntwo Error\n100%\nthree\nfour\nfive error 7\n--private_key ••••\n"},
		"text in any case":              {logOptions{grep: "error"}, "two Error\n--\nfive error 7\n"},
		"text with a capital":           {logOptions{grep: "Error"}, "two Error\n"},
		"an expression":                 {logOptions{grep: `/err\w+ \d/`}, "five error 7\n"},
		"lines around":                  {logOptions{grep: "three", context: 1}, "100%\nthree\nfour\n"},
		"nothing":                       {logOptions{grep: "nowhere"}, ""},
	} {
		p, out, _ := printer(t, log, c.o)
		if err := p.more(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		p.out.Flush()
		if out.String() != c.want {
			t.Errorf("%s:\n%q, want\n%q", name, out, c.want)
		}
	}
}

func TestALineWithoutItsEndWaitsWhileTheLogGrows(t *testing.T) {
	p, out, path := printer(t, "begun\nhalf an er", logOptions{grep: "r"})
	more := func(live bool) string {
		t.Helper()
		if err := p.more(t.Context(), live); err != nil {
			t.Fatal(err)
		}
		p.out.Flush()
		return out.String()
	}
	if got := more(true); got != "" {
		t.Errorf("printed %q", got)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("ror\nnone\nno end yet, r"); err != nil {
		t.Fatal(err)
	}
	if got := more(true); got != "half an error\n" {
		t.Errorf("printed %q", got)
	}
	if got := more(false); got != "half an error\n--\nno end yet, r\n" {
		t.Errorf("printed %q", got)
	}
}

func TestTimesOfALogAreReadAndChosen(t *testing.T) {
	p, out, path := printer(t, "early\nlate\n", logOptions{timestamps: true})
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.Local)
	times := append(logfile.TimeRecord(6, at), logfile.TimeRecord(11, at.Add(time.Hour))...)
	if err := os.WriteFile(strings.TrimSuffix(path, ".log")+".times", times, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.log.Poll(); err != nil {
		t.Fatal(err)
	}
	start, err := logOptions{since: "2026-05-01T12:30"}.start(at)
	if err != nil {
		t.Fatal(err)
	}
	p.at = p.log.Since(start)
	if err := p.more(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	p.out.Flush()
	if out.String() != "2026-05-01T13:00:00 late\n" {
		t.Errorf("printed %q", out)
	}
	for _, bad := range []string{"soon", "7x"} {
		if _, err := (logOptions{since: bad}).start(at); exitCode(err) != exitUsage {
			t.Errorf("--since %s: %v", bad, err)
		}
	}
}
