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

// leaveToast drops a message that is about the screen being left. What ended,
// succeeded or failed stays: it is about an analysis.
func (r *root) leaveToast() {
	if r.toast.Tone == app.Quiet || r.toast.Tone == app.Warn {
		r.toast = toast{}
	}
}

// message is the line above the footer. A message that is too long for it takes
// more lines, off the foot of the screen, because its end says what to do.
func (r *root) message() []string {
	if r.toast.Text == "" {
		return []string{widget.Rule(r.width)}
	}
	t := style.Now()
	role := t.Tone(r.toast.Tone)
	if r.toast.Tone == app.Quiet {
		role = t.Plain
	}
	lines := text.Wrap(text.Line(r.toast.Text), max(r.width-4, 1))
	if most := max(min(4, r.bodyHeight()/2), 1); len(lines) > most {
		lines[most-1] = text.Truncate(lines[most-1]+" "+lines[most], max(r.width-4, 1))
		lines = lines[:most]
	}
	for i, l := range lines {
		sign := " "
		if i == 0 {
			sign = style.Sign(r.toast.Tone)
		}
		lines[i] = " " + role.Render(sign+" "+l)
	}
	return lines
}
