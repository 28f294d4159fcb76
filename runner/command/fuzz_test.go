package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

func FuzzBuild(f *testing.F) {
	f.Add("python run.py [A] B --k=[KEY]", "[A]", "--a", "1", "B", "-b", "x y", "[KEY]", false)
	f.Add("--a @a, [B],[C] SVM SVM_C", "@a", "--a", "", "SVM", "--svm=", "[B]", "C", true)
	f.Add("A A_B A.B ,,", "A", "", "A_B", "A.B", "$1", `\`, "@", true)
	f.Fuzz(func(t *testing.T, line, keyA, flagA, valueA, keyB, flagB, valueB, keyC string, optional bool) {
		const secret = "5ecret-of-c"
		for _, text := range []string{line, keyA, flagA, valueA, keyB, flagB, valueB, keyC} {
			if strings.Contains(text, secret) || len(text) > 4096 {
				t.Skip("not our secret")
			}
		}
		kept := secret
		got := Build(line, []Input{
			{descriptor.Parameter{ID: "a", ValueKey: keyA, Flag: flagA, Optional: optional}, &valueA},
			{descriptor.Parameter{ID: "b", ValueKey: keyB, Flag: flagB}, &valueB},
			{descriptor.Parameter{ID: "private_key", ValueKey: keyC, Flag: "--key"}, &kept},
		})
		if len(got.Secret) != len(got.Argv) {
			t.Fatalf("%d marks for %d words", len(got.Secret), len(got.Argv))
		}
		if slices.Contains(got.Argv, "") {
			t.Errorf("an empty word in %q", got.Argv)
		}
		for id, value := range map[string]string{"a": valueA, "b": valueB, "private_key": secret} {
			has := slices.ContainsFunc(got.Argv, func(word string) bool { return strings.Contains(word, value) })
			if value != "" && !has && !slices.Contains(got.Unreached, id) {
				t.Errorf("the value %q of %s is neither in %q nor unreached %q", value, id, got.Argv, got.Unreached)
			}
		}
		for i, word := range got.Argv {
			if strings.Contains(word, secret) && !got.Secret[i] {
				t.Errorf("word %q is not marked secret", word)
			}
		}
		for _, note := range got.Notes {
			if strings.Contains(note, secret) {
				t.Errorf("note %q tells the secret", note)
			}
		}
	})
}

func FuzzTail(f *testing.F) {
	f.Add("singularity run x.simg python run.py")
	f.Add("singularity pull --name x.simg docker://a/b:c")
	f.Fuzz(func(t *testing.T, command string) {
		if tail := Tail(command); !strings.Contains(command, tail) {
			t.Errorf("tail %q is no part of %q", tail, command)
		}
		if image := ImageReference(command); !strings.Contains(command, image) || len(strings.Fields(image)) > 1 {
			t.Errorf("image %q of %q", image, command)
		}
	})
}
