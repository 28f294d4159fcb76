package demo

import (
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

func TestDescriptorsAreWithoutFault(t *testing.T) {
	for _, name := range []string{"nuclei", "stain", "train"} {
		file := "descriptors/" + name + ".json"
		data, err := descriptorFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, findings := descriptor.Parse(file, data)
		for _, f := range findings {
			t.Error(f)
		}
	}
}

func TestAlgorithmsUseEveryType(t *testing.T) {
	used := map[descriptor.Type]bool{}
	var choices, minimum, integer bool
	for _, d := range Descriptors() {
		for _, p := range d.Parameters {
			if p.IsServerInput() {
				continue
			}
			used[p.Type] = true
			choices = choices || p.Type == descriptor.String && len(p.Choices) > 0
			minimum = minimum || p.Type == descriptor.Number && p.Minimum != nil && p.Maximum != nil && !p.Integer
			integer = integer || p.Type == descriptor.Number && p.Integer
		}
	}
	for _, want := range []descriptor.Type{descriptor.String, descriptor.Number, descriptor.Boolean, descriptor.Date, descriptor.Domain, descriptor.ListDomain} {
		if !used[want] {
			t.Errorf("no parameter of type %s", want)
		}
	}
	if !choices || !minimum || !integer {
		t.Errorf("String with choices: %v, Number with limits: %v, whole Number: %v", choices, minimum, integer)
	}
}
