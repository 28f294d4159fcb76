package tui

import (
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/compareview"
	"github.com/cytorun/cytorun/tui/logview"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/resultview"
)

// The screens that others ask for by message. Each is built here and nowhere
// else.

func newForm(s *app.Session, f nav.OpenForm) nav.Screen {
	return paramform.Again(s, f)
}

func newLog(s *app.Session, a app.Analysis) nav.Screen { return logview.New(s, a) }

func newCompare(s *app.Session, analyses []app.Analysis) nav.Screen {
	return compareview.New(s, analyses)
}

func newResults(s *app.Session, analyses []app.Analysis) nav.Screen {
	return resultview.New(s, analyses)
}
