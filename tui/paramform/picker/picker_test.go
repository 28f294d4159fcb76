package picker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// pane is a picker in the clothes of a screen.
type pane struct {
	*Picker
	end End
}

func (p *pane) Update(msg tea.Msg) tea.Cmd {
	cmd, end := p.Picker.Update(msg)
	p.end = end
	return cmd
}

func drive(t *testing.T, o Options, width, height int) (*tuitest.Driver, *pane) {
	t.Helper()
	p := &pane{Picker: New(o)}
	p.SetSize(width, height)
	return tuitest.DriveSubject(t, p), p
}

func named(names ...string) []client.Option {
	out := make([]client.Option, len(names))
	for i, n := range names {
		out[i] = client.Option{ID: client.ID(i + 1), Fields: client.MakeFields(map[string]string{"name": n})}
	}
	return out
}

var terms = descriptor.Parameter{ID: "term", Type: descriptor.Domain, URIPrint: "name", URISort: "name"}

func chosen(p *pane) string {
	ids, _ := p.Chosen()
	return strings.Join(ids, ",")
}

func TestTheCursorRowIsChosen(t *testing.T) {
	d, p := drive(t, Options{Title: "Term", List: NewList(terms, named("stroma", "tumour", "necrosis"), true, nil)}, 80, 19)
	d.Press("down", "enter")
	if p.end != Accepted || chosen(p) != "1" {
		t.Errorf("end %v, chosen %s", p.end, chosen(p))
	}
	d, p = drive(t, Options{Title: "Term", Chosen: []string{"2"}, List: NewList(terms, named("stroma", "tumour", "necrosis"), true, nil)}, 80, 19)
	d.Press("esc")
	if p.end != GivenUp {
		t.Errorf("esc is %v", p.end)
	}
	d.Press("enter")
	if chosen(p) != "2" {
		t.Errorf("the cursor begins on %s", chosen(p))
	}
}

func TestMarksStayWhileTheFilterChanges(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slides(1000), true, nil)}, 80, 19)
	d.Press("space", "/")
	d.Type("ki67")
	d.Shows("250 of 1,000 shown", "1 marked")
	d.Press("enter", "a")
	marked := p.MarkedCount()
	if marked != 250 && marked != 251 {
		t.Errorf("%d marked", marked)
	}
	d.Press("esc", "/")
	d.Type("patient_0000")
	d.Press("enter", "i", "esc", "m")
	d.Shows("only marked")
	d.Press("c")
	if p.MarkedCount() != 0 {
		t.Errorf("%d are left", p.MarkedCount())
	}
	d.Press("enter")
	if chosen(p) != "" || p.end != Accepted {
		t.Errorf("cleared marks choose %s", chosen(p))
	}
}

func TestFilters(t *testing.T) {
	list := NewList(images, slides(1000), true, nil)
	tests := map[string]int{
		"":                        1000,
		"ki67":                    250,
		"KI67 block3":             0,
		"block3.svs":              84,
		"*_he_*":                  250,
		"*block?.svs":             834,
		"cohort-a*":               200,
		"/_cd3_block(1|2)\\.svs$": 84,
		"/^COHORT-[AB]/":          400,
		"/^cohort-[^ab]/":         600,
		"reviewed:yes":            334,
		"reviewed:no":             666,
		"reviewed:!=yes":          666,
		"annotations:0":           20,
		"annotations:>=48":        40,
		"annotations:10..12":      60,
		"created:2020-01-26":      1000,
		"created:<2020-01-26":     0,
		"ki67 annotations:>40":    50,
		"reviewed:":               1000,
		"nosuchfield:yes":         0,
		"\"block1.svs\"":          84,
	}
	for filter, want := range tests {
		t.Run(filter, func(t *testing.T) {
			d, p := drive(t, Options{Title: "Images", Many: true, List: list}, 100, 30)
			d.Press("/")
			d.Type(filter)
			d.Press("enter", "end")
			if got := p.rows(); got != want {
				t.Errorf("%d of %d", got, want)
			}
			// The same in one piece finds the same as key by key.
			whole := newSearch(list, p.query, nil)
			whole.finish()
			if !whole.all && !slices.Equal(whole.found(), p.shown) {
				t.Errorf("typed %d, at once %d", len(p.shown), len(whole.found()))
			}
		})
	}
}

func TestBackspaceFindsWhatWasThere(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slides(1000), true, nil)}, 100, 30)
	d.Press("/")
	d.Type("hexx")
	if p.rows() != 0 {
		t.Fatalf("%d rows", p.rows())
	}
	d.Press("backspace", "backspace")
	if p.rows() != 250 {
		t.Errorf("%d rows", p.rows())
	}
	d.Press("esc")
	if p.rows() != 1000 {
		t.Errorf("%d rows", p.rows())
	}
}

func TestAHalfTypedRegexpKeepsTheRows(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slides(1000), true, nil)}, 100, 30)
	d.Press("/")
	d.Type("/he(")
	d.Shows("not a regular expression yet")
	if p.rows() != 250 {
		t.Errorf("%d rows", p.rows())
	}
	d.Type("_)/")
	d.Hides("not a regular")
}

func TestEqualNamesAreToldApart(t *testing.T) {
	list := NewList(terms, named("a.png", "b.png", "a.png"), true, nil)
	d, _ := drive(t, Options{Title: "Images", Many: true, List: list}, 50, 12)
	d.Shows("id 1", "id 3")
	d.Hides("id 2")
}

func TestNamesFallBackToTheID(t *testing.T) {
	d, _ := drive(t, Options{Title: "Images", List: NewList(terms, []client.Option{{ID: 77}, {ID: 78, Fields: client.MakeFields(map[string]string{"name": " "})}}, true, nil)}, 80, 12)
	d.Shows("77", "78")
}

func TestPastedNamesAndIDsAreMarked(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(terms, named("a one.svs", "b.svs", "c.svs", "twin.svs", "twin.svs"), true, nil)}, 80, 15)
	d.Send(tea.PasteMsg{Content: "A one.svs\r\nfolder/b.tif\n\nmissing.svs\ntwin.svs\n"})
	d.Shows("2 marked; 1 not in the list: missing.svs; 1 name several options")
	if chosen(p) != "1,2" {
		t.Errorf("chosen %s", chosen(p))
	}
	d.Press("c")
	d.Send(tea.PasteMsg{Content: "3, 4;5 \n99"})
	if chosen(p) != "3,4,5" {
		t.Errorf("chosen %s", chosen(p))
	}
	d.Press("t")
	d.Type("99, b.svs")
	d.Press("enter")
	if chosen(p) != "2,3,4,5,99" {
		t.Errorf("chosen %s", chosen(p))
	}
}

func TestAListThatFailedTakesIDsAndIsLoadedAgain(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, nil, true, errors.New("server answered 404"))}, 80, 15)
	d.Shows("server answered 404", "ctrl+r")
	d.Press("ctrl+r")
	if p.end != Reload {
		t.Errorf("ctrl+r is %v", p.end)
	}
	d.Press("t")
	d.Type("12 13 abc")
	d.Press("enter", "enter")
	if p.end != Accepted || chosen(p) != "12 13 abc" {
		t.Errorf("chosen %q", chosen(p))
	}
}

func TestRowsThatArriveLeaveTheCursorAndTheMarks(t *testing.T) {
	all := slides(2000)
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slices.Clone(all[:500]), false, nil)}, 80, 19)
	d.Press("down", "down", "space")
	o, _ := p.current()
	before := chosen(p)
	p.SetList(NewList(images, slices.Clone(all), true, nil))
	if now, _ := p.current(); now.ID != o.ID || chosen(p) != before {
		t.Errorf("cursor %d was %d, chosen %s was %s", now.ID, o.ID, chosen(p), before)
	}
	d.Shows("2,000", "1 marked")
}

func TestColoursOfTermsAreShown(t *testing.T) {
	o := []client.Option{
		{ID: 1, Fields: client.MakeFields(map[string]string{"name": "tumour", "color": "#ff0000"})},
		{ID: 2, Fields: client.MakeFields(map[string]string{"name": "evil", "color": "\x1b[31m"})},
	}
	d, _ := drive(t, Options{Title: "Term", List: NewList(terms, o, true, nil)}, 80, 15)
	if n := strings.Count(d.Text(), "██"); n != 1 {
		t.Errorf("%d swatches:\n%s", n, d.Text())
	}
	d.Fits(80, 15)
}

func TestThePickerFitsEverySize(t *testing.T) {
	o := named("plain", "\x1b[31m\u202eevil\n\ttwo", strings.Repeat("é🧬", 5000), "", "日本語の名前")
	o[0].Fields = client.MakeFields(map[string]string{"name": "plain", "na\x1bme\n": "va\x1b[2Jlue", "more": strings.Repeat("x", 10000)})
	for _, size := range [][2]int{{30, 3}, {60, 15}, {80, 19}, {120, 35}, {200, 55}} {
		for _, many := range []bool{true, false} {
			d, _ := drive(t, Options{Title: "T\x1b[1mitle" + strings.Repeat("w", 300), Many: many, List: NewList(terms, o, false, nil)}, size[0], size[1])
			for _, k := range []string{"down", "down", "space", "down", "down", "m", "m", "a", "t", "x", "esc", "/", "e", "(", "esc", "G"} {
				d.Fits(size[0], size[1])
				d.Press(k)
			}
			d.Send(tea.PasteMsg{Content: "evil\x1b[31m\n\u202e" + strings.Repeat("a\n", 300)})
			d.Fits(size[0], size[1])
		}
	}
}

func TestASourceGivesListsThatGrowUntilTheEnd(t *testing.T) {
	gate := make(chan struct{})
	s := NewSource(images, Feed{Load: func(ctx context.Context, page func([]client.Option) error) error {
		all := slides(1500)
		for from := 0; from < len(all); from += 500 {
			if err := page(all[from : from+500]); err != nil {
				return err
			}
			if from == 500 {
				<-gate
			}
		}
		return errors.New("the line broke")
	}})
	cmd := s.Start()
	var last *List
	open := false
	for {
		msg := cmd()
		if msg == nil {
			break
		}
		l := msg.(Arrived).List
		if last != nil && l.Len() < last.Len() {
			t.Errorf("%d after %d", l.Len(), last.Len())
		}
		if l.Len() == 1000 && !open {
			close(gate)
			open = true
		}
		last, cmd = l, s.Next()
	}
	if !last.Done || last.Len() != 1500 || last.Err == nil {
		t.Errorf("ends with %d, done %t, %v", last.Len(), last.Done, last.Err)
	}
}

func TestWhatIsKeptIsSeenUntilTheServerHasSaidMore(t *testing.T) {
	gate := make(chan struct{})
	s := NewSource(images, Feed{
		Load: func(_ context.Context, page func([]client.Option) error) error {
			<-gate
			return page(slides(3))
		},
		Kept: func(page func([]client.Option) error) (time.Duration, bool) {
			return 3 * time.Hour, page(slides(5)) == nil
		},
	})
	old := s.Start()().(Arrived).List
	if old.Len() != 5 || old.Done || old.Age != 3*time.Hour {
		t.Errorf("%d options, done %t, age %s", old.Len(), old.Done, old.Age)
	}
	d, _ := drive(t, Options{Title: "Images", List: old}, 80, 15)
	d.Shows("as of 3h00m ago")
	close(gate)
	if l := s.Next()().(Arrived).List; l.Len() != 3 || !l.Done || l.Age != 0 {
		t.Errorf("%d options, done %t, age %s", l.Len(), l.Done, l.Age)
	}
}

func TestASourceThatIsStoppedEnds(t *testing.T) {
	s := NewSource(images, Feed{Load: func(ctx context.Context, _ func([]client.Option) error) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	cmd := s.Start()
	s.Stop()
	ended := make(chan tea.Msg, 1)
	go func() { ended <- cmd() }()
	select {
	case msg := <-ended:
		if a, ok := msg.(Arrived); ok && a.List.Err == nil {
			t.Errorf("%+v", a.List)
		}
	case <-time.After(5 * time.Second):
		t.Error("the wait for a stopped source does not end")
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"a b", "*x?", "/a(b/", "/[^a-z]+/ x:1", "name:", `"a b" c:">=2"`, "::", "/\\x{10ffff}/", "name:1..2", "?\xff*"} {
		f.Add(s)
	}
	list := NewList(images, slides(50), true, nil)
	names := attributes(list.options)
	f.Fuzz(func(t *testing.T, s string) {
		q := parse(s, func(name string) (string, bool) { return attribute(names, name) })
		if q.err != nil {
			return
		}
		found := newSearch(list, q, nil)
		found.finish()
		if n := len(found.found()); n > list.Len() {
			t.Errorf("%d of %d", n, list.Len())
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?", "axxbé")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 40 || len(name) > 40 {
			return
		}
		got := matchGlob(pattern, name)
		if pattern == name && !got && !strings.ContainsAny(pattern, "*?") {
			t.Error("text matches itself")
		}
		if got && !matchGlob("*"+pattern+"*", name) {
			t.Error("more stars match more")
		}
	})
}

func TestSelectionsAreMarkedAndNamed(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slides(100), true, nil)}, 80, 19)
	p.SetSets([]Set{{"cohort-a", []string{"1003", "1005"}}, {"cohort-b", []string{"1007", "9"}}})
	d.Press("@")
	d.Shows("@cohort-a  2", "@cohort-b  2")
	d.Press("down", "enter")
	d.Shows("@cohort-b: 2 marked")
	d.Press("t")
	d.Type("@cohort-a")
	d.Press("enter")
	if chosen(p) != "1005,1003,1007,9" && p.MarkedCount() != 4 {
		t.Errorf("chosen %s", chosen(p))
	}
	d.Press("s")
	d.Type("mine")
	d.Press("enter")
	if p.end != Save || p.SetName() != "mine" {
		t.Errorf("end %v, name %q", p.end, p.SetName())
	}
	d.Press("@", "x")
	if p.end != Forget || p.SetName() != "cohort-a" {
		t.Errorf("end %v, name %q", p.end, p.SetName())
	}
	d.Fits(80, 19)
	d.Press("esc", "esc")
	if p.end != GivenUp {
		t.Errorf("end %v", p.end)
	}
}

func TestRecentOptionsComeFirstInALongList(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", List: NewList(images, slides(100), true, nil), Recent: []client.ID{1050, 7, 1020}}, 80, 19)
	d.Shows("recent")
	d.Press("down", "enter")
	if chosen(p) != "1020" || p.rows() != 100 {
		t.Errorf("chosen %s of %d rows", chosen(p), p.rows())
	}
	d, _ = drive(t, Options{Title: "Images", List: NewList(images, slides(10), true, nil), Recent: []client.ID{1005}}, 80, 19)
	d.Hides("recent")
}

func TestHelpNamesTheKeysThatWork(t *testing.T) {
	d, p := drive(t, Options{Title: "Images", Many: true, List: NewList(images, slides(10), true, nil)}, 80, 15)
	keys := func() string {
		var out []string
		for _, b := range p.Help() {
			if b.Enabled() {
				out = append(out, b.Help().Key+" "+b.Help().Desc)
			}
		}
		return strings.Join(out, ", ")
	}
	if !strings.Contains(keys(), "space mark") || strings.Contains(keys(), "clear marks") {
		t.Error(keys())
	}
	d.Press("space", "space")
	if !strings.Contains(keys(), "choose the 2 marked") {
		t.Error(keys())
	}
}
