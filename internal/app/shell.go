package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/shell"
)

// ShellOf prepares a shell in the place of an analysis: with its container, its
// binds and variables, its values, and its HOME where its work folder is still
// there. It gets a job of its own: what somebody does by hand must not change the
// results of an analysis that is over, nor the state of one that runs.
func (s *Session) ShellOf(ctx context.Context, a Analysis) (Rerun, error) {
	plan, err := s.Rerun(ctx, a, "", "")
	if err != nil {
		return plan, err
	}
	d := runner.Develop{}
	if plan.Request.Develop != nil {
		d = *plan.Request.Develop
	}
	d.Shell, d.Keep = true, false
	if a.Run != nil {
		plan.Request.From, plan.Request.Note = "", "a shell of "+a.Run.ID
		if a.Run.Runtime != runner.Process {
			d.Home = s.homeOf(*a.Run)
			if d.Home == "" {
				plan.note("the work folder of %s is gone; HOME is an empty one", a.Run.ID)
			}
		}
	}
	plan.Request.Develop = &d
	return plan, nil
}

// homeOf is the HOME that a run left, empty where there is none.
func (s *Session) homeOf(run runner.Run) string {
	if run.ForeignHost {
		return ""
	}
	if d := run.Develop; d.ByHand() && d.Home != "" {
		if isDir(d.Home) {
			return d.Home
		}
		return ""
	}
	for _, work := range s.Env.Store.WorkFolders(run.ID, s.Env.Paths.Work) {
		if home := filepath.Join(work, "home"); isDir(home) {
			return home
		}
	}
	return ""
}

// NoShellError tells that a run ended before its shell was opened.
type NoShellError struct {
	State runner.State
	Why   string
}

func (e *NoShellError) Error() string { return "no shell: " + e.Why }

// OpenShell waits until the shell of a run that was just launched can be opened.
// seen is told what it waits for. When ctx ends the run is cancelled. A run that ended
// is a NoShellError.
func (s *Session) OpenShell(ctx context.Context, run runner.Run, seen func(Analysis)) (*shell.Attached, error) {
	tick := time.NewTicker(waitInterval / 2)
	defer tick.Stop()
	a := Analysis{Run: &run}
	last := ""
	for {
		var err error
		if a, err = s.Refresh(ctx, a); err != nil && ctx.Err() == nil {
			return nil, err
		}
		if now := a.State().Word + a.Reason(); now != last && ctx.Err() == nil {
			last = now
			seen(a)
		}
		if a.Run.State.Ended() {
			why := fmt.Sprintf("%s; see 'cytorun logs %s'", text.Line(a.State().Word+": "+a.Reason()), run.ID)
			return nil, &NoShellError{a.Run.State, why}
		}
		attached, err := shell.Attach(run.Folder)
		if !errors.Is(err, shell.ErrNotYet) {
			return attached, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.Cancel(ctx, a))
		case <-tick.C:
		}
	}
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
