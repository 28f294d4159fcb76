package algorithms

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// about tells all there is to know of the algorithm under the cursor before its
// form.
func (m *Screen) about(width int) []string {
	r, ok := m.current()
	if !ok {
		return nil
	}
	f := widget.Facts{Width: width}
	f.Title(r.FullName())
	if r.Typical > 0 {
		f.Add("usually", "takes "+text.Duration(r.Typical)+" on this box")
	}
	if r.Package != "" {
		f.Add("package", r.Package)
	}
	switch {
	case r.Missing != "":
		f.AddStyled("not here", r.Missing, style.Now().Warn)
	case r.Container == "" && r.Package != "":
		f.Add("container", "none in its descriptor; name one there, or run it with --container")
	case r.Container == "":
		f.Add("container", "none on the server; it cannot be run before it has one")
	case r.Here:
		f.Add("container", r.Container+", on this box, "+text.Bytes(r.Size))
	default:
		f.Add("container", r.Container+", fetched at the first run")
	}
	params := app.UserParameters(r.Algorithm)
	if r.Missing == "" && !namesImages(params) {
		f.Add("images", "takes all images of the project")
	}
	if r.Last != nil && r.Last.State().Tone == app.Bad {
		f.AddStyled("last", r.Last.Title()+" "+r.Last.State().Word+": "+r.Last.Reason(), style.Now().Bad)
	}
	if d := text.HTML(r.Description); d != "" {
		f.Line("")
		f.Text(d)
	}
	if len(params) > 0 {
		f.Head(fmt.Sprintf("%d parameters", len(params)))
		for _, p := range params {
			f.Line(parameter(p, width))
		}
	}
	return f.Lines
}

// parameter is one parameter in a line: required or not, what it takes.
func parameter(p descriptor.Parameter, width int) string {
	t := style.Now()
	sign := " "
	if !p.Optional && p.Default == nil {
		sign = "*"
	}
	kind := strings.ToLower(string(p.Type))
	switch {
	case len(p.Choices) > 0:
		kind = strings.Join(p.Choices, " | ")
	case p.Type == descriptor.Number && p.Integer:
		kind = "whole number"
	case p.Type == descriptor.Domain:
		kind = "one of the server's"
	case p.Type == descriptor.ListDomain:
		kind = "some of the server's"
	}
	if p.Minimum != nil || p.Maximum != nil {
		kind += " " + orNone(p.Minimum) + ".." + orNone(p.Maximum)
	}
	if p.Default != nil && *p.Default != "" {
		kind += ", default " + *p.Default
	} else if sign == "*" {
		kind += ", required"
	}
	label := text.Pad(text.Line(p.Label()), min(24, width/2))
	return t.Accent.Render(sign) + " " + label + " " + t.Faint.Render(text.Truncate(text.Line(kind), max(width-text.Width(label)-3, 1)))
}

func orNone(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// namesImages tells whether a parameter lets the user choose images. Where none
// does, programs take every image of the project.
func namesImages(params []descriptor.Parameter) bool {
	for _, p := range params {
		if p.Type == descriptor.Image || strings.Contains(strings.ToLower(p.URI), "image") {
			return true
		}
	}
	return false
}
