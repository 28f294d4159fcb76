package paramform

import (
	"fmt"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// whatToAsk is what a person should say yes to although nothing is wrong: many
// runs, and the whole project where the algorithm lets nobody choose images.
// The checks of runs say more of it.
func whatToAsk(s *app.Session, all []app.LaunchRequest, v several) (question string, checks []app.Check) {
	if app.TakesWholeProject(all[0].Algorithm) {
		question = fmt.Sprintf("Launch on all %s of the project?", text.Plural(s.Project.Images, "image"))
	}
	if len(all) == 1 {
		return question, nil
	}
	question = "Launch " + text.Plural(len(all), "run")
	c := app.Check{Name: "time", OK: true}
	e, err := s.Estimate(all)
	if err != nil {
		c.Warn, c.Text = true, err.Error()
	} else {
		c.Text = e.String()
		if e.Time > 0 {
			question += ", about " + text.Duration(e.Time) + " of computing"
		}
	}
	return question + "?", []app.Check{runsCheck(all, v), c}
}

// marksCheck tells of marks in a list that were not taken: somebody may believe
// that they are.
func (m *Screen) marksCheck() []app.Check {
	var checks []app.Check
	for _, s := range m.spots {
		if left := m.leftMarks(s); left != nil {
			checks = append(checks, app.Check{Name: "marks", OK: true, Warn: true,
				Text: fmt.Sprintf("%s of %s not taken", counted(left.pane.Changes(), "mark"), m.field(s).Parameter.Label()),
				Next: "go back and open the list with enter to take them"})
		}
	}
	return checks
}

// verdict is the question below the checks, without the keys that answer it.
func (m *Screen) verdict() string {
	switch {
	case m.blocked():
		return "This will fail."
	case m.warned():
		return "Launch all the same?"
	case m.question != "":
		return m.question
	}
	return "Launch?"
}

// warned tells that something is wrong, though not with certainty. That no
// container is used was decided before, and the whole project is a question of
// its own.
func (m *Screen) warned() bool {
	for _, c := range m.checks {
		if c.Warn && c.Name != "runtime" && c.Name != "images" {
			return true
		}
	}
	return false
}
