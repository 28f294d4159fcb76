package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
)

func ptr(s string) *string { return &s }

func parameters() []descriptor.Parameter {
	return []descriptor.Parameter{
		{ID: "images", Name: "Images", Type: descriptor.ListDomain, URI: "/api/x.json", Description: "<p>What to <b>look</b> at.</p>"},
		{ID: "term", Name: "Term", Type: descriptor.Domain, URI: "/api/x.json"},
		{ID: "sigma", Name: "Smoothing\x1b[2J", Type: descriptor.Number, Default: ptr("1.5"), Minimum: ptr("0"), Maximum: ptr("10"), LimitsFrom: "descriptor x.json"},
		{ID: "dark", Type: descriptor.Boolean},
		{ID: "method", Type: descriptor.String, Optional: true, Default: ptr("otsu"), Choices: []string{"otsu", "manual"}},
		{ID: "note", Type: descriptor.String, Optional: true},
	}
}

// many is a server with options: img 1 to img 500, and the names given.
func many(names ...string) func(context.Context, descriptor.Parameter, string, int) ([]Option, int, error) {
	var all []Option
	for i := range 500 {
		all = append(all, Option{fmt.Sprint(1000 + i), fmt.Sprintf("img %d.png", i+1)})
	}
	for i, n := range names {
		all = append(all, Option{fmt.Sprint(5000 + i), n})
	}
	return func(_ context.Context, _ descriptor.Parameter, part string, limit int) ([]Option, int, error) {
		if part == "@cohort-a" {
			return all[:3], 3, nil
		}
		if strings.HasPrefix(part, "@") {
			return nil, 0, errors.New("no selection " + part)
		}
		var fit []Option
		count := 0
		for _, o := range all {
			if strings.Contains(o.Name, part) || o.ID == part {
				if count++; limit < 0 || count <= limit {
					fit = append(fit, o)
				}
			}
		}
		return fit, count, nil
	}
}

// terminal runs Ask in a real terminal and answers what it asks.
type terminal struct {
	t      *testing.T
	tty    io.ReadWriteCloser
	mu     sync.Mutex
	wrote  bytes.Buffer
	seen   int
	done   chan struct{}
	launch bool
	err    error
}

func ask(t *testing.T, ctx context.Context, form *forms.Form, o Options) *terminal {
	t.Helper()
	control, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	term := &terminal{t: t, tty: control, done: make(chan struct{})}
	t.Cleanup(func() { control.Close(); tty.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := control.Read(buf)
			term.mu.Lock()
			term.wrote.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(term.done)
		o.In, o.Out = tty, tty
		term.launch, term.err = Ask(ctx, form, o)
	}()
	return term
}

// until waits for a text after what was seen last.
func (s *terminal) until(want string) {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		s.mu.Lock()
		text := strings.ReplaceAll(s.wrote.String(), "\r\n", "\n")
		s.mu.Unlock()
		if i := strings.Index(text[s.seen:], want); i >= 0 {
			s.seen += i + len(want)
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%q does not come; there is\n%s", want, text[s.seen:])
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *terminal) answer(question, answer string) {
	s.t.Helper()
	s.until(question)
	if _, err := io.WriteString(s.tty, answer+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *terminal) finish() (bool, error) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.t.Fatalf("it does not end; there is\n%s", s.wrote.String())
	}
	return s.launch, s.err
}

func TestAFormIsAskedLineByLine(t *testing.T) {
	form := forms.New(parameters(), nil)
	s := ask(t, t.Context(), form, Options{Find: many(), Preview: func() string { return "This runs:\nprogram --sigma " + form.Field("sigma").Text }})
	s.until("6 parameters: 2 required, 3 pre-filled, 1 optional.")
	s.until("1 of 6: Images, required\nWhat to look at.\noptions by id or name")
	s.until("500 options.")
	s.answer("images [0 chosen]:", "")
	s.until("Not possible: is required.")
	s.answer("images [0 chosen]:", "img 12")
	s.until("11 options fit:\n1. img 12.png (1011)\n2. img 120.png (1119)")
	s.answer("images [0 chosen]:", "1,3-4")
	s.answer("images [3 chosen]:", "img 499")
	s.until("1 option fits:\n1. img 499.png (1498)")
	s.answer("images [3 chosen]:", "1")
	s.answer("images [4 chosen]:", "nothing like it")
	s.until(`Nothing fits "nothing like it".`)
	s.answer("images [4 chosen]:", "@nosuch")
	s.until("Not possible: no selection @nosuch.")
	s.answer("images [4 chosen]:", "@cohort-a")
	s.answer("images [7 chosen]:", "img")
	s.until("500 options fit; these are the first 15:")
	s.answer("images [7 chosen]:", "")
	s.until("2 of 6: Term, required")
	s.answer("term:", "img 7")
	s.until("11 options fit:\n1. img 7.png (1006)")
	s.answer("term:", "1,2")
	s.until("Not possible: choose one.")
	s.answer("term:", "1")
	s.until("3 of 6: Smoothing␛[2J, pre-filled\nnumber; from 0 to 10; required; default 1.5; limits from descriptor x.json\n")
	s.answer("sigma [1.5]:", "abc")
	s.until(`Not possible: "abc" is not a number.`)
	s.answer("sigma [1.5]:", "11")
	s.until("Not possible: must be at most 10; got 11.")
	s.answer("sigma [1.5]:", `""`)
	s.until("Not possible: is required.")
	s.answer("sigma", "2.50")
	s.answer("dark [false]:", "yes")
	s.until("5 of 6: method, pre-filled")
	s.until("1. otsu\n2. manual\n")
	s.answer("method [otsu]:", "3")
	s.until(`Not possible: must be one of otsu, manual; got "3".`)
	s.answer("method [otsu]:", "2")
	s.answer("note:", "")
	s.until("This runs:\nprogram --sigma 2.5\n")
	s.answer("Launch it? [y/N]", "y")
	launch, err := s.finish()
	if !launch || err != nil {
		t.Fatalf("%v, %v", launch, err)
	}
	var got []string
	for _, v := range form.Values() {
		got = append(got, v.Parameter+"="+v.Text)
	}
	want := "images=1011,1120,1121,1498,1000,1001,1002 term=1006 sigma=2.5 dark=true method=manual"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("the form holds %s, want %s", s, want)
	}
	if labels := form.Field("term").Labels; len(labels) != 1 || labels[0] != "img 7.png" {
		t.Errorf("the name is %q", labels)
	}
	if bytes.Contains(s.wrote.Bytes(), []byte{0x1b}) {
		t.Error("an escape sequence reached the terminal")
	}
	if n := bytes.Count(s.wrote.Bytes(), []byte("img ")); n > 60 {
		t.Errorf("%d options were printed", n)
	}
}

func TestEnterKeepsWhatIsThere(t *testing.T) {
	form := forms.New(parameters(), []client.Value{
		{Parameter: "images", Text: "1000,1001", Origin: client.FromPreset}, {Parameter: "term", Text: "1002", Origin: client.FromPreset, Labels: []string{"img 3.png"}}, {Parameter: "note", Text: "x", Origin: client.FromPreset},
	})
	s := ask(t, t.Context(), form, Options{Find: many()})
	for _, q := range []string{"images [2 chosen]:", "term [img 3.png]:", "sigma [1.5]:", "dark [false]:", "method [otsu]:"} {
		s.answer(q, "")
	}
	s.answer("note [x]:", `""`)
	s.answer("Launch it? [y/N]", "")
	if launch, err := s.finish(); launch || err != nil {
		t.Errorf("no answer is no: %v, %v", launch, err)
	}
	if f := form.Field("images"); f.Text != "1000,1001" || f.Origin != client.FromPreset {
		t.Errorf("%+v", f)
	}
	if f := form.Field("note"); f.Text != "" {
		t.Errorf("%+v", f)
	}
}

func TestOptionsThatCannotBeReadAreTyped(t *testing.T) {
	form := forms.New(parameters()[1:2], nil)
	s := ask(t, t.Context(), form, Options{Find: func(context.Context, descriptor.Parameter, string, int) ([]Option, int, error) {
		return nil, 0, errors.New("the server has no such list")
	}})
	s.until("its options cannot be read: the server has no such list\nType ids.")
	s.answer("term:", "77")
	s.answer("Launch it?", "yes")
	if launch, err := s.finish(); !launch || err != nil || form.Field("term").Text != "77" {
		t.Errorf("%v, %v, %q", launch, err, form.Field("term").Text)
	}
}

func TestManyChoicesAreAskedForByAPart(t *testing.T) {
	p := descriptor.Parameter{ID: "model", Type: descriptor.String}
	for i := range 40 {
		p.Choices = append(p.Choices, fmt.Sprintf("model-%d", i))
	}
	form := forms.New([]descriptor.Parameter{p}, nil)
	s := ask(t, t.Context(), form, Options{})
	s.until("40 choices; type part of one")
	s.answer("model:", "model-3")
	s.answer("Launch it?", "n")
	if _, err := s.finish(); err != nil || form.Field("model").Text != "model-3" {
		t.Errorf("%v, %q", err, form.Field("model").Text)
	}
	form = forms.New([]descriptor.Parameter{p}, nil)
	s = ask(t, t.Context(), form, Options{})
	s.answer("model:", "-3")
	s.until("11 fit:\n1. model-3\n2. model-30\n")
	s.answer("model:", "2")
	s.answer("Launch it?", "n")
	if _, err := s.finish(); err != nil || form.Field("model").Text != "model-30" {
		t.Errorf("%v, %q", err, form.Field("model").Text)
	}
}

func TestAnswersMayComeFromAPipe(t *testing.T) {
	for name, tt := range map[string]struct {
		input string
		want  error
	}{
		"all of them":       {"img 3.png\n1\n\nimg 4.png\n1\n2\ny\nmanual\nx\ny\n", nil},
		"the last line cut": {"img 3.png\n1\n\nimg 4.png\n1\n2\ny\nmanual\nx\ny", nil},
		"too few":           {"img 3.png\n1\n\nimg 4.png\n1\n99\n", ErrEnded},
		"none":              {"", ErrEnded},
		"one far too long":  {strings.Repeat("x", 200_000) + "\n", ErrEnded},
	} {
		t.Run(name, func(t *testing.T) {
			form := forms.New(parameters(), nil)
			launch, err := Ask(t.Context(), form, Options{In: strings.NewReader(tt.input), Out: io.Discard, Find: many()})
			if !errors.Is(err, tt.want) || launch != (tt.want == nil) {
				t.Fatalf("%v, %v", launch, err)
			}
			if tt.want == nil && (form.Field("sigma").Text != "2" || form.Field("note").Text != "x") {
				t.Errorf("the form holds %v", form.Values())
			}
		})
	}
}

func TestAnInterruptEndsTheQuestions(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := ask(t, ctx, forms.New(parameters(), nil), Options{Find: many()})
	s.until("images [0 chosen]:")
	cancel()
	if launch, err := s.finish(); launch || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", launch, err)
	}
}
