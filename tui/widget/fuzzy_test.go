package widget

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFuzzyFinds(t *testing.T) {
	names := []string{"Nuclei segmentation", "Stain density", "Cell nuclei count", "uncle", "Segment_Nuclei", "Tissue detect"}
	more := []string{"", "counts nuclei per tile", "", "", "", ""}
	tests := map[string]struct {
		pattern string
		want    []string
	}{
		"everything for nothing":              {"  ", names},
		"starts before words before insides":  {"nuc", []string{"Nuclei segmentation", "Cell nuclei count", "Segment_Nuclei", "Stain density"}},
		"text beside the name as it is":       {"tile", []string{"Stain density"}},
		"all words in any order":              {"seg nuc", []string{"Nuclei segmentation", "Segment_Nuclei"}},
		"scattered letters of the name":       {"tsdt", []string{"Tissue detect"}},
		"two letters are not scattered":       {"tt", nil},
		"letters scattered over text are not": {"cnpt", nil},
		"upper case is the same":              {"STAIN D", []string{"Stain density"}},
		"nothing that is not there":           {"xyz", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var f Fuzzy
			f.SetLines(names, more)
			var got []string
			for _, i := range f.Find(tt.pattern) {
				got = append(got, names[i])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestFuzzyFindsScatteredLettersThatAreTypedOneByOne(t *testing.T) {
	names := []string{"Tissue detect", "Stain density", "uncle"}
	for _, pattern := range []string{"tsdt", "stain dst", "u ncle"} {
		var typed, whole Fuzzy
		typed.SetLines(names, nil)
		whole.SetLines(names, nil)
		for i := range pattern {
			typed.Find(pattern[:i+1])
		}
		if got, want := typed.Find(pattern), whole.Find(pattern); !slices.Equal(got, want) || pattern != "u ncle" && len(got) != 1 {
			t.Errorf("%q typed finds %v, at once %v", pattern, got, want)
		}
	}
}

func TestFuzzyFindsTheSameHoweverItIsTyped(t *testing.T) {
	names := make([]string, 500)
	for i := range names {
		names[i] = fmt.Sprintf("slide %d batch %c", i*37%500, 'a'+i%7)
	}
	var typed, whole Fuzzy
	typed.SetLines(names, nil)
	pattern := "sli 4 b c"
	for i := range pattern {
		got := typed.Find(pattern[:i+1])
		whole.SetLines(names, nil)
		if want := whole.Find(pattern[:i+1]); !slices.Equal(got, want) {
			t.Errorf("after %q: %d found, want %d", pattern[:i+1], len(got), len(want))
		}
	}
	for _, p := range []string{"sli 4", "sli", "batch", ""} {
		got := typed.Find(p)
		whole.SetLines(names, nil)
		if want := whole.Find(p); !slices.Equal(got, want) {
			t.Errorf("back at %q: %d found, want %d", p, len(got), len(want))
		}
	}
}

func BenchmarkFuzzyOver100000Lines(b *testing.B) {
	names := make([]string, 100_000)
	for i := range names {
		names[i] = fmt.Sprintf("patient_%06d/slide_%d HE 40x.svs", i, i%9)
	}
	var f Fuzzy
	f.SetLines(names, nil)
	for b.Loop() {
		f.Find("")
		f.Find("slide 7")
	}
}

func FuzzFuzzyFind(f *testing.F) {
	f.Add("Nuclei segmentation", "nuc seg")
	f.Add("é漢\x00", "\xff")
	f.Fuzz(func(t *testing.T, line, pattern string) {
		var x Fuzzy
		x.SetLines([]string{line, "other"}, []string{pattern, ""})
		found := x.Find(pattern)
		if words := strings.Fields(strings.ToLower(pattern)); len(words) > 0 && !slices.Contains(found, 0) {
			t.Errorf("%q is not found in %q beside %q", pattern, line, pattern)
		}
	})
}
