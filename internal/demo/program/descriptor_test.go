package program

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

func TestFlagsAndDescriptorsAgree(t *testing.T) {
	for _, task := range tasks {
		file := "../descriptors/" + task.name + ".json"
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := descriptor.Parse(file, data)
		flags := flag.NewFlagSet(task.name, flag.ContinueOnError)
		new(site).define(flags)
		task.define(flags)
		known := map[string]bool{}
		for _, p := range d.Parameters {
			known[p.ID] = true
			f := flags.Lookup(p.ID)
			if f == nil {
				t.Errorf("%s: the program has no flag --%s", task.name, p.ID)
				continue
			}
			if p.Default != nil && f.DefValue != *p.Default {
				t.Errorf("%s --%s: default %q, descriptor says %q", task.name, p.ID, f.DefValue, *p.Default)
			}
			switch v := f.Value.(type) {
			case *number:
				if v.integer != p.Integer {
					t.Errorf("%s --%s: whole %v, descriptor says %v", task.name, p.ID, v.integer, p.Integer)
				}
				for _, limit := range []*string{p.Minimum, p.Maximum} {
					if limit == nil || v.Set(*limit) != nil {
						t.Errorf("%s --%s refuses a limit of the descriptor", task.name, p.ID)
					}
				}
			case *choice:
				if !slices.Equal(v.choices, p.Choices) {
					t.Errorf("%s --%s: choices %q, descriptor says %q", task.name, p.ID, v.choices, p.Choices)
				}
			}
		}
		flags.VisitAll(func(f *flag.Flag) {
			if !known[f.Name] {
				t.Errorf("%s: the descriptor has no input %s", task.name, f.Name)
			}
		})
	}
}
