package tuitest

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

// Subject is what a driver drives: a nav.Screen, or a root in its clothes.
type Subject interface {
	Update(tea.Msg) tea.Cmd
	View() string
}

// Driver plays the program for one screen: it runs commands and gives their
// messages back, one at a time. Every message that was sent is kept, so that a
// test can see what the screen asks its root for.
type Driver struct {
	Sent []tea.Msg

	t        testing.TB
	subject  Subject
	messages chan tea.Msg
}

// Drive starts a screen at a size.
func Drive(t testing.TB, s nav.Screen, width, height int) *Driver {
	t.Helper()
	s.SetSize(width, height)
	d := DriveSubject(t, s)
	d.Do(s.Init())
	return d
}

// DriveSubject drives anything with Update and View.
func DriveSubject(t testing.TB, s Subject) *Driver {
	return &Driver{t: t, subject: s, messages: make(chan tea.Msg, 1024)}
}

// Do runs a command in the background, as the program does.
func (d *Driver) Do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				d.Do(c)
			}
		default:
			d.messages <- msg
		}
	}()
}

// Send gives the subject a message.
func (d *Driver) Send(msg tea.Msg) {
	d.Do(d.subject.Update(msg))
}

// Press presses keys, such as "enter" or "ctrl+k".
func (d *Driver) Press(keys ...string) {
	for _, k := range keys {
		d.Send(keymap.Press(k))
	}
}

// Type presses the key of each character.
func (d *Driver) Type(text string) {
	for _, r := range text {
		if r == ' ' {
			d.Press("space")
		} else {
			d.Press(string(r))
		}
	}
}

// Until delivers messages until ok says yes, which may also look at what other
// processes do.
func (d *Driver) Until(what string, ok func() bool) {
	d.t.Helper()
	deadline := time.After(10 * time.Second)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case msg := <-d.messages:
			d.Sent = append(d.Sent, msg)
			d.Send(msg)
		case <-deadline:
			d.t.Fatalf("not within 10 s: %s\nthe screen shows:\n%s", what, d.Text())
		}
	}
}

// UntilShows waits for text on the screen.
func (d *Driver) UntilShows(text string) {
	d.t.Helper()
	d.Until("the screen shows "+text, func() bool { return strings.Contains(d.Text(), text) })
}

// UntilSent waits for a message of a type and returns it.
func UntilSent[M any](d *Driver) M {
	d.t.Helper()
	var found M
	d.Until("a message "+reflect.TypeFor[M]().String(), func() bool {
		for i := len(d.Sent) - 1; i >= 0; i-- {
			if m, ok := d.Sent[i].(M); ok {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// Text is the screen without colours.
func (d *Driver) Text() string { return ansi.Strip(d.subject.View()) }

// Shows fails the test unless the screen shows each of the texts.
func (d *Driver) Shows(texts ...string) {
	d.t.Helper()
	for _, want := range texts {
		if !strings.Contains(d.Text(), want) {
			d.t.Errorf("%q is not shown:\n%s", want, d.Text())
		}
	}
}

// Hides fails the test if the screen shows one of the texts.
func (d *Driver) Hides(texts ...string) {
	d.t.Helper()
	for _, not := range texts {
		if strings.Contains(d.Text(), not) {
			d.t.Errorf("%q is shown:\n%s", not, d.Text())
		}
	}
}

// Fits fails the test if the view has more lines than height, a line wider than
// width, or a control character other than those of colours.
func (d *Driver) Fits(width, height int) {
	d.t.Helper()
	view := d.subject.View()
	lines := strings.Split(view, "\n")
	if len(lines) > height {
		d.t.Errorf("%d lines in a height of %d:\n%s", len(lines), height, d.Text())
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			d.t.Errorf("line %d is %d cells wide in a width of %d: %q", i, w, width, ansi.Strip(l))
		}
		for _, r := range withoutColours(l) {
			if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				d.t.Errorf("line %d holds %U: %q", i, r, l)
			}
		}
	}
}

// withoutColours takes away what styles add (CSI ... m) and nothing else.
func withoutColours(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.IndexFunc(after, func(r rune) bool { return r != ';' && r != ':' && (r < '0' || r > '9') })
		if end < 0 || after[end] != 'm' {
			b.WriteString("\x1b[")
			s = after
			continue
		}
		s = after[end+1:]
	}
}
