package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

func corpus(t testing.TB) map[string]*descriptor.Descriptor {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "descriptors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("no real descriptors beside the repository (../shared/descriptors)")
	}
	all := make(map[string]*descriptor.Descriptor)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := descriptor.Parse(path, data); d != nil {
			all[strings.TrimSuffix(filepath.Base(path), ".json")] = d
		}
	}
	return all
}

func TestEveryValueOfRealDescriptorsReachesTheProgramOrIsListed(t *testing.T) {
	for name, d := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			var inputs []Input
			for i, p := range d.Parameters {
				value := fmt.Sprintf("value %d!", i)
				inputs = append(inputs, Input{p, &value})
			}
			got := Build(d.CommandLine, inputs)
			reached := 0
			for i, p := range d.Parameters {
				at := slices.Index(got.Argv, *inputs[i].Value)
				if listed := slices.Contains(got.Unreached, p.ID); (at < 0) != listed {
					t.Errorf("%s: in argv %t, listed as unreached %t", p.ID, at >= 0, listed)
				}
				if at < 0 {
					continue
				}
				reached++
				if p.Flag != "" && (at == 0 || got.Argv[at-1] != p.Flag) {
					t.Errorf("%s: no flag %s before its value in %q", p.ID, p.Flag, got.Argv)
				}
				if got.Secret[at] != p.IsSecret() {
					t.Errorf("%s: secret %t", p.ID, got.Secret[at])
				}
				if slices.Contains(got.Argv, p.ValueKey) {
					t.Errorf("key %s is left in %q", p.ValueKey, got.Argv)
				}
			}
			for i, word := range got.Argv {
				if i > 0 && strings.HasPrefix(word, "-") && word == got.Argv[i-1] {
					t.Errorf("flag %s doubled in %q", word, got.Argv)
				}
				if strings.Contains(word, "value ") && !slices.ContainsFunc(inputs, func(in Input) bool { return *in.Value == word }) {
					t.Errorf("a value was put inside the word %q", word)
				}
			}
			if reached == 0 && len(d.Parameters) > len(got.Unreached) {
				t.Errorf("nothing reached the program: %q", got.Argv)
			}
		})
	}
}

func TestRealDescriptorsWithoutValuesLeaveNeitherKeysNorFlags(t *testing.T) {
	for name, d := range corpus(t) {
		var inputs []Input
		for _, p := range d.Parameters {
			p.Default = nil
			inputs = append(inputs, Input{Parameter: p})
		}
		got := Build(d.CommandLine, inputs)
		for _, p := range d.Parameters {
			if slices.Contains(got.Argv, p.ValueKey) || p.Flag != "" && slices.Contains(got.Argv, p.Flag) {
				t.Errorf("%s: %s is left in %q", name, p.ID, got.Argv)
			}
		}
	}
}

func TestTheDescriptorCheckAgreesAboutWhatIsReached(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "client", "descriptor", "testdata", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	real, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "descriptors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, real...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, findings := descriptor.Parse(path, data)
		if d == nil || d.CommandLine == "" {
			continue
		}
		var warned []string
		for _, f := range findings {
			if id, ok := strings.CutPrefix(f.Message, `input "`); ok && strings.Contains(f.Message, "never reaches") {
				id, _, _ = strings.Cut(id, `"`)
				warned = append(warned, id)
			}
		}
		var inputs []Input
		for _, p := range d.Parameters {
			inputs = append(inputs, Input{Parameter: p})
		}
		if got := Build(d.CommandLine, inputs).Unreached; !slices.Equal(got, warned) {
			t.Errorf("%s: unreached %q, warned about %q", filepath.Base(path), got, warned)
		}
	}
}
