package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
)

type wireUser struct {
	ID                             number
	Username, Firstname, Lastname  text
	HumanUsername                  text
	Algo, Admin, AdminByNow, Guest truth
	Job                            number
}

// CurrentUser is who the keys belong to.
func (c *Client) CurrentUser(ctx context.Context) (client.User, error) {
	var w wireUser
	if err := c.get(ctx, "/api/user/current.json", &w); err != nil {
		return client.User{}, err
	}
	if w.ID == 0 {
		return client.User{}, fmt.Errorf("%w: %s does not say who the keys belong to; log in again with 'cytorun login %s'", client.ErrUnauthorised, c.base, c.base)
	}
	user := client.User{
		ID: w.ID.id(), Username: string(w.Username), Admin: bool(w.Admin || w.AdminByNow),
		FullName: strings.TrimSpace(string(w.Firstname) + " " + string(w.Lastname)),
	}
	if w.Algo {
		user.Job = w.Job.id()
		user.FullName = string(w.HumanUsername)
	}
	return user, nil
}

type wireProject struct {
	ID, Ontology           number
	Name                   text
	NumberOfImages         number
	NumberOfAnnotations    number
	NumberOfJobAnnotations number
	IsReadOnly, IsClosed   truth
	Created                moment
}

func (w wireProject) project() client.Project {
	return client.Project{
		ID: w.ID.id(), Name: string(w.Name), Ontology: w.Ontology.id(), Images: int(w.NumberOfImages),
		Annotations: int(w.NumberOfAnnotations), JobAnnotations: int(w.NumberOfJobAnnotations),
		ReadOnly: bool(w.IsReadOnly), Closed: bool(w.IsClosed), Created: w.Created.time(),
	}
}

// Projects lists the projects that the user may see, by name.
func (c *Client) Projects(ctx context.Context) ([]client.Project, error) {
	projects := []client.Project{}
	err := c.each(ctx, "/api/project.json", func(raw []byte) error {
		var w wireProject
		if json.Unmarshal(raw, &w) == nil {
			projects = append(projects, w.project())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(projects, func(a, b client.Project) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return projects, nil
}

// Project reads one project.
func (c *Client) Project(ctx context.Context, id client.ID) (client.Project, error) {
	var w wireProject
	if err := c.get(ctx, fmt.Sprintf("/api/project/%d.json", id), &w); err != nil {
		return client.Project{}, err
	}
	return w.project(), nil
}
