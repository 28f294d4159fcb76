package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Session is one server as one person sees it, in one project. It does not
// change: connecting or choosing a project makes a new one, so that a screen
// may keep the old one until the answer is there.
type Session struct {
	Env     *Env
	Profile profile.Profile
	Server  client.Server
	// User and Project are zero until Connect.
	User    client.User
	Project client.Project
	// Runtime is what launches use that do not choose; empty is Apptainer.
	Runtime runner.Runtime

	keys client.Keys
	opts *optionCache
	// met is set when the server has taken the keys. Some never say whose they are.
	met bool
	// named is the descriptor file of WithDescriptor, or nil.
	named     *descriptor.Descriptor
	namedFile string
}

// ErrChooseProject tells that the person must say which project is meant.
type ErrChooseProject struct {
	Projects []client.Project
}

// Error lists the first projects.
func (e *ErrChooseProject) Error() string {
	if len(e.Projects) == 0 {
		return "no project: this user may see none on this server; ask its administrator for access to one"
	}
	var names []string
	for i, p := range e.Projects {
		if i == 8 {
			names = append(names, fmt.Sprintf("and %d more", len(e.Projects)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s (%d)", text.Line(p.Name), p.ID))
	}
	return "which project? choose one with -P: " + strings.Join(names, ", ")
}

// Open chooses the server and its keys. It makes no request.
func (e *Env) Open(sel profile.Selection) (*Session, error) {
	p, keys, err := profile.Resolve(e.Paths, sel, os.Getenv)
	if err != nil {
		return nil, err
	}
	return e.open(p, keys)
}

func (e *Env) open(p profile.Profile, keys client.Keys) (*Session, error) {
	server, err := servers.Open(p, keys, servers.Options{Version: e.Version, Debug: e.Debug})
	if err != nil {
		return nil, err
	}
	return &Session{Env: e, Profile: p, Server: server, keys: keys, opts: newOptionCache()}, nil
}

// Connect finds out who the keys belong to and opens a project: by name or id,
// else the one used last, else the only one. *ErrChooseProject tells that the
// person must choose. A project that is named is meant for this once: it does
// not become the one used last.
func (s *Session) Connect(ctx context.Context, project string) (*Session, error) {
	u, err := s.Server.CurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	c := *s
	c.User, c.met = u, true
	if project == "" && s.Profile.Project != 0 {
		p, err := s.Server.Project(ctx, s.Profile.Project)
		if err == nil {
			c.Project = p
			return &c, nil
		}
		if !errors.Is(err, client.ErrNotFound) && !errors.Is(err, client.ErrForbidden) {
			return nil, err
		}
	}
	projects, err := s.Server.Projects(ctx)
	if err != nil {
		return nil, err
	}
	p, err := chooseProject(projects, project)
	if err != nil {
		var choose *ErrChooseProject
		if errors.As(err, &choose) {
			// Who it is, is known all the same: the project screen shows it.
			return &c, err
		}
		return nil, err
	}
	if project != "" {
		c.Project, c.opts = p, newOptionCache()
		return &c, nil
	}
	return c.WithProject(p), nil
}

func chooseProject(projects []client.Project, want string) (client.Project, error) {
	if want == "" {
		if len(projects) == 1 {
			return projects[0], nil
		}
		return client.Project{}, &ErrChooseProject{Projects: projects}
	}
	id, idErr := strconv.ParseInt(want, 10, 64)
	var found []client.Project
	for _, p := range projects {
		if idErr == nil && p.ID == client.ID(id) || p.Name == want {
			return p, nil
		}
		if strings.Contains(strings.ToLower(p.Name), strings.ToLower(want)) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return client.Project{}, client.NotFound("no project %q that you may see; 'cytorun projects' lists them", text.Line(want))
	}
	return client.Project{}, &ErrChooseProject{Projects: found}
}

// Projects lists the projects of the person.
func (s *Session) Projects(ctx context.Context) ([]client.Project, error) {
	return s.Server.Projects(ctx)
}

// WithProject is the session in another project. The choice is remembered for
// the next start; that this may fail is no reason not to go on.
func (s *Session) WithProject(p client.Project) *Session {
	c := *s
	c.Project = p
	c.opts = newOptionCache()
	if s.Profile.Name != "" {
		_ = profile.Remember(s.Env.Paths, s.Profile.Name, p.ID)
		c.Profile.Project = p.ID
	}
	return &c
}

// Connected tells whether the session knows its user and project.
func (s *Session) Connected() bool { return (s.met || s.User.ID != 0) && s.Project.ID != 0 }
