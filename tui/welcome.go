package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
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
	w.problem = problemOf(err)
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

// problemOf says why a login or a demo failed. Whoever is typing keys needs
// neither the request that they were tried with nor the command for a login. A
// page in place of an answer may be the wrong address, so that error stays.
func problemOf(err error) string {
	var answer *client.HTTPError
	if errors.Is(err, client.ErrUnauthorised) && errors.As(err, &answer) && answer.Status >= 300 {
		return "the server does not accept these keys: check both (public key, private key; on EXACT user name, password)"
	}
	return err.Error()
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

func (w *welcome) View() string {
	t := style.Now()
	var lines []string
	add := func(s ...string) { lines = append(lines, s...) }
	add("", "  "+t.Bold.Render("Run image analysis algorithms of Cytomine and EXACT on this box."), "")
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
		choice(welcomeLogin, "logs in to your server, Cytomine or EXACT, with your account there.")
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
