package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/compareview"
	"github.com/cytorun/cytorun/tui/logview"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/widget"
)

// The screens that others ask for by message. Each is built here and nowhere
// else.

func newForm(s *app.Session, a client.Algorithm, prefill []client.Value) nav.Screen {
	return paramform.New(s, a, prefill)
}

func newLog(s *app.Session, a app.Analysis) nav.Screen { return logview.New(s, a) }

func newCompare(s *app.Session, analyses []app.Analysis) nav.Screen {
	return compareview.New(s, analyses)
}

// plain is a screen of one text.
type plain struct {
	title, text   string
	width, height int
}

func (p *plain) Init() tea.Cmd             { return nil }
func (p *plain) Update(tea.Msg) tea.Cmd    { return nil }
func (p *plain) SetSize(width, height int) { p.width, p.height = width, height }
func (p *plain) Help() []key.Binding       { return nil }
func (p *plain) Title() string             { return p.title }
func (p *plain) Editing() bool             { return false }
func (p *plain) View() string {
	lines := widget.Paragraph(p.text, p.width-2, 2)
	out := "\n"
	for _, l := range lines {
		out += l + "\n"
	}
	return widget.Fit(out, p.width, p.height)
}
