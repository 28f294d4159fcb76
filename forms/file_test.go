package forms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// everyType has one parameter of each type, and names that need quotes.
func everyType() []descriptor.Parameter {
	return []descriptor.Parameter{
		{ID: "text", Type: descriptor.String, Optional: true, Default: ptr("x"), Description: "<p>Line one</p><p>Line two\x1b[31m</p>"},
		{ID: "number", Name: "A number", Type: descriptor.Number, Minimum: ptr("0"), Maximum: ptr("1e30"), Flag: "--number"},
		{ID: "flag", Type: descriptor.Boolean},
		{ID: "day", Type: descriptor.Date, Optional: true},
		{ID: "one", Type: descriptor.Domain, URI: "/api/x.json"},
		{ID: "many", Type: descriptor.ListDomain, URI: "/api/x.json"},
		{ID: "free.list", Type: descriptor.List, Optional: true},
		{ID: "a file", Type: descriptor.File, Optional: true},
		{ID: "méthode \"x\"", Type: descriptor.String, Choices: []string{"oil (1.515)", "water"}},
	}
}

func readBack(t *testing.T, parameters []descriptor.Parameter, values []client.Value, style FileStyle) []client.Value {
	t.Helper()
	var b bytes.Buffer
	if err := WriteFile(&b, parameters, values, style); err != nil {
		t.Fatal(err)
	}
	f, problems := ReadFile(b.Bytes())
	if len(problems) > 0 {
		t.Fatalf("%v in\n%s", problems, b.String())
	}
	var other map[string]any
	if err := toml.Unmarshal(b.Bytes(), &other); err != nil {
		t.Fatalf("another reader of TOML says %v of\n%s", err, b.String())
	}
	return f.Values
}

func TestAValueOfEveryTypeComesBackExactly(t *testing.T) {
	texts := map[string][]string{
		"text":          {"", " ", "a b", "tab\tand\nline", `quote " backslash \ 'single'`, "\x1b[31mred", "é 😀 \u202e", "#no comment", "1.5", "true", "\u0085", "\ufeff"},
		"number":        {"", "0", "-1", "0.1", "1e-30", "12345678901234567890123", "0.1234567890123456789", "1e+25", "-0.000001"},
		"flag":          {"", "true", "false"},
		"day":           {"", "2024-01-31", "2024-01-31T15:04:05Z", "2024-01-31T15:04:05.123456789+02:00"},
		"one":           {"", "12", "-3", "name with spaces", "0012", "9223372036854775808"},
		"many":          {"", "12", "12,13,14", "all", "a b,c", "2024-01-31,1"},
		"free.list":     {"", "a,b", "1,2", "x"},
		"a file":        {"", "/tmp/x y", `C:\x`},
		"méthode \"x\"": {"", "oil (1.515)"},
	}
	ps := everyType()
	for _, p := range ps {
		for _, text := range texts[p.ID] {
			if v, err := descriptor.ParseValue(p.Type, text); err == nil {
				text = v.Text()
			}
			want := client.Value{Parameter: p.ID, Text: text, Origin: client.FromFile}
			got := readBack(t, []descriptor.Parameter{p}, []client.Value{{Parameter: p.ID, Text: text}}, FileStyle{ChosenOnly: true})
			if !reflect.DeepEqual(got, []client.Value{want}) {
				t.Errorf("%s %q comes back as %+v", p.Type, text, got)
			}
		}
	}
}

func TestWhatIsNoValueOfItsTypeComesBackAsTyped(t *testing.T) {
	for _, text := range []string{"1,5", "0.1, 0.2, 0.5", "10..50 step 10", "0x10", "1e3"} {
		got := readBack(t, everyType()[1:2], []client.Value{{Parameter: "number", Text: text}}, FileStyle{})
		if len(got) != 1 || got[0].Text != text {
			t.Errorf("%q comes back as %+v", text, got)
		}
	}
}

func TestNamesOfOptionsAreComments(t *testing.T) {
	values := []client.Value{
		{Parameter: "one", Text: "7", Labels: []string{"Cell\nx = 1"}},
		{Parameter: "many", Text: "12,13", Labels: []string{"a.png # 1", "b\".png"}},
	}
	got := readBack(t, everyType(), values, FileStyle{ChosenOnly: true})
	if len(got) != 2 || got[0].Text != "7" || got[1].Text != "12,13" {
		t.Errorf("read back %+v", got)
	}
}

func TestATemplateHasALineForEveryParameterAndSaysWhatItTakes(t *testing.T) {
	ps := everyType()
	ps[1].LimitsFrom = "descriptor x.json"
	var b bytes.Buffer
	if err := WriteFile(&b, ps, nil, FileStyle{Title: []string{"Parameters of X"}, Hints: map[string][]string{"one": {"7 is Cell"}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Parameters of X\n", "# ---- required ----\n", "# A number (--number)\n", "# number; from 0 to 1e30; required; limits from descriptor x.json\n",
		"number = \"\"\n", "flag = false\n", "many = []\n", "# Line one\n# Line two␛[31m\n", "text = \"x\"\n", "# 7 is Cell\n", "\"free.list\" = []\n",
		"# text; one of oil (1.515) | water; required\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	f, problems := ReadFile(b.Bytes())
	if len(problems) > 0 || len(f.Values) != len(ps) {
		t.Errorf("%v, %d values", problems, len(f.Values))
	}
	form := New(ps, f.Values)
	for _, field := range form.Fields {
		if field.Text != New(ps, nil).Field(field.Parameter.ID).Text {
			t.Errorf("the template changes %s to %q", field.Parameter.ID, field.Text)
		}
	}
}

func TestOnlyChosenValuesAreReadFromAPreset(t *testing.T) {
	got := readBack(t, everyType(), []client.Value{{Parameter: "text", Text: ""}, {Parameter: "many", Text: "1,2"}}, FileStyle{ChosenOnly: true})
	want := []client.Value{{Parameter: "many", Text: "1,2", Origin: client.FromFile}, {Parameter: "text", Origin: client.FromFile}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v", got)
	}
}

func TestReadFile(t *testing.T) {
	tests := []struct {
		name, data string
		want       string // name=text, joined by |
		problems   []string
	}{
		{"nothing", "", "", nil},
		{"comments only", "# a = 1\n\n  # b\r\n", "", nil},
		{"a byte order mark", "\ufeffa = 1\n", "a=1", nil},
		{"line ends of Windows", "a = 1\r\nb = 'x'\r\n", "a=1|b=x", nil},
		{"no line end", "a = 1", "a=1", nil},
		{"numbers as they were written", "a = 1_000\nb=+1.50\nc = 1e-3\nd=0xff\ne=123456789012345678901234567890", "a=1000|b=+1.50|c=1e-3|d=255|e=123456789012345678901234567890", nil},
		{"dates", "a = 2024-01-31\nb = 2024-01-31 10:00:00\nc = 2024-01-31T10:00:00.5+02:00 # x", "a=2024-01-31|b=2024-01-31 10:00:00|c=2024-01-31T10:00:00.5+02:00", nil},
		{"strings", `a = "x \"y\" \u00e9 \\" # c` + "\nb = 'C:\\x'\nc = \"\"\"\none\ntwo \\\n   three\"\"\"\nd = '''it's'''", "a=x \"y\" é \\|b=C:\\x|c=one\ntwo three|d=it's", nil},
		{"lists", "a = [1, 2,\n  3, # three\n]\nb = ['x', \"y\"]\nc = []", "a=1,2,3|b=x,y|c=", nil},
		{"names with dots and quotes", "a.b = 1\n'c d' = 2\n\"e\\\"f\" = 3", "a.b=1|c d=2|e\"f=3", nil},
		{"every mistake at once", "a = otsu\nb = 1\nc 3\nd = \n[launch]\ne = {x = 1}\nf = 'x\ng = 1 2\nh = [1 2]\ni = 0.1\n",
			"b=1|i=0.1", []string{"line 1: a: \"otsu\" is no number", "line 3: a line is NAME = VALUE", "line 4: d: the value is missing", "line 5: sections", "line 6: e: a table", "line 7: f: the string is not closed", "line 8: g: there is more", "line 9: h: items"}},
		{"a list that does not end", "a = [1,\n2,\n", "", []string{"line 1: a: the list is not closed"}},
		{"a string that does not end", "b = 1\na = \"\"\"x\n\n", "b=1", []string{"line 2: a: the string is not closed"}},
		{"a bad escape", `a = "C:\new\x"`, "", []string{"line 1: a: a backslash"}},
		{"bytes that are no text", "a = 1\nb = \"\xff\"", "", []string{"line 2: is not UTF-8"}},
		{"an object of JSON", "{\"a\": 1.50, \"b\": [1, \"x\"],\n \"c\": null, \"d\": true, \"e\": \"é\"}", "a=1.50|b=1,x|c=|d=true|e=é", nil},
		{"JSON with values that have no meaning", "{\"a\": {\"x\": [1]},\n\"b\": [[1]], \"c\": 1}", "c=1", []string{"line 1: a: is an object", "line 2: b: is an object"}},
		{"broken JSON", "{\"a\": 1,\n \"b\": x}", "a=1", []string{"line 2: cannot read on"}},
		{"JSON that does not end", "{\"a\": 1", "a=1", []string{"line 1: cannot read on: the object does not end"}},
		{"more after the JSON", "{} {}", "", []string{"line 1: cannot read on: there is more"}},
		{"a list of JSON", "[1, 2]", "", []string{"line 1: sections mean nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, problems := ReadFile([]byte(tt.data))
			var got []string
			for _, v := range f.Values {
				got = append(got, v.Parameter+"="+v.Text)
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("values are %q, want %q", s, tt.want)
			}
			if len(problems) != len(tt.problems) {
				t.Fatalf("problems are %v", problems)
			}
			for i, p := range problems {
				if !strings.HasPrefix(p.String(), tt.problems[i]) {
					t.Errorf("problem is %q, want %q", p, tt.problems[i])
				}
			}
		})
	}
}

func TestProblemsOfValuesHaveTheirPlaceInTheFile(t *testing.T) {
	data := []byte("# x\nmany = [1]\nnumber = -1\n\n  nubmer = 2\nnumber = 3\n")
	f, problems := ReadFile(data)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	placed := f.Place(Validate(everyType(), f.Values))
	var got []string
	for _, p := range placed {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Col, p.Parameter))
	}
	if s := strings.Join(got, "|"); !strings.Contains(s, "6:1 number") || !strings.Contains(s, "5:3 nubmer") || !strings.Contains(s, "0:0 one") {
		t.Errorf("problems are at %s", s)
	}
}

func TestTextOfAServerCannotBreakAFile(t *testing.T) {
	long := strings.Repeat("very long ", 1000)
	ps := []descriptor.Parameter{
		{ID: "a\n[x]\nb = 1", Name: "\x1b[31m\nc = 2\u202e" + long, Description: long + "\nd = 3\r\ne = 4", Type: descriptor.String, Default: ptr("\"\nf = 5"), Choices: []string{"g\nh = 6"}},
		{ID: "twice", Type: descriptor.Number}, {ID: "twice", Type: descriptor.String}, {ID: "", Type: descriptor.String, Optional: true},
	}
	got := readBack(t, ps, []client.Value{{Parameter: ps[0].ID, Text: "\x1b]0;x\a\nz = 9", Labels: []string{"y\nz = 8"}}}, FileStyle{Title: []string{"x\ny = 7"}, Hints: map[string][]string{"twice": {"a\nb = 1"}}})
	if len(got) != 3 || got[0].Parameter != "twice" && got[0].Parameter != ps[0].ID {
		t.Errorf("read back %+v", got)
	}
	var b bytes.Buffer
	if err := WriteFile(&b, ps, nil, FileStyle{}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 8000 || bytes.ContainsAny(b.Bytes(), "\x1b\r\a") || bytes.Contains(b.Bytes(), []byte("\u202e")) {
		t.Errorf("%d bytes: %.2000q", b.Len(), b.String())
	}
}

func TestNotesAreAddedAndTakenAwayAndNothingElseChanges(t *testing.T) {
	for _, data := range []string{"", "a = 1", "a = 1\nb = 2\n", "\r\na = 1\r\n", "a = '''\n\n'''\n"} {
		noted := Annotate([]byte(data), Problems{
			{Parameter: "a", Message: "must be\nat least 2", Line: 1}, {Message: "everything is wrong"}, {Parameter: "z", Message: "at the end", Line: strings.Count(data, "\n") + 1},
		})
		for _, want := range []string{"#!! a: must be at least 2\n", "#!! everything is wrong\n", "#!! z: at the end\n"} {
			if !bytes.Contains(noted, []byte(want)) {
				t.Errorf("no %q in %q", want, noted)
			}
		}
		if got := string(WithoutNotes(noted)); got != data {
			t.Errorf("%q comes back as %q", data, got)
		}
	}
	noted := string(Annotate([]byte("a = 1\nb = x\n"), Problems{{Parameter: "b", Message: "bad", Line: 2}}))
	if noted != "a = 1\n#!! b: bad\nb = x\n" {
		t.Errorf("the note is elsewhere: %q", noted)
	}
}

func TestEveryRealDescriptorMakesATemplateThatComesBack(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "descriptors", "*.json"))
	if len(files) == 0 {
		t.Skip("no descriptors beside the repository")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := descriptor.Parse(file, data)
		if d == nil {
			continue
		}
		f := New(d.Parameters, nil)
		back := New(d.Parameters, readBack(t, d.Parameters, f.Values(), FileStyle{}))
		for i, field := range f.Fields {
			if field.Text != back.Fields[i].Text {
				t.Errorf("%s: %s is %q, comes back as %q", filepath.Base(file), field.Parameter.ID, field.Text, back.Fields[i].Text)
			}
		}
	}
}

func TestHostileFilesCostLittle(t *testing.T) {
	many := func(f string) string {
		var b strings.Builder
		for i := 0; b.Len() < MaxFile-40; i++ {
			fmt.Fprintf(&b, f, i)
		}
		return b.String()
	}
	files := map[string]string{
		"brackets": "a=" + strings.Repeat("[", MaxFile-10), "braces": "a=" + strings.Repeat("{a=", MaxFile/3-10), "dots": strings.Repeat("a.", MaxFile/2-10) + "a=1",
		"keys": many("a%d=1\n"), "ints": "a=[" + strings.Repeat("1,", MaxFile/2-10) + "]", "mistakes": many("%d\n"), "strings": "a=[" + strings.Repeat("'',", 300_000) + "]",
		"quotes": strings.Repeat(`"`, MaxFile), "long quotes": "a=\"\"\"" + strings.Repeat(`""`, MaxFile/2-10), "escapes": `a="` + strings.Repeat(`\q`, MaxFile/2-10),
		"JSON members": "{" + many(`"a%d":1,`) + `"z":1}`, "JSON list": `{"a":[` + strings.Repeat("1,", MaxFile/2-10) + "1]}", "JSON nesting": `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}",
		"too large": strings.Repeat("#", MaxFile+1), "line ends": strings.Repeat("\n", MaxFile), "one line of mistakes": strings.Repeat("= ", MaxFile/2),
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			f, problems := ReadFile([]byte(data))
			took := time.Since(began)
			runtime.GC()
			runtime.ReadMemStats(&after)
			kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
			t.Logf("%v, %d bytes kept, %d values, %d problems", took, kept, len(f.Values), len(problems))
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if kept > 10*MaxFile {
				t.Errorf("%d bytes kept of %d", kept, len(data))
			}
			runtime.KeepAlive(f)
			runtime.KeepAlive(problems)
		})
	}
}

func FuzzReadFile(f *testing.F) {
	for _, seed := range []string{"a = 1\n", "a = [1,\n 'x']", "{\"a\": [1, null]}", "a = \"\"\"x\\\n y\"\"\"", "a.'b c' = 2024-01-31 10:00", "a = 0x1_0\nb = \"\\u00e9\"", "#!! x\na"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := ReadFile(data)
		lines := 1 + bytes.Count(data, []byte("\n"))
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines {
				t.Fatalf("problem in line %d of %d", p.Line, lines)
			}
		}
		if !bytes.Contains(data, []byte(note)) {
			if got := WithoutNotes(Annotate(data, problems)); !bytes.Equal(got, data) {
				t.Fatalf("%q comes back as %q", data, got)
			}
		}
		compareTOML(t, data, file, problems)
		// What was read is written and read again.
		var ps []descriptor.Parameter
		var values []client.Value
		for i, v := range file.Values {
			p := descriptor.Parameter{ID: v.Parameter, Type: []descriptor.Type{descriptor.String, descriptor.Number, descriptor.ListDomain, descriptor.Date}[i%4], Optional: true}
			if !slices.ContainsFunc(ps, func(q descriptor.Parameter) bool { return q.ID == p.ID }) {
				ps, values = append(ps, p), append(values, v)
			}
		}
		var b bytes.Buffer
		if err := WriteFile(&b, ps, values, FileStyle{ChosenOnly: true}); err != nil {
			t.Fatal(err)
		}
		back, again := ReadFile(b.Bytes())
		if len(again) > 0 || !reflect.DeepEqual(back.Values, values) {
			t.Fatalf("%+v comes back as %+v, %v, from\n%s", values, back.Values, again, b.String())
		}
	})
}

// compareTOML holds our reader to a real one wherever both read a flat file.
func compareTOML(t *testing.T, data []byte, file File, problems Problems) {
	t.Helper()
	var other map[string]any
	if len(problems) > 0 || toml.Unmarshal(data, &other) != nil || json.Valid(data) {
		return
	}
	for _, v := range file.Values {
		theirs, ok := other[v.Parameter]
		if !ok {
			continue // a name with dots
		}
		if s, ok := theirs.(string); ok && s != v.Text {
			t.Fatalf("%s is %q to us and %q to a reader of TOML", v.Parameter, v.Text, s)
		}
		if n, ok := theirs.(int64); ok && fmt.Sprint(n) != strings.TrimPrefix(v.Text, "+") && v.Text != "-0" {
			t.Fatalf("%s is %q to us and %d to a reader of TOML", v.Parameter, v.Text, n)
		}
	}
}
