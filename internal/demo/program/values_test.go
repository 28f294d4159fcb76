package program

import (
	"flag"
	"io"
	"testing"
)

func TestFlagsTakeWhatALauncherWrites(t *testing.T) {
	for _, c := range []struct {
		flag, text string
		ok         bool
		reads      string
	}{
		{"boolean", "True", true, "true"},
		{"boolean", "0", true, "false"},
		{"boolean", "maybe", false, ""},
		{"number", "1e-3", true, "0.001"},
		{"number", "-1", false, ""},
		{"number", "NaN", false, ""},
		{"number", "11", false, ""},
		{"whole", "2.5", false, ""},
		{"whole", "2.0", true, "2"},
		{"choice", "exit code 7", true, "exit code 7"},
		{"choice", "exit", false, ""},
		{"day", "2024-01-31", true, "2024-01-31T00:00:00Z"},
		{"day", "2024-01-31T15:04:05Z", true, "2024-01-31T15:04:05Z"},
		{"day", "1706659200000", true, "2024-01-31T00:00:00Z"},
		{"day", "31.1.2024", false, ""},
		{"ids", "12,13, 14", true, "12,13,14"},
		{"ids", "12,", false, ""},
		{"ids", "", false, ""},
		{"id", "12", true, "12"},
		{"id", "12,13", false, ""},
	} {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Var(new(boolean), "boolean", "")
		flags.Var(&number{min: 0, max: 10}, "number", "")
		flags.Var(&number{min: 0, max: 10, integer: true}, "whole", "")
		flags.Var(&choice{"none", failures}, "choice", "")
		flags.Var(new(day), "day", "")
		flags.Var(new(ids), "ids", "")
		flags.Var(new(id), "id", "")
		err := flags.Parse([]string{"--" + c.flag, c.text})
		if (err == nil) != c.ok {
			t.Errorf("--%s %q: error %v", c.flag, c.text, err)
			continue
		}
		if got := flags.Lookup(c.flag).Value.String(); c.ok && got != c.reads {
			t.Errorf("--%s %q reads %q, want %q", c.flag, c.text, got, c.reads)
		}
	}
}

func FuzzValues(f *testing.F) {
	f.Add("1,2,3")
	f.Add("2024-01-31")
	f.Add("1e400")
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range []flag.Value{new(boolean), &number{max: 10}, &choice{choices: failures}, new(day), new(ids), new(id)} {
			if v.Set(s) == nil {
				again := v.String()
				if err := v.Set(again); err != nil {
					t.Errorf("%T takes %q but not its own %q: %v", v, s, again, err)
				}
			}
		}
	})
}
