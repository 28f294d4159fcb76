package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
)

// projectName is the name of the demo's project and of its ontology.
const projectName = "cytorun demo"

var terms = []struct{ name, colour string }{
	{"nucleus", "#3f6fd8"},
	{"cell", "#2fa36b"},
	{"tissue", "#b58b2a"},
	{"positive", "#a0522d"},
	{"negative", "#8a93a6"},
}

// privately serves h on an address that nobody else knows yet, and gives a
// client for it: the demo is registered through the same API as anything else.
func privately(h http.Handler, keys client.Keys) (site *cytomine.Client, end func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("cannot listen on this machine's own address: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(ln) // ends with end
	p := profile.Profile{Kind: client.Cytomine, URL: "http://" + ln.Addr().String()}
	if site, err = cytomine.New(p, keys, cytomine.Options{}); err != nil {
		_ = srv.Close()
		return nil, nil, err
	}
	return site, func() { _ = srv.Close() }, nil
}

// fillProject finds the demo's project or makes it, with its ontology.
func fillProject(ctx context.Context, server *embedded.Server, site *cytomine.Client) (client.Project, error) {
	project, found, err := findProject(ctx, site)
	if err != nil {
		return client.Project{}, err
	}
	if !found {
		ontology, err := server.AddOntology(ctx, projectName)
		if err != nil {
			// A start that broke off may have left one: its name is taken.
			if ontology, err = server.AddOntology(ctx, projectName+" "+rand.Text()[:4]); err != nil {
				return client.Project{}, err
			}
		}
		if _, err := server.AddProject(ctx, embedded.NewProject{Name: projectName, Ontology: ontology}); err != nil {
			return client.Project{}, err
		}
		if project, _, err = findProject(ctx, site); err != nil {
			return client.Project{}, err
		}
	}
	have, err := names(ctx, site, project, "/api/ontology/$currentOntology$/term.json", "name")
	if err != nil {
		return client.Project{}, err
	}
	for _, t := range terms {
		if have[t.name] {
			continue
		}
		if _, err := server.AddTerm(ctx, int64(project.Ontology), t.name, t.colour); err != nil {
			return client.Project{}, err
		}
	}
	return project, nil
}

func findProject(ctx context.Context, site *cytomine.Client) (client.Project, bool, error) {
	all, err := site.Projects(ctx)
	if err != nil {
		return client.Project{}, false, err
	}
	for _, p := range all {
		if p.Name == projectName {
			return p, true, nil
		}
	}
	return client.Project{}, false, nil
}

// fillImages adds the images that the project does not have.
func fillImages(ctx context.Context, server *embedded.Server, site *cytomine.Client, project client.Project) error {
	have, err := names(ctx, site, project, "/api/project/$currentProject$/imageinstance.json", "originalFilename")
	if err != nil {
		return err
	}
	if len(have) >= len(realImages)+len(fields) {
		return nil // drawing them costs more than the rest of a start
	}
	all, err := pictures()
	if err != nil {
		return err
	}
	for _, p := range all {
		if have[p.name] {
			continue
		}
		image := embedded.NewImage{Project: int64(project.ID), Name: p.name, Resolution: p.resolution, Magnification: p.magnification}
		if _, err := server.AddImage(ctx, image, bytes.NewReader(p.file)); err != nil {
			return fmt.Errorf("cannot add image %s: %w", p.name, err)
		}
	}
	return nil
}

// names are the values of one field of the objects that a uri lists.
func names(ctx context.Context, site *cytomine.Client, project client.Project, uri, field string) (map[string]bool, error) {
	out := map[string]bool{}
	err := site.Options(ctx, client.OptionQuery{URI: uri, Project: project}, func(page []client.Option) error {
		for _, o := range page {
			out[o.Fields.Get(field)] = true
		}
		return nil
	})
	return out, err
}
