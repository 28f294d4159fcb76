package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
)

func entry(t *testing.T, typ descriptor.Type, key, value string) Entry {
	t.Helper()
	v, err := descriptor.ParseValue(typ, value)
	if err != nil {
		t.Fatal(err)
	}
	return Entry{Section: Parameters, Key: key, Value: v}
}

func row(t *testing.T, table Table, key string) (int, Row) {
	t.Helper()
	for i, r := range table.Rows {
		if r.Key == key {
			return i, r
		}
	}
	t.Fatalf("no row %q in %v", key, keys(table))
	return 0, Row{}
}

func keys(t Table) []string {
	var ks []string
	for _, r := range t.Rows {
		ks = append(ks, r.Key)
	}
	return ks
}

func TestValuesAreComparedByMeaning(t *testing.T) {
	tests := []struct {
		name    string
		typ     descriptor.Type
		a, b    string
		differs bool
	}{
		{"an integer and its decimal", descriptor.Number, "1", "1.0", false},
		{"two notations of one number", descriptor.Number, "1e-3", "0.001", false},
		{"two numbers", descriptor.Number, "1", "2", true},
		{"spellings of true", descriptor.Boolean, "true", "True", false},
		{"lists as sets", descriptor.ListDomain, "1,2,3", "3,1,2", false},
		{"lists of other members", descriptor.ListDomain, "1,2", "1,3", true},
		{"text in another case", descriptor.String, "Otsu", "otsu", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := New([]Input{
				{Key: "a", Entries: []Entry{entry(t, tt.typ, "p", tt.a)}},
				{Key: "b", Entries: []Entry{entry(t, tt.typ, "p", tt.b)}},
			})
			if _, r := row(t, table, "p"); r.Differs != tt.differs {
				t.Errorf("%q and %q: differs = %v", tt.a, tt.b, r.Differs)
			}
			want := 0
			if tt.differs {
				want = 1
			}
			if got := len(table.Differences().Rows); got != want {
				t.Errorf("%d rows differ, want %d", got, want)
			}
		})
	}
}

func TestRowsKeepTheOrderOfTheAnalyses(t *testing.T) {
	in := func(names ...string) Input {
		var i Input
		for _, n := range names {
			i.Entries = append(i.Entries, entry(t, descriptor.String, n, "x"))
		}
		return i
	}
	table := New([]Input{in("a", "c", "d"), in("a", "b", "c"), in("z", "a")})
	if got := strings.Join(keys(table), ""); got != "zabcd" {
		t.Errorf("rows are %s", got)
	}
}

func TestMissingAndDoubledEntries(t *testing.T) {
	table := New([]Input{
		{Entries: []Entry{entry(t, descriptor.Number, "p", "1"), entry(t, descriptor.Number, "p", "2")}},
		{Entries: []Entry{entry(t, descriptor.Number, "p", "1")}},
		{},
	})
	_, first := row(t, table, "p")
	_, second := row(t, table, "p (2)")
	if !first.Cells[2].Missing || !second.Cells[1].Missing || second.Cells[0].Text != "2" {
		t.Errorf("rows are %+v and %+v", first, second)
	}
	if !first.Differs {
		t.Error("a value that is missing elsewhere must differ")
	}
	if len(New(nil).Rows) != 0 || len(New([]Input{{}}).Columns) != 1 {
		t.Error("no analyses, or one without entries, must make an empty table")
	}
}

func TestBestFollowsTheDirection(t *testing.T) {
	for _, tt := range []struct {
		better Better
		want   string
	}{{Lower, "[0 2]"}, {Higher, "[1]"}, {Neither, "[]"}} {
		var in []Input
		for _, v := range []string{"3", "7", "3.0"} {
			e := entry(t, descriptor.Number, "n", v)
			e.Better = tt.better
			in = append(in, Input{Entries: []Entry{e}})
		}
		if _, r := row(t, New(in), "n"); fmt.Sprint(r.Best) != tt.want {
			t.Errorf("better %v: best is %v, want %s", tt.better, r.Best, tt.want)
		}
	}
}

func TestWhatCameToNoGoodEndIsNeverTheBest(t *testing.T) {
	var in []Input
	for _, v := range []string{"3", "1", "5"} {
		e := entry(t, descriptor.Number, "n", v)
		e.Better = Lower
		in = append(in, Input{Entries: []Entry{e}, Unfit: v == "1"})
	}
	if _, r := row(t, New(in), "n"); fmt.Sprint(r.Best) != "[0]" {
		t.Errorf("best is %v", r.Best)
	}
}

func TestTheDirectionOfARowCanBeTurned(t *testing.T) {
	var in []Input
	for _, v := range []string{"3", "7"} {
		in = append(in, Input{Entries: []Entry{entry(t, descriptor.Number, "n", v)}})
	}
	table := New(in)
	var got []string
	for range 3 {
		turned := table.Turn(0)
		if fmt.Sprint(table.Rows[0].Best) == fmt.Sprint(turned.Rows[0].Best) {
			t.Error("nothing changed, or the table itself did")
		}
		table = turned
		got = append(got, fmt.Sprint(table.Rows[0].Best))
	}
	if fmt.Sprint(got) != "[[0] [1] []]" {
		t.Error(got)
	}
	table.Turn(-1)
	table.Turn(5)
	(Table{}).Turn(0)
}

func TestDeltaAgainstTheBaseline(t *testing.T) {
	for _, tt := range []struct {
		typ  descriptor.Type
		base string
		v    string
		want string
	}{
		{descriptor.Number, "0.1", "0.3", "+0.2 (+200 %)"},
		{descriptor.Number, "2", "1.9", "-0.1 (-5.0 %)"},
		{descriptor.Number, "0", "5", "+5"},
		{descriptor.Number, "1221.1", "1324.764404", "+103.7 (+8.5 %)"},
		{descriptor.Number, "0", "123456789", "+123456789"},
		{descriptor.Number, "-2", "-1", "+1 (+50 %)"},
		{descriptor.Number, "5", "5.0", ""},
		{descriptor.Domain, "12", "24", ""},
		{descriptor.String, "a", "b", ""},
	} {
		table := New([]Input{{Entries: []Entry{entry(t, tt.typ, "p", tt.base)}}, {Entries: []Entry{entry(t, tt.typ, "p", tt.v)}}})
		if got, ok := table.Delta(0, 1, 0); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s against %s: %q", tt.v, tt.base, got)
		}
	}
	instant := func(v string) Input {
		e := entry(t, descriptor.Number, "duration", v)
		e.Quantity = Seconds
		return Input{Entries: []Entry{e}}
	}
	for v, want := range map[string]string{"1.001": "", "2": "+1.0 s (+100 %)"} {
		if got, _ := New([]Input{instant("1"), instant(v)}).Delta(0, 1, 0); got != want {
			t.Errorf("%s s against 1 s: %q, want %q", v, got, want)
		}
	}
	if _, ok := (Table{}).Delta(3, 1, 0); ok {
		t.Error("a delta outside the table")
	}
}

func hostile(t *testing.T) Table {
	e := entry(t, descriptor.String, "p\x1b[31m", "=1+1\x1b]0;x\a\n|&_%")
	f := entry(t, descriptor.String, "p\x1b[31m", "b")
	return New([]Input{{Key: "a", Title: "one\nline", Entries: []Entry{e}}, {Key: "b", Title: "two", Entries: []Entry{f}}})
}

func TestExportsAreWellFormedAndSafe(t *testing.T) {
	table := hostile(t)
	for _, format := range Formats {
		var b bytes.Buffer
		if err := table.Export(&b, format, 0); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if strings.ContainsAny(b.String(), "\x1b\a") {
			t.Errorf("%s lets control characters through: %q", format, b.String())
		}
		switch format {
		case "json":
			var v any
			if err := json.Unmarshal(b.Bytes(), &v); err != nil {
				t.Error(err)
			}
		case "csv":
			recs, err := csv.NewReader(&b).ReadAll()
			if err != nil || len(recs) != 2 {
				t.Fatalf("%v, %d records", err, len(recs))
			}
			if v := recs[1][4]; strings.HasPrefix(v, "=") {
				t.Errorf("a spreadsheet would run %q", v)
			}
		case "md":
			for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
				if strings.Count(l, "|")-strings.Count(l, `\|`) != 4 {
					t.Errorf("md line has other columns: %s", l)
				}
			}
		}
	}
	if err := table.Export(&bytes.Buffer{}, "xls", 0); err == nil || !strings.Contains(err.Error(), "latex") {
		t.Errorf("an unknown format must list the known ones: %v", err)
	}
}

func TestProgramsGetNumbersWithTheirUnits(t *testing.T) {
	e := entry(t, descriptor.Number, "duration", "192.5")
	e.Text, e.Quantity = "3m12s", Seconds
	table := New([]Input{{Key: "a", Title: "one", Entries: []Entry{e}}})
	var b bytes.Buffer
	if err := table.Export(&b, "csv", -1); err != nil || !strings.Contains(b.String(), "duration,duration,s,192.5\n") {
		t.Errorf("%v: %s", err, b.String())
	}
	b.Reset()
	if err := table.Export(&b, "json", -1); err != nil || !strings.Contains(b.String(), `"unit":"s"`) || !strings.Contains(b.String(), `"number":192.5`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

func big(columns, rows int) []Input {
	in := make([]Input, columns)
	for i := range in {
		in[i] = Input{Key: fmt.Sprint(i), Title: fmt.Sprint("analysis ", i)}
		for j := range rows {
			v, _ := descriptor.ParseValue(descriptor.Number, fmt.Sprint(i%7*j))
			in[i].Entries = append(in[i].Entries, Entry{Section: Parameters, Key: fmt.Sprint("p", j), Value: v})
		}
	}
	return in
}

func BenchmarkNew1000x200(b *testing.B) {
	in := big(1000, 200)
	for b.Loop() {
		New(in)
	}
}

// BenchmarkExport1000x200 reports the slowest format.
func BenchmarkExport1000x200(b *testing.B) {
	table := New(big(1000, 200))
	worst := time.Duration(0)
	for b.Loop() {
		for _, format := range Formats {
			began := time.Now()
			if err := table.Export(io.Discard, format, 0); err != nil {
				b.Fatal(err)
			}
			worst = max(worst, time.Since(began))
		}
	}
	bench.Report(b, "compare/export-1000x200", float64(worst.Microseconds())/1000, "ms", 300, true)
}
