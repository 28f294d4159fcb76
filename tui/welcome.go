package tui

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// welcome is the first start, without any server: the demo, or a login.
type welcome struct {
	ctx           context.Context
	opts          Options
	send          func(tea.Msg)
	width, height int

	fields  []field // of the login, empty until it is opened
	focus   int
	busy    nav.Gen // what is being waited for, 0 for nothing
	doing   string
	problem string
}

// field is one line of the login.
type field struct {
	label, help string
	input       widget.Input
}

var (
	welcomeDemo  = keymap.Bind("d", "open the demo", "d")
	welcomeLogin = keymap.Bind("l", "log in to a server", "l")
	loginNext    = keymap.Bind("tab", "next field", "tab", "down")
	loginPrev    = keymap.Bind("shift+tab", "previous", "shift+tab", "up")
	loginDo      = keymap.Bind("enter", "log in", "enter")
)

func newWelcome(ctx context.Context, opts Options, send func(tea.Msg)) *welcome {
	return &welcome{ctx: ctx, opts: opts, send: send}
}

// opened answers a demo or a login.
type opened struct {
	gen     nav.Gen
	session *app.Session
	err     error
}

// doing is what a demo says on its way.
type doing struct {
	gen  nav.Gen
	text string
}

func (w *welcome) Init() tea.Cmd { return nil }

func (w *welcome) SetSize(width, height int) { w.width, w.height = width, height }

func (w *welcome) Title() string { return "welcome" }

func (w *welcome) Editing() bool { return len(w.fields) > 0 }

func (w *welcome) Help() []key.Binding {
	if w.Editing() {
		return []key.Binding{loginDo, loginNext, loginPrev, keymap.Cancel}
	}
	return []key.Binding{
		keymap.When(w.opts.Demo != nil && w.busy == 0, welcomeDemo),
		keymap.When(w.opts.Login != nil && w.busy == 0, welcomeLogin),
	}
}

func (w *welcome) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case doing:
		if msg.gen == w.busy {
			w.doing = msg.text
		}
	case opened:
		if msg.gen != w.busy {
			return nil
		}
		w.busy = 0
		if msg.err != nil {
			w.problem = msg.err.Error()
			return nil
		}
		return nav.Send(sessionOpened{msg.session})
	case nav.ThemeChanged:
		for i := range w.fields {
			w.fields[i].input.Restyle()
		}
	case tea.PasteMsg:
		if w.Editing() {
			w.fields[w.focus].input.Type(tea.PasteMsg{Content: strings.TrimSpace(text.Line(msg.Content))})
		}
	case tea.KeyPressMsg:
		if w.Editing() {
			return w.edit(msg)
		}
		switch {
		case w.busy != 0:
		case keymap.Is(msg, welcomeDemo) && w.opts.Demo != nil:
			return w.demo()
		case keymap.Is(msg, welcomeLogin) && w.opts.Login != nil:
			w.openLogin()
		}
	}
	return nil
}

func (w *welcome) demo() tea.Cmd {
	gen := nav.NewGen()
	w.busy, w.doing, w.problem = gen, "starting the demo", ""
	open, ctx, send := w.opts.Demo, w.ctx, w.send
	return func() tea.Msg {
		s, err := open(ctx, func(line string) { send(doing{gen, line}) })
		return opened{gen, s, err}
	}
}

func (w *welcome) openLogin() {
	w.problem = ""
	w.fields = []field{
		{label: "server", help: "its address, as in the browser", input: widget.NewInput("https://cytomine.example.org")},
		{label: "public key", help: "from your account page on the server", input: widget.NewInput("")},
		{label: "private key", help: "stays on this box, in a file only you can read", input: widget.NewInput("")},
	}
	w.fields[2].input.EchoMode = textinput.EchoPassword
	w.fields[2].input.EchoCharacter = '•'
	w.to(0)
}

func (w *welcome) to(i int) {
	w.fields[w.focus].input.Blur()
	w.focus = (i + len(w.fields)) % len(w.fields)
	w.fields[w.focus].input.Focus()
}

func (w *welcome) edit(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case k.String() == "esc":
		w.fields, w.focus, w.problem, w.busy = nil, 0, "", 0
	case keymap.Is(k, loginNext):
		w.to(w.focus + 1)
	case keymap.Is(k, loginPrev):
		w.to(w.focus - 1)
	case keymap.Is(k, loginDo):
		return w.login()
	default:
		w.fields[w.focus].input.Type(k)
	}
	return nil
}

// login goes to the first field that is empty, or asks the server.
func (w *welcome) login() tea.Cmd {
	for i := range w.fields {
		if strings.TrimSpace(w.fields[i].input.Value()) == "" {
			w.to(i)
			return nil
		}
	}
	if w.busy != 0 {
		return nil
	}
	gen := nav.NewGen()
	w.busy, w.doing, w.problem = gen, "asking the server", ""
	value := func(i int) string { return strings.TrimSpace(w.fields[i].input.Value()) }
	l := Login{Host: value(0), PublicKey: value(1), PrivateKey: value(2)}
	login, ctx := w.opts.Login, w.ctx
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, connectWithin)
		defer cancel()
		s, err := login(ctx, l)
		return opened{gen, s, err}
	}
}

func (w *welcome) View() string {
	t := style.Now()
	var lines []string
	add := func(s ...string) { lines = append(lines, s...) }
	add("", "  "+t.Bold.Render("Run image analysis algorithms of Cytomine on this box."), "")
	if w.Editing() {
		w.viewLogin(add)
	} else {
		choice := func(b key.Binding, does string) {
			for i, l := range widget.Paragraph(does, w.width-10, 0) {
				k := "   "
				if i == 0 {
					k = t.Key.Render(b.Help().Key) + "  "
				}
				add("  " + k + l)
			}
			add("")
		}
		if w.opts.Demo != nil {
			choice(welcomeDemo, "opens the demo: a small server on this box with real images and algorithms. It needs nothing else.")
		}
		if w.opts.Login != nil {
			choice(welcomeLogin, "logs in to your server with the two keys of your account there.")
		}
	}
	if w.busy != 0 {
		add("", "  "+t.Busy.Render("● "+text.Truncate(text.Line(w.doing), w.width-6)))
	}
	if w.problem != "" {
		add("")
		for i, l := range widget.Paragraph(w.problem, w.width-6, 0) {
			sign := "  "
			if i == 0 {
				sign = "✗ "
			}
			add("  " + t.Bad.Render(sign+l))
		}
	}
	return widget.Fit(strings.Join(lines, "\n"), w.width, w.height)
}

func (w *welcome) viewLogin(add func(...string)) {
	t := style.Now()
	for i := range w.fields {
		f := &w.fields[i]
		marker, label := "  ", t.Faint.Render(text.Pad(f.label, 13))
		if i == w.focus {
			marker, label = t.Accent.Render("▌ "), t.Bold.Render(text.Pad(f.label, 13))
		}
		f.input.SetWidth(max(w.width-18, 8))
		add(marker+label+" "+f.input.View(), "  "+strings.Repeat(" ", 14)+t.Faint.Render(f.help), "")
	}
}
