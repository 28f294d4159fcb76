package descriptor

import (
	"strings"
	"testing"
)

func TestParseValueGivesCanonicalText(t *testing.T) {
	tests := []struct {
		name string
		typ  Type
		text string
		want string
	}{
		{"integer", Number, "12", "12"},
		{"a whole number loses its fraction", Number, "1.0", "1"},
		{"a decimal stays as typed", Number, "0.1", "0.1"},
		{"needless zeros go", Number, "0.50", "0.5"},
		{"no digit before the point", Number, ".5", "0.5"},
		{"no digit after the point", Number, "5.", "5"},
		{"leading zeros", Number, "007", "7"},
		{"plus sign", Number, "+2", "2"},
		{"negative", Number, "-0.175", "-0.175"},
		{"negative zero", Number, "-0.0", "0"},
		{"typographic minus", Number, "−3", "-3"},
		{"small exponent", Number, "1e-3", "0.001"},
		{"Java's exponent", Number, "1E-8", "0.00000001"},
		{"large exponent", Number, "1e3", "1000"},
		{"exponent too long to write out", Number, "1.5e30", "1.5e30"},
		{"tiny number", Number, "2e-300", "2e-300"},
		{"big integers are exact", Number, "12345678901234567890", "12345678901234567890"},
		{"many digits are exact", Number, "0.1234567890123456789012345", "0.1234567890123456789012345"},
		{"spaces around", Number, "  3 ", "3"},
		{"quotes of old servers", Number, `"12"`, "12"},
		{"true", Boolean, "True", "true"},
		{"yes", Boolean, "yes", "true"},
		{"one", Boolean, "1", "true"},
		{"no", Boolean, "NO", "false"},
		{"zero", Boolean, "0", "false"},
		{"quoted false is false", Boolean, `"false"`, "false"},
		{"day", Date, "2024-01-31", "2024-01-31"},
		{"short day", Date, "2024-1-3", "2024-01-03"},
		{"slashes, year first", Date, "2024/01/31", "2024-01-31"},
		{"day with time is UTC", Date, "2024-01-31 15:04", "2024-01-31T15:04:00Z"},
		{"day with zone", Date, "2024-01-31T15:04:05+02:00", "2024-01-31T15:04:05+02:00"},
		{"milliseconds at midnight", Date, "1581465600000", "2020-02-12"},
		{"milliseconds", Date, "1581503400001", "2020-02-12T10:30:00.001Z"},
		{"one id", Domain, " 42 ", "42"},
		{"one id in a list", Domain, "[42]", "42"},
		{"an id that is no number", Domain, "all", "all"},
		{"ids", ListDomain, "1,2,3", "1,2,3"},
		{"ids with spaces and repetitions", ListDomain, "[3, 1,\n3 2]", "3,1,2"},
		{"ids one per line", ListDomain, "1\n2\r\n3\n", "1,2,3"},
		{"words of a list of ids keep their spaces", ListDomain, "all images, x", "all images,x"},
		{"items keep repetitions", List, " 64, 32 ,,64", "64,32,64"},
		{"a list of lists stays", List, "[[1, 2],[3]]", "[[1,2],[3]]"},
		{"quotes bared by an empty item", ListDomain, `,"1"`, "1"},
		{"brackets bared by an empty item", List, ",[1]", "1"},
		{"a string keeps its spaces", String, "  a b ", "  a b "},
		{"a string keeps its quotes", String, `"a"`, `"a"`},
		{"a file name", File, " a b.tif ", "a b.tif"},
		{"unknown types are text", "", "x y", "x y"},
	}
	for _, tt := range tests {
		t.Run(string(tt.typ)+" "+tt.name, func(t *testing.T) {
			v, err := ParseValue(tt.typ, tt.text)
			if err != nil {
				t.Fatalf("ParseValue(%s, %q): %v", tt.typ, tt.text, err)
			}
			if v.Text() != tt.want {
				t.Errorf("ParseValue(%s, %q) = %q, want %q", tt.typ, tt.text, v.Text(), tt.want)
			}
			if !v.IsSet() || v.Type() != tt.typ {
				t.Errorf("IsSet %t Type %q, want true %q", v.IsSet(), v.Type(), tt.typ)
			}
		})
	}
}

func TestParseValueSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		typ        Type
		text, want string
	}{
		{Number, "abc", `"abc" is not a number`},
		{Number, "0,5", `"0,5" is not a number; with a decimal point it is 0.5`},
		{Number, "1,2,3", `"1,2,3" is not a number`},
		{Number, "NaN", `"NaN" is not a finite number`},
		{Number, "-Infinity", `"-Infinity" is not a finite number`},
		{Number, "1e400", `"1e400" is too large for a number`},
		{Number, "1e99999999999999999999", `"1e99999999999999999999" is too large for a number`},
		{Number, "1e-400", `"1e-400" is too close to zero for a number`},
		{Number, "0x10", `"0x10" is not a number`},
		{Number, "1_000", `"1_000" is not a number`},
		{Number, ".", `"." is not a number`},
		{Number, "e5", `"e5" is not a number`},
		{Number, "1e", `"1e" is not a number`},
		{Number, "1e1_0", `"1e1_0" is not a number`},
		{Boolean, "perhaps", `"perhaps" is neither true nor false`},
		{Date, "31/01/2024", `"31/01/2024" is not a date; write it as 2024-01-31 or 2024-01-31T15:04:05Z`},
		{Date, "2024-02-30", `"2024-02-30" is not a date; write it as 2024-01-31 or 2024-01-31T15:04:05Z`},
		{Date, "00:15:00", `"00:15:00" is not a date; write it as 2024-01-31 or 2024-01-31T15:04:05Z`},
		{Date, "9999999999999999999", `"9999999999999999999" is not a date; write it as 2024-01-31 or 2024-01-31T15:04:05Z`},
		{Domain, "1, 2", `"1, 2" are 2 ids, but one is wanted`},
		{String, "a\x00b", "contains a zero byte, which no program can be given"},
		{String, "\xff", "is not UTF-8 text"},
		{Number, strings.Repeat("x", 100), `"` + strings.Repeat("x", 60) + `…" is not a number`},
	}
	for _, tt := range tests {
		v, err := ParseValue(tt.typ, tt.text)
		if err == nil || err.Error() != tt.want {
			t.Errorf("ParseValue(%s, %q) error %v, want %s", tt.typ, tt.text, err, tt.want)
		}
		if v.IsSet() {
			t.Errorf("ParseValue(%s, %q) returns %q with its error", tt.typ, tt.text, v.Text())
		}
	}
}

func TestEmptyTextIsNoValue(t *testing.T) {
	for _, typ := range []Type{String, Number, Boolean, Date, Domain, ListDomain, List, File} {
		v, err := ParseValue(typ, "")
		if err != nil || v.IsSet() || v.List() != nil || v.Display() != "" {
			t.Errorf("%s: %v, set %t", typ, err, v.IsSet())
		}
	}
	for _, text := range []string{",", "[]", " , "} {
		if v, err := ParseValue(ListDomain, text); err != nil || v.IsSet() {
			t.Errorf("ListDomain %q: %v, set %t", text, err, v.IsSet())
		}
	}
}

func mustParse(t *testing.T, typ Type, text string) Value {
	t.Helper()
	v, err := ParseValue(typ, text)
	if err != nil {
		t.Fatalf("ParseValue(%s, %q): %v", typ, text, err)
	}
	return v
}

func TestEqualComparesMeaning(t *testing.T) {
	tests := []struct {
		a, b   Type
		at, bt string
		want   bool
	}{
		{Number, Number, "1", "1.0", true},
		{Number, Number, "1e3", "1000", true},
		{Number, Number, "0.1", "0.10000000000000001", false},
		{Number, Number, "9007199254740993", "9007199254740992", false},
		{Number, String, "1", "1.0", true},
		{Number, String, "1", "one", false},
		{Number, Domain, "42", "42", true},
		{Number, Boolean, "1", "true", false},
		{Boolean, Boolean, "TRUE", "yes", true},
		{Boolean, String, "true", "True", true},
		{Boolean, String, "false", "true", false},
		{Date, Date, "2024-01-31", "2024-01-31T01:00:00+01:00", true},
		{Date, Date, "2024-01-31", "2024-01-31T00:00:01Z", false},
		{Date, String, "2020-02-12", "1581465600000", true},
		{ListDomain, ListDomain, "1,2,3", "3,2,1,1", true},
		{ListDomain, ListDomain, "1,2", "1,2,3", false},
		{ListDomain, String, "1,2", "2, 1", true},
		{ListDomain, Domain, "5", "5", true},
		{ListDomain, Number, "5", "5", true},
		{ListDomain, List, "1,2", "2,1", true},
		{List, List, "64,32", "32,64", false},
		{List, String, "64,32", "64, 32", true},
		{List, Domain, "a", "a", true},
		{String, String, "1", "1.0", false},
		{String, String, `"v"`, "v", true},
		{String, String, "a", "A", false},
		{String, Number, "", "0", false},
		{String, Number, "", "", true},
		{File, String, "a.tif", "a.tif", true},
	}
	for _, tt := range tests {
		a, b := mustParse(t, tt.a, tt.at), mustParse(t, tt.b, tt.bt)
		if a.Equal(b) != tt.want || b.Equal(a) != tt.want {
			t.Errorf("%s %q and %s %q: equal %t and %t, want %t", tt.a, tt.at, tt.b, tt.bt, a.Equal(b), b.Equal(a), tt.want)
		}
	}
	if !(Value{}).Equal(Value{}) {
		t.Error("no value is not equal to no value")
	}
}

func TestValueAsNumberListAndDisplay(t *testing.T) {
	if f, ok := mustParse(t, Number, "2.50").Number(); !ok || f != 2.5 {
		t.Errorf("Number() = %v, %t", f, ok)
	}
	if f, ok := mustParse(t, String, " 20.5").Number(); !ok || f != 20.5 {
		t.Errorf("Number() of a String = %v, %t", f, ok)
	}
	for _, v := range []Value{{}, mustParse(t, String, "x"), mustParse(t, Boolean, "1"), mustParse(t, ListDomain, "5")} {
		if f, ok := v.Number(); ok {
			t.Errorf("%s %q is the number %v", v.Type(), v.Text(), f)
		}
	}
	v := mustParse(t, ListDomain, "3,1")
	if got := strings.Join(v.List(), "|"); got != "3|1" || v.Display() != "3, 1" {
		t.Errorf("List %q Display %q", got, v.Display())
	}
	if got := mustParse(t, Number, "5").List(); len(got) != 1 || got[0] != "5" {
		t.Errorf("List of a Number %q", got)
	}
	if v := mustParse(t, String, "a"); v != (Value{String, "a"}) {
		t.Errorf("equal values differ with ==: %v", v)
	}
}

func TestDecimalsCompareExactly(t *testing.T) {
	ordered := []string{"-1e300", "-20", "-3", "-0.5", "-1e-300", "0", "1e-300", "0.05", "0.5", "0.51", "3", "20", "20.000000000000000000001", "1e300"}
	for i, a := range ordered {
		for j, b := range ordered {
			x, errX := parseDecimal(a)
			y, errY := parseDecimal(b)
			if errX != nil || errY != nil {
				t.Fatal(errX, errY)
			}
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := x.compare(y); got != want {
				t.Errorf("%s compared with %s = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestParseTypeReadsOtherSpellings(t *testing.T) {
	tests := []struct {
		text  string
		want  Type
		known bool
	}{
		{"String", String, true}, {"listdomain", ListDomain, true}, {"NUMBER", Number, true}, {"float", Number, true},
		{"integer", Number, true}, {" date ", Date, true}, {"image", Image, true}, {"file", File, true}, {"List", List, true},
		{"snoopy", String, false}, {"", String, false},
	}
	for _, tt := range tests {
		if got, known := ParseType(tt.text); got != tt.want || known != tt.known {
			t.Errorf("ParseType(%q) = %s, %t", tt.text, got, known)
		}
	}
}
