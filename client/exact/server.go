package exact

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Probe asks whether an EXACT server lives here. client.ErrUnsupported tells of a
// server of another kind, a *client.MovedError of one that is elsewhere.
func (c *Client) Probe(ctx context.Context) (client.Info, error) {
	response, err := c.do(ctx, call{method: http.MethodGet, path: timePath, anonymous: true})
	var answer *client.HTTPError
	if errors.As(err, &answer) && answer.Status < 500 {
		return client.Info{}, fmt.Errorf("no EXACT server answers at %s: %w; check the address (%w)", c.base, client.ErrUnsupported, err)
	}
	if err != nil {
		return client.Info{}, err
	}
	var w struct{ UnixTime *float64 }
	if json.Unmarshal(response.Body(), &w) != nil || w.UnixTime == nil {
		return client.Info{}, fmt.Errorf("no EXACT server answers at %s: %w; check the address", c.base, client.ErrUnsupported)
	}
	return client.Info{Kind: client.Exact, URL: c.base}, nil
}

// CurrentUser is who the credentials belong to, as far as EXACT can be asked: it
// never says so itself. The name is the one of the login, and its id is found only
// where the user shares a team with somebody, if only with themselves.
func (c *Client) CurrentUser(ctx context.Context) (client.User, error) {
	name := c.profile.User
	if !isToken(c.keys.Private) && c.keys.Public != oldToken {
		name = c.keys.Public
	}
	user := client.User{Username: name}
	path := with(usersPath, "fields", "id,username,is_superuser")
	if name != "" {
		path = with(path, "username", name)
	}
	err := c.each(ctx, path, func(raw []byte) error {
		var w struct {
			ID       client.ID
			Username string
			Admin    bool `json:"is_superuser"`
		}
		if json.Unmarshal(raw, &w) == nil && name != "" && w.Username == name {
			user.ID, user.Admin = w.ID, w.Admin
		}
		return nil
	})
	if err != nil {
		return client.User{}, err
	}
	return user, nil
}

func (s ImageSet) project(images int) client.Project {
	return client.Project{ID: s.ID, Name: s.Name, Images: images}
}

// Projects lists the image sets that the user may see, by name.
func (c *Client) Projects(ctx context.Context) ([]client.Project, error) {
	sets, err := c.ImageSets(ctx)
	if err != nil {
		return nil, err
	}
	places, err := c.imagePlaces(ctx, 0) // counted anew
	if err != nil {
		return nil, err
	}
	images := map[client.ID]int{}
	for _, set := range places {
		images[set]++
	}
	projects := make([]client.Project, 0, len(sets))
	for _, s := range sets {
		projects = append(projects, s.project(images[s.ID]))
	}
	slices.SortFunc(projects, func(a, b client.Project) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return projects, nil
}

// Project reads one image set.
func (c *Client) Project(ctx context.Context, id client.ID) (client.Project, error) {
	s, err := c.ImageSet(ctx, id)
	if err != nil {
		return client.Project{}, err
	}
	n, err := c.page(ctx, with(imagesPath, "image_set", idText(id), "fields", "id", "limit", "1"), func([]byte) error { return nil })
	if err != nil {
		return client.Project{}, err
	}
	return s.project(n), nil
}

// imagePlaces gives the image set of every image that the user may see, or of
// those in one set, by image.
func (c *Client) imagePlaces(ctx context.Context, set client.ID) (map[client.ID]client.ID, error) {
	path := with(imagesPath, "fields", "id,image_set")
	if set != 0 {
		path = with(path, "image_set", idText(set))
	}
	places := map[client.ID]client.ID{}
	err := c.each(ctx, path, func(raw []byte) error {
		var w struct {
			ID  client.ID
			Set reference `json:"image_set"`
		}
		if json.Unmarshal(raw, &w) == nil && (set == 0 || client.ID(w.Set) == set) {
			places[w.ID] = client.ID(w.Set)
		}
		return nil
	})
	return places, err
}

// algorithm is a plugin as an algorithm. What it runs is not known to the server.
func (p Plugin) algorithm() client.Algorithm {
	a := client.Algorithm{ID: p.ID, Name: p.Name, Package: p.Package}
	var about []string
	if p.Author != "" {
		about = append(about, "by "+p.Author)
	}
	if p.Contact != "" {
		about = append(about, p.Contact)
	}
	if p.AboutURL != "" {
		about = append(about, p.AboutURL)
	}
	a.Description = strings.Join(about, ", ")
	return a
}

// Algorithms lists the plugins that are offered in an image set, or all of them.
func (c *Client) Algorithms(ctx context.Context, project client.ID) ([]client.Algorithm, error) {
	var set ImageSet
	if project != 0 {
		var err error
		if set, err = c.ImageSet(ctx, project); err != nil {
			return nil, err
		}
	}
	plugins, err := c.Plugins(ctx)
	if err != nil {
		return nil, err
	}
	algorithms := []client.Algorithm{}
	for _, p := range plugins {
		if project == 0 || offered(p, set) {
			algorithms = append(algorithms, p.algorithm())
		}
	}
	return algorithms, nil
}

// Algorithm reads one plugin.
func (c *Client) Algorithm(ctx context.Context, id client.ID) (client.Algorithm, error) {
	p, err := c.Plugin(ctx, id)
	if err != nil {
		return client.Algorithm{}, err
	}
	return p.algorithm(), nil
}

// Images lists the images of an image set, without those that the server made.
func (c *Client) Images(ctx context.Context, project client.ID, each func(client.Image) error) error {
	return c.EachImage(ctx, project, func(i Image) error {
		if i.Type == GeneratedImage {
			return nil
		}
		return each(client.Image{ID: i.ID, Name: i.Name, Width: i.Width, Height: i.Height, Resolution: max(i.MPP, 0)})
	})
}
