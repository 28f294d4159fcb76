package tui

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// Options say how the screens start.
type Options struct {
	// Session is the server to show, nil on a first start without any.
	Session *app.Session
	// Project is the one asked for on the command line, by name or id.
	Project string
	// Algorithm opens this algorithm's form at once.
	Algorithm string
	// Form opens this form at once, and has the last word.
	Form *nav.OpenForm
	// Message is a line to show on opening.
	Message string
}

// ErrNoTerminal tells that screens cannot be shown here.
var ErrNoTerminal = errors.New("no terminal for screens")

// Usable tells whether stdin and stdout are a terminal that can show screens.
// The error says what to use instead.
func Usable(kind string, in, out *os.File) error {
	const instead = "use the commands instead: 'cytorun algorithms', 'cytorun run NAME', 'cytorun help'"
	if kind == "dumb" || kind == "" {
		return fmt.Errorf("%w: TERM=%s cannot move a cursor; %s", ErrNoTerminal, kind, instead)
	}
	if !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return fmt.Errorf("%w: input or output is not a terminal; %s", ErrNoTerminal, instead)
	}
	return nil
}

// Run shows the screens until the user leaves. Leaving stops nothing: runs
// belong to their own processes.
func Run(ctx context.Context, env *app.Env, opts Options) error {
	if err := Usable(os.Getenv("TERM"), os.Stdin, os.Stdout); err != nil {
		return err
	}
	r := newRoot(ctx, env, opts)
	if w, h, err := term.GetSize(os.Stdout.Fd()); err == nil {
		// Known now, the first frame need not wait for the renderer to ask.
		r.width, r.height = w, h
		r.resize()
	}
	p := tea.NewProgram(r, tea.WithContext(ctx))
	r.stop = func() { go p.Quit() }
	r.send = func(msg tea.Msg) { go p.Send(msg) }
	_, err := p.Run()
	r.closeAll(closeWithin)
	if r.session != nil && r.session.Connected() {
		r.session.NoteSeen()
	}
	if r.crash != nil {
		return r.crash.save(env.Paths.State, env.Version)
	}
	if errors.Is(err, tea.ErrInterrupted) || errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot show the screens: %w", err)
	}
	return nil
}
