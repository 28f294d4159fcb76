package tui

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// field is one line of the login.
type field struct {
	label, help string
	input       widget.Input
}

func (w *welcome) openLogin() {
	w.problem = ""
	w.fields = []field{
		{label: "server", help: "its address, as in the browser", input: widget.NewInput("https://cytomine.example.org")},
		{label: "public key", help: "from your account page there; on EXACT your user name", input: widget.NewInput("")},
		{label: "private key", help: "stays on this box; on EXACT your password or a token", input: widget.NewInput("")},
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
			w.problem = "the " + w.fields[i].label + " is missing"
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
		kind, err := env.Detect(ctx, p)
		if err != nil {
			return opened{gen, nil, err}
		}
		p.Kind = kind
		r, err := env.Login(ctx, p, keys)
		if err != nil {
			return opened{gen, nil, err}
		}
		s, err := env.Open(profile.Selection{Server: r.Profile.Name})
		return opened{gen, s, err}
	}
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
