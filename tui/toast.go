package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// How long a message stays: errors take longer to read.
const (
	toastFor = 5 * time.Second
	errorFor = 15 * time.Second
)

// toast is the message above the footer; the line is a rule while there is
// none, so that nothing jumps.
type toast struct {
	nav.Toast
	gen nav.Gen
}

type toastOver struct{ gen nav.Gen }

func (r *root) say(t nav.Toast) tea.Cmd {
	gen := nav.NewGen()
	r.toast = toast{Toast: t, gen: gen}
	d := toastFor
	if t.Tone == app.Bad {
		d = errorFor
	}
	return tea.Tick(d, func(time.Time) tea.Msg { return toastOver{gen} })
}

func (r *root) endToast(m toastOver) {
	if r.toast.gen == m.gen {
		r.toast = toast{}
	}
}

func (r *root) message() string {
	if r.toast.Text == "" {
		return widget.Rule(r.width)
	}
	t := style.Now()
	s := text.Truncate(style.Sign(r.toast.Tone)+" "+text.Line(r.toast.Text), max(r.width-2, 1))
	if r.toast.Tone == app.Quiet {
		return " " + t.Plain.Render(s)
	}
	return " " + t.Tone(r.toast.Tone).Render(s)
}
