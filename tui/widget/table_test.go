package widget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/cytorun/cytorun/tui/keymap"
)

// people is a table over a list of names, which are their own keys.
func people(names []string, width, height int) *Table {
	t := &Table{
		Columns: []Column{
			{Title: "name", Min: 8, Weight: 2, Max: 30, Main: true},
			{Title: "age", Min: 5, Right: true, Drop: 2},
			{Title: "note", Min: 10, Weight: 1, Drop: 1},
		},
		Marks: true,
		Empty: "nobody",
	}
	t.Key = func(i int) string { return names[i] }
	t.Cell = func(i, c int) Cell {
		return Cell{Text: []string{names[i], fmt.Sprint(i), "n" + fmt.Sprint(i)}[c]}
	}
	t.SetSize(width, height)
	t.SetRows(len(names))
	return t
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p%05d", i)
	}
	return names
}

func press(t *Table, keys ...string) {
	for _, k := range keys {
		t.Update(keymap.Press(k))
	}
}

func shown(t *Table) []string { return strings.Split(ansi.Strip(t.View()), "\n") }

func TestTableIsAlignedAtEverySize(t *testing.T) {
	names := []string{"short", "漢字漢字漢字漢字漢字", "evil\x1b[2J\nname", strings.Repeat("long ", 40), ""}
	for _, w := range []int{10, 20, 30, 60, 80, 120, 200} {
		for _, h := range []int{1, 2, 5, 20} {
			tab := people(names, w, h)
			lines := shown(tab)
			if len(lines) != h {
				t.Errorf("%dx%d: %d lines", w, h, len(lines))
			}
			for _, l := range lines {
				if got := ansi.StringWidth(l); got > w {
					t.Errorf("%dx%d: %d cells: %q", w, h, got, l)
				}
			}
		}
	}
}

func TestColumnsGiveWayInTheirOrder(t *testing.T) {
	for _, tt := range []struct {
		width        int
		with, absent string
	}{
		{80, "name age note", ""},
		{25, "name note", "age"},
		{12, "name", "note"},
	} {
		head := shown(people(numbered(3), tt.width, 5))[0]
		for _, w := range strings.Fields(tt.with) {
			if !strings.Contains(head, w) {
				t.Errorf("width %d: no %s in %q", tt.width, w, head)
			}
		}
		if tt.absent != "" && strings.Contains(head, tt.absent) {
			t.Errorf("width %d: %s in %q", tt.width, tt.absent, head)
		}
	}
}

func TestCursorStaysInSightAndInRange(t *testing.T) {
	tab := people(numbered(100), 40, 11)
	for _, tt := range []struct {
		key  string
		want int
	}{
		{"up", 0}, {"down", 1}, {"pgdown", 10}, {"end", 99}, {"down", 99}, {"pgup", 90}, {"home", 0}, {"G", 99}, {"k", 98}, {"g", 0},
	} {
		press(tab, tt.key)
		if got := tab.Cursor(); got != tt.want {
			t.Errorf("after %s the cursor is at %d, not %d", tt.key, got, tt.want)
		}
		marked := 0
		for _, l := range shown(tab) {
			if strings.HasPrefix(l, "▌") {
				marked++
				if !strings.Contains(l, fmt.Sprintf("p%05d", tt.want)) {
					t.Errorf("after %s the cursor is drawn at %q", tt.key, l)
				}
			}
		}
		if marked != 1 {
			t.Errorf("after %s %d rows have the cursor", tt.key, marked)
		}
	}
}

func TestCursorAndMarksFollowTheirRows(t *testing.T) {
	names := numbered(10)
	tab := people(names, 40, 8)
	press(tab, "down", "down", "space") // marks p00002, goes to p00003
	names2 := append([]string{"new1", "new2"}, names...)
	tab.Key = func(i int) string { return names2[i] }
	tab.Cell = func(i, c int) Cell { return Cell{Text: names2[i]} }
	tab.SetRows(len(names2))
	if got := names2[tab.Cursor()]; got != "p00003" {
		t.Errorf("the cursor went to %s", got)
	}
	if tab.MarkedCount() != 1 || !tab.IsMarked("p00002") {
		t.Error("the mark is not where it was")
	}
	press(tab, "up", "space")
	if tab.MarkedCount() != 0 {
		t.Error("a second space keeps the mark")
	}
}

func TestRowThatGoesLeavesTheCursorAtItsPlace(t *testing.T) {
	names := numbered(5)
	tab := people(names, 40, 8)
	press(tab, "down", "down")
	tab.Key = func(i int) string { return append(numbered(2), "p00003", "p00004")[i] }
	tab.SetRows(4)
	if got := tab.Cursor(); got != 2 {
		t.Errorf("cursor at %d", got)
	}
	tab.SetRows(0)
	if got := tab.Cursor(); got != -1 {
		t.Errorf("cursor of no rows at %d", got)
	}
	if !strings.Contains(ansi.Strip(tab.View()), "nobody") {
		t.Error("an empty table says nothing")
	}
}

func TestCursorGoesToARowThatComesLater(t *testing.T) {
	names := numbered(3)
	tab := people(names, 40, 8)
	tab.GoToKey("late")
	tab.SetRows(3) // others were read meanwhile
	names = append(names, "late")
	tab.Key = func(i int) string { return names[i] }
	tab.SetRows(4)
	if tab.Cursor() != 3 {
		t.Errorf("cursor at %d", tab.Cursor())
	}
	tab.GoToKey("later")
	press(tab, "up")
	names = append(names, "later")
	tab.SetRows(5)
	if tab.Cursor() != 2 {
		t.Errorf("the cursor was moved and is taken away to %d", tab.Cursor())
	}
}

func TestOnlySeenRowsAreAskedFor(t *testing.T) {
	tab := people(numbered(100_000), 80, 24)
	asked := map[int]bool{}
	cell := tab.Cell
	tab.Cell = func(i, c int) Cell { asked[i] = true; return cell(i, c) }
	press(tab, "end")
	tab.View()
	if len(asked) != 23 {
		t.Errorf("%d rows were asked for", len(asked))
	}
}
