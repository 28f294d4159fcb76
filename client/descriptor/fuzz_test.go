package descriptor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.json", "../../../shared/descriptors/*.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, findings := Parse("f", data)
		lines := strings.Count(string(data), "\n") + 1
		failed := false
		for _, finding := range findings {
			failed = failed || finding.Severity == Error
			if finding.Line < 1 || finding.Line > lines || finding.Col < 1 || finding.Col > len(data)+1 || finding.Message == "" {
				t.Errorf("finding %s in %d lines", finding, lines)
			}
		}
		if d == nil {
			if !failed {
				t.Error("refused without an error")
			}
			return
		}
		seen := make(map[string]bool)
		for _, p := range d.Parameters {
			if p.ID == "" || p.ValueKey == "" || seen[p.ID] {
				t.Errorf("parameter %+v", p)
			}
			seen[p.ID] = true
		}
		written, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if again, findings := Parse("f", written); again == nil && len(written) < maxBytes {
			t.Fatalf("what was written is refused: %v\n%s", findings, written)
		}
	})
}

func FuzzParseValue(f *testing.F) {
	types := []Type{String, Number, Boolean, Date, Domain, ListDomain, List, File}
	for i := range types {
		for _, text := range []string{"", "1e-3", ".5", "-0.0", "true", "2024-01-31T15:04:05.5+02:00", "1581503400000", `"1,2"`, "[1, 2]", "é\n;", "1e99999999999"} {
			f.Add(uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		typ := types[int(i)%len(types)]
		v, err := ParseValue(typ, text)
		if err != nil {
			if v.IsSet() || err.Error() == "" {
				t.Fatalf("value %q with error %v", v.Text(), err)
			}
			return
		}
		again, err := ParseValue(typ, v.Text())
		if err != nil || again != v {
			t.Fatalf("%s %q reads as %q, and that as %q, %v", typ, text, v.Text(), again.Text(), err)
		}
		if !v.Equal(again) {
			t.Fatalf("%s %q is not equal to itself", typ, v.Text())
		}
		if len(v.Text()) > len(text)+40 {
			t.Fatalf("%s %q grew to %q", typ, text, v.Text())
		}
		plain, err := ParseValue(String, v.Text())
		if err != nil || !v.Equal(plain) || !plain.Equal(v) {
			t.Fatalf("%s %q is not equal to its own text", typ, v.Text())
		}
		_, _ = v.Number()
		_, _ = v.Time()
		_ = v.Display()
		_ = Parameter{Type: typ, Choices: v.List(), Minimum: &text, Maximum: &text, Integer: true}.Check(v)
	})
}
