package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
)

// How long a connection may take, and how long to wait before the next try.
const (
	connectWithin = 30 * time.Second
	retryAfter    = 10 * time.Second
)

// link is how the server answered last.
type link struct {
	busy bool
	up   bool
	err  error
	at   time.Time
}

func (l link) text() string {
	t := style.Now()
	switch {
	case l.busy && !l.up:
		return t.Busy.Render("● connecting")
	case errors.Is(l.err, client.ErrUnauthorised):
		return t.Bad.Render("✗ keys not accepted")
	case l.err != nil:
		return t.Bad.Render("✗ server not answering")
	case l.up:
		return t.Good.Render("✓ connected")
	}
	return t.Faint.Render("not connected")
}

// setLink notes how a request of a screen went. An error that is not about the
// line, such as a missing object, says that the server answers.
func (r *root) setLink(err error) {
	if err != nil && !client.Transient(err) && !errors.Is(err, client.ErrUnauthorised) {
		err = nil
	}
	if err == nil {
		r.link = link{up: true, busy: r.link.busy}
		return
	}
	r.link = link{err: err, at: time.Now(), busy: r.link.busy}
}

// connected answers connect.
type connected struct {
	gen     nav.Gen
	session *app.Session
	err     error
}

// connect finds out who we are and which project is open.
func (r *root) connect() tea.Cmd {
	if r.session == nil || r.link.busy {
		return nil
	}
	gen := nav.NewGen()
	r.connecting, r.link.busy = gen, true
	s, ctx, project := r.session, r.ctx, r.opts.Project
	if s.Project.ID != 0 {
		project = fmt.Sprint(s.Project.ID)
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, connectWithin)
		defer cancel()
		c, err := s.Connect(ctx, project)
		return connected{gen, c, err}
	}
}

func (r *root) connectEnded(m connected) tea.Cmd {
	if m.gen != r.connecting {
		return nil
	}
	r.link.busy = false
	var choose *app.ErrChooseProject
	if errors.As(m.err, &choose) {
		r.link = link{up: true}
		if m.session != nil {
			r.session = m.session
		}
		return tea.Batch(r.pickProject(choose.Projects), r.broadcast(nav.Link{Err: m.err}))
	}
	if m.err != nil {
		r.link = link{err: m.err, at: time.Now()}
		return tea.Batch(r.broadcast(nav.Link{Err: m.err}), nav.Fail(m.err))
	}
	r.link = link{up: true}
	return tea.Batch(r.since(m.session), r.use(m.session))
}

// use shows a session that is connected.
func (r *root) use(s *app.Session) tea.Cmd {
	r.session = s
	cmd := r.broadcast(nav.Connected{Session: s})
	if form := r.opts.Form; form != nil {
		r.opts.Form = nil
		return tea.Batch(cmd, r.push(newForm(s, *form)))
	}
	if r.pending == "" {
		return cmd
	}
	name := r.pending
	r.pending = ""
	ctx := r.ctx
	return tea.Batch(cmd, func() tea.Msg {
		a, err := s.Algorithm(ctx, name)
		return algorithmRead{a, err}
	})
}

// algorithmRead answers the algorithm that the command line named.
type algorithmRead struct {
	algorithm client.Algorithm
	err       error
}

func (r *root) algorithmRead(m algorithmRead) tea.Cmd {
	if m.err != nil {
		return nav.Fail(m.err)
	}
	return r.push(newForm(r.session, nav.OpenForm{Algorithm: m.algorithm}))
}

// reconnectLater tries again by itself while there is no connection yet and
// the reason may pass.
func (r *root) reconnectLater(now time.Time) tea.Cmd {
	if r.session == nil || r.session.Connected() || r.link.err == nil || !client.Transient(r.link.err) ||
		now.Sub(r.link.at) < retryAfter {
		return nil
	}
	return r.connect()
}

// projectsListed answers listProjects.
type projectsListed struct {
	gen      nav.Gen
	projects []client.Project
	err      error
}

func (r *root) listProjects() tea.Cmd {
	if r.session == nil {
		return nil
	}
	gen := nav.NewGen()
	r.projects = gen
	s, ctx := r.session, r.ctx
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, connectWithin)
		defer cancel()
		ps, err := s.Projects(ctx)
		return projectsListed{gen, ps, err}
	}
}

func (r *root) projectsListed(m projectsListed) tea.Cmd {
	if m.gen != r.projects {
		return nil
	}
	if m.err != nil {
		r.setLink(m.err)
		return nav.Fail(m.err)
	}
	return r.pickProject(m.projects)
}

// entered is the choice of a project.
type entered struct{ project client.Project }

func (r *root) pickProject(projects []client.Project) tea.Cmd {
	if len(projects) == 0 {
		return nav.Fail((&app.ErrChooseProject{}))
	}
	actions := make([]nav.Action, len(projects))
	for i, p := range projects {
		hint := text.Count(p.Images) + " images"
		if p.ID == r.session.Project.ID {
			hint = "open now · " + hint
		}
		actions[i] = nav.Action{Title: p.Name, Hint: hint, Do: nav.Send(entered{p})}
	}
	r.over = newPick("choose a project", "type a part of its name", actions)
	return nil
}

// enter opens a project: what was open of the old one is closed, after asking
// if there is a form or a log.
func (r *root) enter(m entered) tea.Cmd {
	if m.project.ID == r.session.Project.ID {
		return nil
	}
	open := 0
	for t := range r.tabs {
		open += len(r.tabs[t].screens) - 1
	}
	s := r.session
	do := func() tea.Msg {
		// The choice is remembered on disk: a command's work.
		return projectOpened{s.WithProject(m.project)}
	}
	if open == 0 {
		return do
	}
	r.over = newConfirm(nav.Confirm{
		Title: "switch to " + m.project.Name + "?",
		Text:  fmt.Sprintf("%d open screen(s) of the present project close, and what was typed in a form goes. Analyses go on.", open),
		Yes:   "switch", No: "stay", Do: do,
	})
	return nil
}

// projectOpened is the session in its new project.
type projectOpened struct{ session *app.Session }

func (r *root) projectOpened(m projectOpened) tea.Cmd {
	r.opts.Project = ""
	cmds := []tea.Cmd{r.reset(), r.replace(nav.Compare, newCompare(m.session, nil)), r.use(m.session)}
	return tea.Batch(append(cmds, nav.Say("project "+m.session.Project.Name))...)
}

// sessionOpened is the first server, from the demo or a login.
type sessionOpened struct{ session *app.Session }

func (r *root) sessionOpened(m sessionOpened) tea.Cmd {
	r.session, r.tab = m.session, nav.Algorithms
	r.build()
	r.resize()
	var cmds []tea.Cmd
	for t := range r.tabs {
		cmds = append(cmds, r.tabs[t].screens[0].Init())
	}
	if m.session.Connected() {
		r.link = link{up: true}
		return tea.Batch(append(cmds, r.use(m.session))...)
	}
	return tea.Batch(append(cmds, r.connect())...)
}
