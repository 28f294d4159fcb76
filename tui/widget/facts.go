package widget

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
)

// Facts collects the lines of a detail: labels with values, headings and text.
// What it is given is untrusted.
type Facts struct {
	Width int
	Lines []string
}

// labelWidth is the column of the labels.
const labelWidth = 11

// Add says one fact, if there is something to say.
func (f *Facts) Add(label, value string) { f.AddStyled(label, value, style.Now().Plain) }

// AddStyled is Add with a style for the value.
func (f *Facts) AddStyled(label, value string, s lipgloss.Style) {
	if value == "" {
		return
	}
	name := style.Now().Faint.Render(text.Pad(label, labelWidth))
	for _, l := range text.Wrap(text.Line(value), max(f.Width-labelWidth, 8)) {
		f.Lines = append(f.Lines, name+s.Render(l))
		name = strings.Repeat(" ", labelWidth)
	}
}

// Title starts the detail with a name.
func (f *Facts) Title(s string) {
	f.Lines = append(f.Lines, style.Now().Bold.Render(text.Truncate(text.Line(s), f.Width)))
}

// Head starts a part.
func (f *Facts) Head(s string) {
	f.Lines = append(f.Lines, "", style.Now().Head.Render(text.Truncate(text.Line(s), f.Width)))
}

// Text adds wrapped text of several lines.
func (f *Facts) Text(s string) {
	f.Lines = append(f.Lines, text.Wrap(text.Block(s), max(f.Width, 8))...)
}

// Line adds a line that is safe and fits already.
func (f *Facts) Line(s string) { f.Lines = append(f.Lines, s) }
