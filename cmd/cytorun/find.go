package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
)

// find finds the analysis that a person named, and opens its server. A run of
// this box is found without asking any server, whichever one is used now: it
// can be read, waited for and cancelled while its server does not answer.
func (c *cli) find(ctx context.Context, name string) (*app.Session, app.Analysis, error) {
	if app.IsOfServer(name) {
		s, err := c.local(ctx)
		if err != nil {
			return nil, app.Analysis{}, err
		}
		a, err := s.Find(ctx, name)
		return s, a, err
	}
	run, err := c.findRun(name)
	if err != nil {
		return nil, app.Analysis{}, err
	}
	s, err := c.openRun(run)
	return s, app.Analysis{Run: &run}, err
}

// findAll finds several analyses, and connects to the server of the first that
// is a run of this box, or to the one that flags choose.
func (c *cli) findAll(ctx context.Context, names []string) (*app.Session, []app.Analysis, error) {
	analyses := make([]app.Analysis, len(names))
	var first *runner.Run
	for i, name := range names {
		if app.IsOfServer(name) {
			continue
		}
		run, err := c.findRun(name)
		if err != nil {
			return nil, nil, err
		}
		analyses[i].Run = &run
		if first == nil {
			first = &run
		}
	}
	s, err := c.connectRun(ctx, first)
	if err != nil {
		return nil, nil, err
	}
	for i, name := range names {
		if analyses[i].Run != nil {
			continue
		}
		if analyses[i], err = s.Find(ctx, name); err != nil {
			return nil, nil, err
		}
	}
	return s, analyses, nil
}

// findRun finds a run of this box. @last and @failed mean any server and
// project, unless flags choose.
func (c *cli) findRun(name string) (runner.Run, error) {
	env, err := c.environment()
	if err != nil {
		return runner.Run{}, err
	}
	url := ""
	if c.choosesServer() {
		s, err := env.Open(c.sel)
		if err != nil {
			return runner.Run{}, err
		}
		url = s.Profile.URL
	}
	return env.FindRun(name, func(r runner.Run) bool {
		return (url == "" || r.Server.URL == url) && (c.project == "" || isProject(r.Project, c.project))
	})
}

func isProject(p runner.ProjectRef, want string) bool {
	return strconv.FormatInt(int64(p.ID), 10) == want || strings.EqualFold(p.Name, want)
}

// choosesServer tells whether flags name a server.
func (c *cli) choosesServer() bool { return c.sel.Server != "" || c.sel.Host != "" }

// openRun opens the server of a run, or the one that flags choose.
func (c *cli) openRun(run runner.Run) (*app.Session, error) {
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	if c.choosesServer() {
		return env.Open(c.sel)
	}
	return env.OpenRun(run, c.sel.CA)
}

// connectRun connects to the server and project of a run, or to those that
// flags choose; without a run to the usual ones. A server that does not answer
// is left out where there is a run to show without it.
func (c *cli) connectRun(ctx context.Context, run *runner.Run) (*app.Session, error) {
	if run == nil {
		return c.connect(ctx)
	}
	s, err := c.openRun(*run)
	if err != nil {
		return nil, err
	}
	project := c.project
	if project == "" && s.Profile.URL == run.Server.URL {
		project = fmt.Sprint(run.Project.ID)
	}
	return c.connectOr(ctx, s, project)
}
