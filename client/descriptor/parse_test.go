package descriptor

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func parseFixture(t *testing.T, name string) (*Descriptor, []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return findingsOf(t, data)
}

// findingsOf returns the findings without the file name.
func findingsOf(t *testing.T, data []byte) (*Descriptor, []string) {
	t.Helper()
	d, findings := Parse("f", data)
	var lines []string
	for _, f := range findings {
		line, ok := strings.CutPrefix(f.String(), "f:")
		if !ok {
			t.Fatalf("finding %q does not begin with its file", f)
		}
		lines = append(lines, line)
	}
	return d, lines
}

func TestBrokenTextIsRefusedAtItsPlace(t *testing.T) {
	tests := []struct{ file, want string }{
		{"missing-comma.json", `3:3: error: expected a comma or the end before '"'`},
		{"leading-point.json", `3:60: error: ".7" is not a JSON value; write 0.7`},
		{"bare-word.json", `3:57: error: "Default" is not a JSON value; text belongs in double quotes`},
		{"python-true.json", `1:37: error: "True" is not a JSON value; write true`},
		{"unterminated-string.json", `2:11: error: a string begins here and is not closed on its line`},
		{"unterminated-file.json", `2:11: error: a string begins here and is not closed`},
		{"cut-off.json", `2:20: error: the file ends too early`},
		{"merge-conflict.json", `3:1: error: a mark of an unresolved merge conflict`},
		{"second-document.json", `4:1: error: the descriptor ends before this; remove the rest`},
		{"bad-escape.json", `1:13: error: unknown escape "\\d"; a backslash is written \\`},
		{"raw-tab.json", `1:12: error: character 0x09 in a string must be written as \u0009`},
		{"list-on-top.json", `1:1: error: a descriptor is a JSON object, but this is a list`},
		{"empty.json", `1:1: error: the file is empty`},
		{"utf16.json", `1:1: error: the file is UTF-16; save it as UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			d, findings := parseFixture(t, tt.file)
			if d != nil {
				t.Error("a descriptor came out of it")
			}
			if !slices.Equal(findings, []string{tt.want}) {
				t.Errorf("findings %q\nwant     %q", findings, tt.want)
			}
		})
	}
}

func TestQuirksAreReadWithAWarning(t *testing.T) {
	tests := []struct {
		file string
		want []string
	}{
		{"trailing-commas-crlf.json", []string{
			`5:47: warning: comma before ']'; strict readers refuse this file`,
			`6:4: warning: comma before '}'; strict readers refuse this file`}},
		{"bom-comment-latin1.json", []string{
			`1:1: warning: the file starts with a byte order mark, which JSON forbids; save it as UTF-8 without one`,
			`2:26: warning: JSON has no comments; strict readers refuse this file`,
			`3:38: warning: byte 0xE9 is not UTF-8 and is read as �; save the file as UTF-8`}},
		{"no-inputs.json", []string{`4:13: warning: the algorithm has no inputs`}},
		{"bare-minimum.json", []string{
			`1:1: warning: no container-image: there is nothing to run`,
			`1:1: warning: no command-line: no parameter reaches the program`,
			`1:1: warning: no schema-version; read as cytomine-0.1`,
			`4:5: warning: input "do_3D" has no name; its id is shown`}},
		{"template.json", []string{
			`2:11: warning: the algorithm has no name`,
			`4:32: warning: container-image names no image: there is nothing to run`}},
		{"other-schema.json", []string{
			`3:53: warning: container type "oci" is not supported by Cytomine; singularity is meant`,
			`3:60: warning: attribute "platforms" is not part of cytomine-0.1; it is ignored`,
			`6:38: warning: the command-line spells "[THRESHOLD]" differently; a Cytomine server would not find it`,
			`6:77: warning: attribute "format" is not part of cytomine-0.1; it is ignored`,
			`8:3: warning: attribute "outputs" is not part of cytomine-0.1; it is ignored`,
			`9:21: warning: schema-version "cellsia-0.1" is not known; read as cytomine-0.1`}},
		{"wrong-kinds.json", []string{
			`5:66: warning: set-by-server should be true or false without quotes; "false" is read as false, though a Cytomine server takes any text for true`,
			`5:87: warning: optional should be true or false without quotes; "true" is read as true`,
			`6:25: warning: name should be a string, but is a number`,
			`6:58: warning: optional should be true or false without quotes; "1" is read as true`,
			`6:96: warning: minimum "00:15:00" is not a number; it is ignored`,
			`7:64: warning: optional should be true or false, but is an object; it is ignored`,
			`7:100: warning: uri should be a string, but is a list; it is ignored`,
			`7:100: warning: input "c" has no uri to choose from; its ids have to be typed`,
			`8:83: warning: default-value should be a value, but is an object; it is ignored`,
			`8:110: warning: value-choices should be a list, but is a string; it is ignored`,
			`8:128: warning: integer should be true or false; "perhaps" is read as false`}},
		{"types.json", []string{
			`6:38: warning: type "snoopy" is not known; read as String`,
			`10:5: warning: input "f" has no type; read as String`}},
		{"choices.json", []string{
			`5:117: warning: the default of input "a" must be one of oil (1.515), water; got "Water"; did you mean "water"?`,
			`6:76: warning: choice "many" is not a number; it is left out`,
			`6:84: warning: a choice should be a value, but is null; it is left out`}},
		{"defaults.json", []string{
			`5:48: warning: a Cytomine server ignores "default" and reads "default-value"; it is read here`,
			`7:71: warning: a Cytomine server ignores "default" and reads "default-value"; it is read here`,
			`7:82: warning: default "[]" is not a number`}},
		{"limits.json", []string{
			`5:111: warning: the default of input "a" must be a whole number; got 0.5`,
			`5:111: warning: the default of input "a" must be at least 1; got 0.5`,
			`6:59: warning: the minimum of input "b" is above its maximum`,
			`7:59: warning: minimum has no meaning for a String; it is ignored`}},
		{"keys.json", []string{
			`3:19: warning: "[NOBODY]" in the command-line belongs to no input`,
			`3:19: warning: "METRICS_GATING_DIST" in the command-line belongs to no input`,
			`5:73: warning: the command-line spells "[@HOST]" differently; a Cytomine server would not find it`,
			`7:65: warning: input "svm" never reaches the program: "SVM" is not in the command-line`,
			`11:64: warning: input "Left" never reaches the program: "LEFT" already belongs to "left"`}},
		{"swapped-image.json", []string{
			`3:32: warning: image and type of the container are swapped; they are read the other way round`}},
		{"server-inputs.json", []string{
			`5:73: warning: no server sets input "threshold"; it is an ordinary parameter`,
			`6:12: warning: input "cytomine_id_project" is set by the server but not marked set-by-server`}},
		{"broken-inputs.json", []string{
			`6:12: warning: input "a" is defined twice; this second one is left out`,
			`7:5: error: an input has no id; it is left out`,
			`8:5: error: an input should be an object, but is a string; it is left out`}},
		{"attributes.json", []string{
			`3:3: warning: attribute "author" is not part of cytomine-0.1; it is ignored`,
			`5:3: warning: attribute "command-line" is given twice; the last one counts`,
			`6:55: warning: attribute "defaultValue" is not part of cytomine-0.1; it is ignored; did you mean "default-value"?`}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			d, findings := parseFixture(t, tt.file)
			if d == nil {
				t.Fatalf("refused: %q", findings)
			}
			if !slices.Equal(findings, tt.want) {
				t.Errorf("findings:\n%s\nwant:\n%s", strings.Join(findings, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// parameters returns the parameters of a fixture by id.
func parameters(t *testing.T, file string) map[string]Parameter {
	t.Helper()
	d, findings := parseFixture(t, file)
	if d == nil {
		t.Fatalf("refused: %q", findings)
	}
	byID := make(map[string]Parameter)
	for _, p := range d.Parameters {
		byID[p.ID] = p
	}
	return byID
}

func text(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func TestAbsentAttributesFollowTheRouter(t *testing.T) {
	p := parameters(t, "bare-minimum.json")["do_3D"]
	if p.Optional || p.Flag != "" || p.ValueKey != "[DO_3D]" || p.Label() != "do_3D" || p.Default != nil || p.SetByServer {
		t.Errorf("parameter %+v", p)
	}
}

func TestIDPlaceholdersAreReplacedInEveryString(t *testing.T) {
	p := parameters(t, "attributes.json")["a"]
	if p.Name != "about a and A" || p.Description != "a" || p.Flag != "--a" || p.Default != nil {
		t.Errorf("parameter %+v", p)
	}
	d, _ := findingsOf(t, []byte(`{"inputs": [{"id": "do_3D", "type": "String", "uri": "/@id", "default-value": "@ID", "value-choices": ["@id", "@ID"]}]}`))
	p = d.Parameters[0]
	if p.URI != "/do_3D" || text(p.Default) != "DO_3D" || !slices.Equal(p.Choices, []string{"do_3D", "DO_3D"}) {
		t.Errorf("parameter %+v", p)
	}
}

func TestWrongKindsAreReadAsMeant(t *testing.T) {
	ps := parameters(t, "wrong-kinds.json")
	a, b, c, d := ps["a"], ps["b"], ps["c"], ps["d"]
	if a.SetByServer || !a.Optional || text(a.Default) != "false" {
		t.Errorf("a: %+v, default %s", a, text(a.Default))
	}
	if b.Name != "7" || !b.Optional || text(b.Default) != "7" || b.Minimum != nil || text(b.Maximum) != "10" {
		t.Errorf("b: %+v, default %s", b, text(b.Default))
	}
	if c.Optional || text(c.Default) != "3,1" || c.URI != "" {
		t.Errorf("c: %+v, default %s", c, text(c.Default))
	}
	if d.Default != nil || d.Choices != nil || d.Integer {
		t.Errorf("d: %+v", d)
	}
}

func TestTypesAreReadWhateverTheirSpelling(t *testing.T) {
	ps := parameters(t, "types.json")
	for id, want := range map[string]Type{"a": ListDomain, "b": String, "c": Date, "d": List, "e": Number, "f": String} {
		if ps[id].Type != want {
			t.Errorf("%s is %s, want %s", id, ps[id].Type, want)
		}
	}
	if ps["b"].RawType != "snoopy" || text(ps["c"].Default) != "2020-02-12" || ps["d"].Default != nil || text(ps["e"].Default) != "1" || !ps["e"].Integer {
		t.Errorf("b %+v c %s d %s e %+v", ps["b"], text(ps["c"].Default), text(ps["d"].Default), ps["e"])
	}
}

func TestDefaultsAndChoicesAreCanonical(t *testing.T) {
	ps := parameters(t, "defaults.json")
	for id, want := range map[string]string{"a": "5", "b": "1", "c": "[]", "d": "[1, x]"} {
		if got := text(ps[id].Default); got != want {
			t.Errorf("default of %s = %s, want %s", id, got, want)
		}
	}
	ps = parameters(t, "choices.json")
	for id, want := range map[string][]string{"a": {"oil (1.515)", "water"}, "b": {"10", "20"}, "c": {"new"}} {
		if !slices.Equal(ps[id].Choices, want) {
			t.Errorf("choices of %s = %q, want %q", id, ps[id].Choices, want)
		}
	}
}

func TestTheFirstOfTwoEqualIDsCounts(t *testing.T) {
	d, _ := parseFixture(t, "broken-inputs.json")
	if len(d.Parameters) != 1 || d.Parameters[0].Name != "first" {
		t.Errorf("parameters %+v", d.Parameters)
	}
}

func TestHostileFilesAreBounded(t *testing.T) {
	tests := []struct {
		name, data, want string
	}{
		{"nesting", strings.Repeat("[", 100_000), "1:65: error: values are nested more than 64 deep"},
		{"nesting behind a comment", "/* \" */" + strings.Repeat("[", 100_000), "1:72: error: values are nested more than 64 deep"},
		{"number of values", "[" + strings.Repeat("1,", 30_000) + "1]", "1:40003: error: the file holds more than 20000 values; this is no descriptor"},
		{"size", `{"name": "` + strings.Repeat("x", maxBytes) + `"}`, "1:1: error: the file has 1048588 bytes, more than the 1048576 of the largest descriptor"},
	}
	for _, tt := range tests {
		d, findings := findingsOf(t, []byte(tt.data))
		if d != nil || !slices.Equal(findings, []string{tt.want}) {
			t.Errorf("%s: %q", tt.name, findings)
		}
	}

	long := `{"inputs": [{"id": "` + strings.Repeat("x", 50_000) + `", "type": "String", "description": "` + strings.Repeat("@id", 300_000) + `"}]}`
	d, findings := Parse("f", []byte(long))
	if d == nil {
		t.Fatal(findings)
	}
	if n := len(d.Parameters[0].Description); n > 5*len(long) {
		t.Errorf("a file of %d bytes gives a description of %d", len(long), n)
	}
	unknown := "{" + strings.Repeat(`"?":1,`, 5_000) + `"name":"x"}`
	if _, findings := Parse("f", []byte(unknown)); len(findings) > maxFindings+10 {
		t.Errorf("%d findings", len(findings))
	}
}

func TestHostileFilesTakeLittleMemory(t *testing.T) {
	const most = 16 << 20 // of a file of at most 1 MiB, garbage included
	files := map[string]string{
		"numbers":  "[" + strings.Repeat("1,", maxValues-1) + "1]",
		"inputs":   `{"inputs": [` + strings.Repeat("1,", maxValues-10) + `1]}`,
		"members":  "{" + strings.Repeat(`"":1,`, maxValues/2-1) + `"a":1}`,
		"one line": `{"name": "` + strings.Repeat("x", maxBytes-100) + `", "command-line": "A"}`,
		"@id":      `{"inputs": [{"id": "` + strings.Repeat("x", 1000) + `", "description": "` + strings.Repeat("@id", 300_000) + `"}]}`,
	}
	for name, data := range files {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Parse("f", []byte(data))
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > most {
			t.Errorf("%s: %d bytes allocated for %d", name, used, len(data))
		} else {
			t.Logf("%s: %d bytes allocated for %d", name, used, len(data))
		}
	}
}
