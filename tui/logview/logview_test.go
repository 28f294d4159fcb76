package logview

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

// drive gives a message to the screen and then runs what it asks for, and what
// that leads to, as the program would. It returns the messages for the root.
func drive(t *testing.T, m *Screen, msg tea.Msg) []tea.Msg {
	t.Helper()
	var root []tea.Msg
	queue := []tea.Cmd{m.Update(msg)}
	for len(queue) > 0 {
		cmd := queue[0]
		queue = queue[1:]
		if cmd == nil {
			continue
		}
		switch out := cmd().(type) {
		case tea.BatchMsg:
			queue = append(queue, out...)
		case nil, lookAgain:
		case nav.Toast, nav.Copy:
			root = append(root, out)
		default:
			queue = append(queue, m.Update(out))
		}
	}
	return root
}

func press(t *testing.T, m *Screen, keys ...string) []tea.Msg {
	t.Helper()
	var root []tea.Msg
	for _, k := range keys {
		root = append(root, drive(t, m, keymap.Press(k))...)
	}
	return root
}

func typed(t *testing.T, m *Screen, s string) {
	t.Helper()
	for _, r := range s {
		drive(t, m, tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// open makes a run folder with a log and the screen on it.
func open(t *testing.T, log string, state runner.State) (*Screen, string) {
	t.Helper()
	dir := t.TempDir()
	store, err := runner.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	run := &runner.Run{Folder: dir, State: state}
	run.ID, run.Algorithm.Name = "20261120-000000-abcd", "Nuclei"
	path := filepath.Join(dir, "output.log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &app.Session{Env: &app.Env{Store: store, Now: time.Now}}
	m := New(s, app.Analysis{Run: run})
	m.SetSize(80, 20)
	msg := m.Init()()
	if o, ok := msg.(opened); !ok || o.err != nil {
		t.Fatalf("opening gave %+v", msg)
	}
	drive(t, m, msg)
	t.Cleanup(func() {
		if cmd := m.Close(); cmd != nil {
			cmd()
		}
	})
	return m, path
}

func numbered(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func first(m *Screen) string { return m.lines[0].Rows[0] }
func last(m *Screen) string  { return m.lines[len(m.lines)-1].Rows[0] }

func TestALogOpensAtItsEndAndScrolls(t *testing.T) {
	m, _ := open(t, numbered(1000), runner.Succeeded)
	if last(m) != "line 1000" || len(m.lines) != m.bodyHeight() {
		t.Fatalf("ends with %q, %d lines", last(m), len(m.lines))
	}
	press(t, m, "up", "up", "up")
	if last(m) != "line 997" || m.follow {
		t.Errorf("three up: ends with %q", last(m))
	}
	press(t, m, "home")
	if first(m) != "line 1" {
		t.Errorf("home: begins with %q", first(m))
	}
	press(t, m, "up", "pgup")
	if first(m) != "line 1" {
		t.Errorf("above the first line: begins with %q", first(m))
	}
	press(t, m, "pgdown")
	if first(m) != fmt.Sprintf("line %d", m.bodyHeight()-1) {
		t.Errorf("page down: begins with %q", first(m))
	}
	press(t, m, "end", "down", "space")
	if last(m) != "line 1000" {
		t.Errorf("below the last line: ends with %q", last(m))
	}
}

func TestNoKeyIsLostWhileAReadingIsUnderWay(t *testing.T) {
	m, _ := open(t, numbered(1000), runner.Succeeded)
	press(t, m, "home")
	cmd := m.Update(keymap.Press("down")) // not yet run
	for range 9 {
		if c := m.Update(keymap.Press("down")); c != nil {
			t.Fatal("a second reading began")
		}
	}
	drive(t, m, cmd())
	if first(m) != "line 11" {
		t.Errorf("ten downs begin with %q", first(m))
	}
}

func TestAGrowingLogIsFollowedUntilOneScrollsUp(t *testing.T) {
	m, path := open(t, numbered(100), runner.Running)
	grow := func(s string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	grow("news\n")
	m.refreshOff()
	drive(t, m, nav.Tick{})
	if last(m) != "news" {
		t.Errorf("followed log ends with %q", last(m))
	}
	press(t, m, "up")
	top := first(m)
	grow("more\n")
	drive(t, m, nav.Tick{})
	if first(m) != top {
		t.Error("a paused log must stay where it is")
	}
	press(t, m, "f")
	if last(m) != "more" {
		t.Errorf("f goes to %q", last(m))
	}
	if err := os.WriteFile(path, []byte("anew\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	drive(t, m, nav.Tick{})
	if last(m) != "anew" {
		t.Errorf("a log written anew ends with %q", last(m))
	}
}

// refreshOff makes the analysis one whose state is not read again.
func (m *Screen) refreshOff() {
	run := *m.analysis.Run
	m.analysis = app.Analysis{Run: &run}
}

func TestASearchAtTheEndFindsWhatIsOnTheScreen(t *testing.T) {
	m, _ := open(t, "one\ntwo\nthree\n", runner.Succeeded)
	press(t, m, "/")
	typed(t, m, "two")
	if said := press(t, m, "enter"); len(said) > 0 || m.find.at != 4 {
		t.Errorf("found at %d, said %v", m.find.at, said)
	}
}

func TestSearchGoesThroughTheMatches(t *testing.T) {
	m, _ := open(t, numbered(5000), runner.Succeeded)
	press(t, m, "home", "/")
	if !m.Editing() {
		t.Fatal("/ must take text")
	}
	typed(t, m, "LINE 4000")
	press(t, m, "enter")
	if m.find.at != 0 && m.find.at != -1 {
		t.Error("capitals are searched as typed")
	}
	press(t, m, "/")
	typed(t, m, "/^line 40.0$/")
	press(t, m, "enter")
	if got := text.Strip(m.View()); !strings.Contains(got, "line 4000") {
		t.Fatalf("first match is not seen: %s", got)
	}
	at := m.find.at
	press(t, m, "n", "n")
	if got := text.Strip(m.View()); !strings.Contains(got, "line 4020") || m.find.at <= at {
		t.Errorf("third match is not seen: %s", got)
	}
	press(t, m, "N", "N")
	if m.find.at != at {
		t.Error("N must come back")
	}
	press(t, m, "/", "enter")
	if m.find.at <= at {
		t.Error("an empty search goes on with the last")
	}
	press(t, m, "N")
	msgs := press(t, m, "N")
	if len(msgs) == 0 || m.find.at != at {
		t.Error("the end of a search must be said")
	}
}

func TestFilterShowsOnlyWhatMatches(t *testing.T) {
	m, _ := open(t, numbered(5000), runner.Succeeded)
	press(t, m, "&")
	typed(t, m, "999")
	press(t, m, "enter")
	for _, l := range m.lines {
		if !l.Match && !strings.Contains(l.Rows[0], "998") && !strings.Contains(l.Rows[0], "000") {
			t.Errorf("%q is shown", l.Rows[0])
		}
	}
	press(t, m, "&")
	m.prompt.input.SetValue("")
	press(t, m, "enter")
	if len(m.lines) != m.bodyHeight() {
		t.Error("an empty filter must show all again")
	}
}

func TestErrorsAreFound(t *testing.T) {
	log := numbered(500) + "Traceback (most recent call last):\n  File \"run.py\", line 3, in <module>\n    main()\nValueError: bad threshold\n" + numbered(500)
	m, _ := open(t, log, runner.Failed)
	deadline := time.Now().Add(5 * time.Second)
	for {
		if _, total, done := m.log.Errors(); done && total > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no error was found")
		}
		time.Sleep(time.Millisecond)
	}
	press(t, m, "home")
	msgs := press(t, m, "e")
	if len(msgs) != 1 || !strings.Contains(msgs[0].(nav.Toast).Text, "bad threshold") {
		t.Errorf("e says %v", msgs)
	}
	if !strings.Contains(text.Strip(m.View()), "ValueError") {
		t.Error("the error is not on the screen")
	}
}

func TestEveryLineFitsAndNothingHostileGetsThrough(t *testing.T) {
	log := "\x1b]0;title\a\x1b[2J" + strings.Repeat("wide ", 100) + "\n\x1b[31mred " + strings.Repeat("x", 300) + "\n\u202eevil\n" +
		strings.Repeat("12%\r", 50) + "100%\n\x00\xff\xfe\n--cytomine_private_key 0b3d9c8e-1f2a-4b5c-8d7e-9f0a1b2c3d4e\n"
	m, _ := open(t, strings.Repeat(log, 20), runner.Failed)
	for _, size := range [][2]int{{60, 15}, {80, 19}, {120, 35}, {200, 55}, {30, 3}} {
		m.SetSize(size[0], size[1])
		for _, keys := range []string{"home", "w", "T", "#", "x", "w", "right", "left", "end", "/"} {
			press(t, m, keys)
			view := m.View()
			lines := strings.Split(view, "\n")
			if len(lines) != size[1] {
				t.Errorf("%v after %s: %d lines", size, keys, len(lines))
			}
			for _, l := range lines {
				if w := text.Width(l); w > size[0] {
					t.Errorf("%v after %s: %d cells: %q", size, keys, w, l)
				}
			}
			plain := text.Strip(view)
			if strings.ContainsAny(plain, "\x1b\a\x00\r\u202e") || strings.Contains(plain, "4b5c-8d7e") || strings.Contains(plain, "title") {
				t.Errorf("%v after %s: %q", size, keys, plain)
			}
		}
		press(t, m, "esc")
	}
}

func TestSavingStrikesKeysAndNeverOverwrites(t *testing.T) {
	const key = "0b3d9c8e-1f2a-4b5c-8d7e-9f0a1b2c3d4e"
	m, _ := open(t, "private_key="+key+"\nend without newline", runner.Failed)
	path := filepath.Join(t.TempDir(), "saved.log")
	save := func() []tea.Msg {
		press(t, m, "s")
		m.prompt.input.SetValue(path)
		return press(t, m, "enter")
	}
	save()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte(key)) || !bytes.HasSuffix(got, []byte("end without newline")) {
		t.Errorf("saved %q", got)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", st.Mode())
	}
	if msgs := save(); len(msgs) != 1 || msgs[0].(nav.Toast).Tone != app.Bad || !m.Editing() {
		t.Errorf("a second save says %v", msgs)
	}
}

func TestALogThatIsNotThereYetComes(t *testing.T) {
	m, path := open(t, "", runner.Running)
	press(t, m, "home", "end", "up", "down", "n", "e", "x", "y", "'", "m")
	if !strings.Contains(m.View(), "empty so far") {
		t.Errorf("an empty log shows %q", m.View())
	}
	m.Close()()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	m.lines = nil
	drive(t, m, m.Init()())
	if !m.missing || !strings.Contains(m.View(), "not started") {
		t.Errorf("a missing log shows %q", m.View())
	}
	if err := os.WriteFile(path, []byte("here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.refreshOff()
	drive(t, m, nav.Tick{})
	if len(m.lines) != 1 || first(m) != "here" {
		t.Errorf("the log that came shows %q", m.View())
	}
}
