package widget

import (
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/cytorun/cytorun/tui/keymap"
)

func TestKeyBarDropsTheLastKeysFirst(t *testing.T) {
	keys := []key.Binding{
		keymap.Bind("enter", "log", "enter"), keymap.Bind("r", "rerun", "r"),
		keymap.When(false, keymap.Bind("z", "never", "z")), keymap.Bind("d", "a very long description of a key", "d"),
	}
	always := []key.Binding{keymap.Help}
	for width, want := range map[int]string{
		80: " enter log  r rerun  d a very long description of a key  ? help",
		40: " enter log  r rerun  ? help",
		20: " enter log  ? help",
		10: " ? help",
	} {
		if got := ansi.Strip(KeyBar(keys, always, width)); got != want {
			t.Errorf("%d: got %q, want %q", width, got, want)
		}
	}
}

func TestBoxLiesInTheMiddle(t *testing.T) {
	base := strings.TrimSuffix(strings.Repeat(strings.Repeat("x", 30)+"\n", 9), "\n")
	box := Box("a title that is much too long for it", []string{"one", "漢字"}, 14)
	got := strings.Split(ansi.Strip(Over(base, box, 30, 9)), "\n")
	if len(got) != 9 {
		t.Fatalf("%d lines", len(got))
	}
	for i, l := range got {
		if w := ansi.StringWidth(l); w != 30 {
			t.Errorf("line %d has %d cells: %q", i, w, l)
		}
	}
	if !strings.HasPrefix(got[4], "xxxxxxxx│ 漢字") {
		t.Errorf("line 4 is %q", got[4])
	}
}

func TestEndsGiveTheRightSideItsPlace(t *testing.T) {
	for _, width := range []int{5, 10, 20, 40} {
		if w := ansi.StringWidth(Ends("left side", "right", width)); w > width {
			t.Errorf("%d cells in %d", w, width)
		}
	}
	if got := Ends("left", "right", 12); got != "left   right" {
		t.Errorf("got %q", got)
	}
}

func TestProgressIsAsWideAsItsCell(t *testing.T) {
	for p := -1; p <= 101; p++ {
		for _, w := range []int{0, 4, 8, 10, 24} {
			if got := ansi.StringWidth(Progress(p, w)); got != 0 && got != w {
				t.Errorf("%d %% in %d: %d cells", p, w, got)
			}
		}
	}
}

func TestDetailScrollsWithinItsLines(t *testing.T) {
	lines := strings.Split("a b c d e f g h", " ")
	d := Detail{About: func(int) []string { return lines }}
	d.SetSize(10, 3)
	if got := d.View(); got != "a\nb\nc" {
		t.Errorf("got %q", got)
	}
	for range 20 {
		d.Update(keymap.Press("ctrl+d"))
		d.View()
	}
	if got := d.View(); got != "f\ng\nh" {
		t.Errorf("at its end %q", got)
	}
	d.Follow()
	if got := d.View(); got != "a\nb\nc" {
		t.Errorf("another row starts at %q", got)
	}
}

func TestFilterKeepsWhatWasTyped(t *testing.T) {
	f := NewFilter("hint")
	type step struct {
		key           string
		used, changed bool
		value         string
		editing       bool
	}
	for i, s := range []step{
		{"x", false, false, "", false},
		{"/", true, false, "", true},
		{"q", true, true, "q", true},
		{"1", true, true, "q1", true},
		{"down", false, false, "q1", false},
		{"/", true, false, "q1", true},
		{"enter", true, false, "q1", false},
		{"esc", true, true, "", false},
		{"esc", false, false, "", false},
		{"/", true, false, "", true},
		{"a", true, true, "a", true},
		{"esc", true, true, "", false},
	} {
		used, changed := f.Update(keymap.Press(s.key))
		if used != s.used || changed != s.changed || f.Value() != s.value || f.Editing() != s.editing {
			t.Errorf("step %d, %s: used %v changed %v value %q editing %v", i, s.key, used, changed, f.Value(), f.Editing())
		}
	}
}

func TestNameKeepsItsNumber(t *testing.T) {
	for _, tt := range []struct {
		in    string
		width int
		want  string
	}{
		{"nuclei-segmentation #12", 40, "nuclei-segmentation #12"},
		{"nuclei-segmentation #12", 14, "nuclei-se… #12"},
		{"nuclei-segmentation #12", 6, "nucle…"},
		{"one", 2, "o…"},
		{"漢字漢字漢字 #1", 9, "漢字… #1"},
		{"", 5, ""},
	} {
		if got := CutName(tt.in, tt.width); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}
