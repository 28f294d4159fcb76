package app

import (
	"context"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/notify"
)

// notifyHelp says how a person is told when their analyses end.
const notifyHelp = "set command, mail, webhook or bell under [notify] in config.toml"

// TryNotify tells the person in every way that is set, as the end of a run
// would, and says how each went.
func (e *Env) TryNotify(ctx context.Context) []Check {
	config, err := notify.Load(e.Paths)
	var checks []Check
	if err != nil {
		checks = append(checks, Check{Name: "notify", Text: err.Error(), Next: notifyHelp})
	}
	if config.Empty() {
		if err == nil {
			checks = append(checks, Check{Name: "notify", OK: true, Warn: true, Text: "nobody is told when an analysis ends", Next: notifyHelp})
		}
		return checks
	}
	told := config.Send(ctx, notify.Message{
		Run: "test", Title: "a test of cytorun", State: string(runner.Succeeded), Reason: "this is how the end of an analysis is told",
		Host: e.Host, Ended: e.Now().UTC(), Test: true,
	})
	for _, o := range told {
		c := Check{Name: "notify", OK: o.Err == nil, Text: o.Way + ": told"}
		if o.Err != nil {
			c.Text, c.Next = o.Way+": "+text.Line(o.Err.Error()), "mend it under [notify] in config.toml, then 'cytorun doctor --notify' again"
		}
		checks = append(checks, c)
	}
	return checks
}
