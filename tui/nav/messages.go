package nav

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
)

// Push puts a screen on the present stack.
type Push struct{ Screen Screen }

// Pop takes a screen off its stack.
type Pop struct{ Screen Screen }

// Switch shows another tab.
type Switch struct{ To Tab }

// OpenForm opens the form of an algorithm, filled with values that carry their
// origin, or with the defaults alone.
type OpenForm struct {
	Algorithm client.Algorithm
	Values    []client.Value
	Resources *runner.Resources // of the analysis they are of; nil: unknown
	Develop   *runner.Develop   // what it had of a person's own; nil: nothing
	Container string            // to run in place of the algorithm's; empty: that one
	Cache     []string          // what it kept of its container for later runs
}

// OpenLog opens the log of an analysis.
type OpenLog struct{ Analysis app.Analysis }

// OpenCompare compares analyses, the first being the baseline.
type OpenCompare struct{ Analyses []app.Analysis }

// OpenResults shows what analyses wrote.
type OpenResults struct{ Analyses []app.Analysis }

// OpenAnalyses shows the analyses that a filter selects.
type OpenAnalyses struct{ Filter string }

// Launched tells that runs were started: the new analyses are shown. From is
// the form that did, which is done, nil where there was none.
type Launched struct {
	Runs []runner.Run
	From Screen
}

// Connected brings a session to every screen: at the first connection, at
// another project, at another server. Lists load again.
type Connected struct{ Session *app.Session }

// Reconnect asks the root to try the server again.
type Reconnect struct{}

// ChooseServer opens the list of servers that the person is logged in to.
type ChooseServer struct{}

// ChooseProject opens the list of projects.
type ChooseProject struct{}

// Link reports how the last request to the server went; nil is well.
type Link struct{ Err error }

// Toast is one line above the footer for a few seconds. Text is made safe by
// the root.
type Toast struct {
	Text string
	Tone app.Tone
}

// Confirm asks before something that cannot be undone. Do runs on yes.
type Confirm struct {
	Title string // "cancel Nuclei #12?"
	Text  string // what is lost: "it has run for 3h12m"
	Yes   string // the verb: "cancel it"
	No    string // the way out: "let it run"
	Do    tea.Cmd
}

// Copy puts text on the clipboard of the user's own terminal (OSC 52) and says
// so, as "copied the command".
type Copy struct{ Text, What string }

// Say shows a toast.
func Say(text string) tea.Cmd { return Send(Toast{Text: text, Tone: app.Quiet}) }

// Fail shows an error as a toast.
func Fail(err error) tea.Cmd {
	return Send(Toast{Text: err.Error(), Tone: app.Bad})
}
