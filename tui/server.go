package tui

import (
	"fmt"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// serversListed answers listServers.
type serversListed struct {
	profiles []profile.Profile
	err      error
}

// listServers reads which servers the person is logged in to.
func (r *root) listServers() tea.Cmd {
	if r.session == nil {
		return nil
	}
	paths := r.env.Paths
	return func() tea.Msg {
		config, err := profile.Load(paths)
		var all []profile.Profile
		for _, name := range slices.Sorted(maps.Keys(config.Profiles)) {
			all = append(all, config.Profiles[name])
		}
		return serversListed{all, err}
	}
}

// serverChosen is the choice of a server.
type serverChosen struct{ name string }

func (r *root) pickServer(m serversListed) tea.Cmd {
	if m.err != nil {
		return nav.Fail(m.err)
	}
	var actions []nav.Action
	for _, p := range m.profiles {
		hint := string(p.Kind) + " · " + p.URL
		if p.URL == r.session.Profile.URL && p.Name == r.session.Profile.Name {
			hint = "open now · " + hint
		}
		actions = append(actions, nav.Action{Title: p.Name, Hint: hint, Do: nav.Send(serverChosen{p.Name})})
	}
	if len(actions) == 0 {
		return nav.Say("you are logged in to no server by name; 'cytorun login https://your-site' adds one")
	}
	r.over = newPick("choose a server", "type a part of its name; 'cytorun login' adds more", actions)
	return nil
}

// enterServer opens another server, after asking if there is a form or a log.
func (r *root) enterServer(m serverChosen) tea.Cmd {
	if m.name == r.session.Profile.Name {
		return nil
	}
	open := 0
	for t := range r.tabs {
		open += len(r.tabs[t].screens) - 1
	}
	env, runtime := r.env, r.session.Runtime
	do := func() tea.Msg {
		s, err := env.Open(profile.Selection{Server: m.name})
		if err == nil {
			s.Runtime = runtime
			_ = profile.Remember(env.Paths, m.name, 0) // the next start opens it
		}
		return serverOpened{s, err}
	}
	if open == 0 {
		return do
	}
	r.over = newConfirm(nav.Confirm{
		Title: "switch to " + m.name + "?",
		Text:  fmt.Sprintf("%d open screen(s) of the present server close, and what was typed in a form goes. Analyses go on.", open),
		Yes:   "switch", No: "stay", Do: do,
	})
	return nil
}

// serverOpened is a session on another server, which has not been asked yet.
type serverOpened struct {
	session *app.Session
	err     error
}

func (r *root) serverOpened(m serverOpened) tea.Cmd {
	if m.err != nil {
		return nav.Fail(m.err)
	}
	cmds := []tea.Cmd{r.reset()}
	for t := range r.tabs {
		cmds = append(cmds, closeScreen(r.tabs[t].screens[0]))
	}
	r.opts.Project, r.link, r.connecting = "", link{}, 0
	return tea.Batch(append(cmds, r.sessionOpened(sessionOpened{m.session}), nav.Say("server "+m.session.Profile.Name))...)
}
