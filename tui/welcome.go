package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// welcome is the first start, without any server: the demo, or a login.
type welcome struct {
	ctx           context.Context
	env           *app.Env
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

func newWelcome(ctx context.Context, env *app.Env, send func(tea.Msg)) *welcome {
	return &welcome{ctx: ctx, env: env, send: send}
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
		keymap.When(w.busy == 0, welcomeDemo), keymap.When(w.busy == 0, welcomeLogin),
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
			return w.failed(msg.err)
		}
		return nav.Send(sessionOpened{msg.session})
	case demoAnyway:
		return w.demo(runner.Process)
	case trusted:
		return w.login(msg.fingerprint)
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
		case keymap.Is(msg, welcomeDemo):
			return w.demo(runner.Apptainer)
		case keymap.Is(msg, welcomeLogin):
			w.openLogin()
		}
	}
	return nil
}

// demoAnyway runs the demo without containers, trusted logs in to a server whose
// certificate the person knows.
type (
	demoAnyway struct{}
	trusted    struct{ fingerprint string }
)

// failed says what went wrong, or asks where a yes would mend it.
func (w *welcome) failed(err error) tea.Cmd {
	w.problem = err.Error()
	var cert *profile.CertificateError
	var missing *noApptainer
	switch {
	case errors.As(err, &missing):
		return nav.Send(nav.Confirm{
			Title: "open the demo without containers?",
			Text:  missing.Error() + "\n\nThe demo's programs can also run as plain processes of yours. Programs of other servers always need a container.",
			Yes:   "without containers", No: "not now",
			Do: nav.Send(demoAnyway{}),
		})
	case errors.As(err, &cert):
		return nav.Send(nav.Confirm{
			Title: "trust this certificate?",
			Text: fmt.Sprintf("%s shows a certificate that this box does not trust: %v\n\nsubject %s\nissuer %s\nvalid %s to %s\nsha256 %s\n\nCompare the fingerprint with the site's administrator first.",
				cert.Host, cert.Err, cert.Subject, cert.Issuer, cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), cert.Fingerprint),
			Yes: "trust it", No: "do not trust it",
			Do: nav.Send(trusted{cert.Fingerprint}),
		})
	}
	return nil
}

// noApptainer tells that containers cannot be run here yet.
type noApptainer struct{ error }

// demo sets the demo up. Without Apptainer it asks first.
func (w *welcome) demo(runtime runner.Runtime) tea.Cmd {
	gen := nav.NewGen()
	w.busy, w.doing, w.problem = gen, "starting the demo", ""
	env, ctx, send := w.env, w.ctx, w.send
	return func() tea.Msg {
		if runtime == runner.Apptainer {
			if _, err := apptainer.Find(); err != nil {
				return opened{gen, nil, &noApptainer{err}}
			}
		}
		s, err := env.Demo(ctx, func(line string) { send(doing{gen, line}) })
		if err != nil {
			return opened{gen, nil, err}
		}
		s.Runtime = runtime
		return opened{gen, s, nil}
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
		return w.login("")
	default:
		w.fields[w.focus].input.Type(k)
	}
	return nil
}

// login goes to the first field that is empty, or asks the server. trust is the
// fingerprint of a certificate that the person knows, or empty.
func (w *welcome) login(trust string) tea.Cmd {
	if !w.Editing() || w.busy != 0 {
		return nil
	}
	for i := range w.fields {
		if strings.TrimSpace(w.fields[i].input.Value()) == "" {
			w.to(i)
			return nil
		}
	}
	gen := nav.NewGen()
	w.busy, w.doing, w.problem = gen, "asking the server", ""
	value := func(i int) string { return strings.TrimSpace(w.fields[i].input.Value()) }
	p := profile.Profile{URL: value(0), Trust: trust}
	keys := client.Keys{Public: value(1), Private: value(2)}
	env, ctx := w.env, w.ctx
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, connectWithin)
		defer cancel()
		r, err := env.Login(ctx, p, keys)
		if err != nil {
			return opened{gen, nil, err}
		}
		s, err := env.Open(profile.Selection{Server: r.Profile.Name})
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
		choice(welcomeDemo, "opens the demo: a small server on this box with real images and algorithms. It needs nothing else.")
		choice(welcomeLogin, "logs in to your server with the two keys of your account there.")
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
