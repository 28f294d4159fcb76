package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func TestTablesAreAlignedAndSafe(t *testing.T) {
	var out bytes.Buffer
	c := &cli{out: &out}
	if err := c.printTable([]string{"NAME", "", "EMPTY", "LAST"}, [][]string{
		{"細胞", "x", "", "\x1b[31mred\x1b[0m\nnext"},
		{"nuclei\u202egnp", "", "", "end"},
	}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 || strings.Contains(out.String(), "EMPTY") {
		t.Fatalf("%q", lines)
	}
	for _, r := range out.String() {
		if r != '\n' && unicode.IsControl(r) || r == '\u202e' {
			t.Errorf("%q goes to the terminal", r)
		}
	}
	if strings.HasSuffix(lines[0], " ") || !strings.HasPrefix(lines[1], "細胞 ") {
		t.Errorf("%q", lines)
	}
	out.Reset()
	if err := c.printTable([]string{"NAME"}, nil); err != nil || out.Len() != 0 {
		t.Errorf("a heading without rows: %q, %v", out.String(), err)
	}
}

func TestATableThatIsTooWideGoesOnBelow(t *testing.T) {
	head, rows := []string{"WHAT", "NAME", "BY"}, [][]string{{"container", strings.Repeat("n", 20), "somebody"}, {"models", "m", ""}}
	want := "WHAT       NAME\n    BY\ncontainer  nnnnnnnnnnnnnnnnnnnn\n    somebody\nmodels     m\n"
	if got := table(head, rows, 35); got != want {
		t.Errorf("%s", got)
	}
	for _, columns := range []int{0, 41} {
		if got := table(head, rows, columns); strings.Count(got, "\n") != 3 {
			t.Errorf("in %d columns:\n%s", columns, got)
		}
	}
}

func TestJSONHasItsSchemaFirst(t *testing.T) {
	var out bytes.Buffer
	c := &cli{out: &out}
	if err := c.printJSON(field{"items", list[string](nil)}, field{`"odd" <name>`, "a<b"}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "{\n  \"schema\": 1,\n  \"items\": []") || !strings.Contains(out.String(), "a<b") || !json.Valid(out.Bytes()) {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	if err := c.printLineJSON(field{"n", 1}); err != nil || out.String() != "{\"schema\":1,\"n\":1}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := c.printJSON(field{"f", func() {}}); err == nil {
		t.Error("what JSON cannot hold is no error")
	}
}

func TestWarningsAreSafe(t *testing.T) {
	var out bytes.Buffer
	c := &cli{err: &out}
	c.warn("the server said \x1b]0;owned\x07 and\r\nmore")
	c.say("%s", "line\none")
	for _, r := range out.String() {
		if r != '\n' && unicode.IsControl(r) {
			t.Errorf("%q goes to the terminal: %q", r, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines: %q", n, out.String())
	}
}

// TestOwnFaultIsOneLine starts this program anew, as a panic ends it.
func TestOwnFaultIsOneLine(t *testing.T) {
	if os.Getenv("CYTORUN_TEST_FAULT") != "" {
		os.Exit(guarded(func() int { panic("index out of range \x1b[31m") }))
	}
	state := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=TestOwnFaultIsOneLine")
	cmd.Env = append(os.Environ(), "CYTORUN_TEST_FAULT=1", "XDG_STATE_HOME="+state, "XDG_CONFIG_HOME="+state)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if got := exitOf(cmd.Run()); got != exitFault {
		t.Errorf("exit code %d", got)
	}
	line := said.String()
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "goroutine") || strings.Contains(line, "\x1b") {
		t.Errorf("said %q", line)
	}
	files, _ := filepath.Glob(filepath.Join(state, "cytorun", "crash-*.log"))
	if len(files) != 1 || !strings.Contains(line, files[0]) {
		t.Fatalf("files %v, said %q", files, line)
	}
	details, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(details, []byte("goroutine")) {
		t.Errorf("%s, %v", details, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
