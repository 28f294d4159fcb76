package cytomine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/web"
)

// Register makes an algorithm known to the server as its own router does from a
// descriptor, and links it to the project. An algorithm of the same name and
// version is completed and linked, not made again, so that a registration that
// broke off can be repeated; where its container is another, that is changed.
func (c *Client) Register(ctx context.Context, a client.NewAlgorithm) (client.Algorithm, error) {
	if a.Descriptor == nil || a.Descriptor.Name == "" {
		return client.Algorithm{}, fmt.Errorf("cannot register an algorithm without a name: %w; give the descriptor one", client.ErrInvalid)
	}
	if a.Container == "" {
		return client.Algorithm{}, fmt.Errorf("cannot register %s without a container: %w; name one in container-image", web.OneLine(a.Descriptor.Name), client.ErrInvalid)
	}
	id, err := c.addSoftware(ctx, a)
	if err != nil {
		return client.Algorithm{}, err
	}
	algorithm, err := c.Algorithm(ctx, id)
	if err != nil {
		return client.Algorithm{}, err
	}
	if algorithm.Container != "" && algorithm.Container != strings.TrimPrefix(a.Container, "docker://") {
		if err := c.changeCommands(ctx, id, a); err != nil {
			return client.Algorithm{}, err
		}
	}
	if algorithm.Description == "" {
		if err := c.addDescription(ctx, softwareClass, id, a.Descriptor.Description); err != nil {
			return client.Algorithm{}, err
		}
	}
	known := map[string]bool{}
	for _, p := range algorithm.Parameters {
		known[p.ID] = true
	}
	for i, p := range a.Descriptor.Parameters {
		if known[p.ID] {
			continue
		}
		if err := c.addParameter(ctx, id, p, (i+1)*100); err != nil {
			return client.Algorithm{}, err
		}
	}
	if a.Project != 0 {
		_, err := c.write(ctx, http.MethodPost, "/api/softwareproject.json", map[string]any{"software": id, "project": a.Project})
		if err != nil && !errors.Is(err, client.ErrConflict) {
			return client.Algorithm{}, fmt.Errorf("cannot add %s to project %d: %w", web.OneLine(a.Descriptor.Name), a.Project, err)
		}
	}
	return c.Algorithm(ctx, id)
}

// addSoftware makes the record, or finds the one that is there.
func (c *Client) addSoftware(ctx context.Context, a client.NewAlgorithm) (client.ID, error) {
	execute, pull := commandsFor(a.Container, a.Version, a.Descriptor.CommandLine)
	software := map[string]any{"name": a.Descriptor.Name, "executeCommand": execute, "pullingCommand": pull}
	if a.Version != "" {
		software["softwareVersion"] = a.Version
	}
	answer, err := c.write(ctx, http.MethodPost, "/api/software.json", software)
	if errors.Is(err, client.ErrConflict) {
		return c.findSoftware(ctx, a.Descriptor.Name, a.Version)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot register %s: %w", web.OneLine(a.Descriptor.Name), err)
	}
	var w wireSoftware
	if err := c.decode("/api/software.json", unwrap(answer, "software"), &w); err != nil {
		return 0, err
	}
	if w.ID == 0 {
		return 0, c.unreadable("/api/software.json", answer, errors.New("no software in it"))
	}
	return w.ID.id(), nil
}

// changeCommands gives an algorithm that is there the commands of a.
func (c *Client) changeCommands(ctx context.Context, id client.ID, a client.NewAlgorithm) error {
	path := fmt.Sprintf("/api/software/%d.json", id)
	raw, err := c.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	var object map[string]json.RawMessage // with what we do not know
	if err := c.decode(path, raw, &object); err != nil {
		return err
	}
	execute, pull := commandsFor(a.Container, a.Version, a.Descriptor.CommandLine)
	for name, command := range map[string]string{"executeCommand": execute, "pullingCommand": pull} {
		if object[name], err = json.Marshal(command); err != nil {
			return err
		}
	}
	if _, err := c.write(ctx, http.MethodPut, path, object); err != nil {
		return fmt.Errorf("cannot change the container of %s: %w", web.OneLine(a.Descriptor.Name), err)
	}
	return nil
}

func (c *Client) findSoftware(ctx context.Context, name, version string) (client.ID, error) {
	var found client.ID
	err := c.each(ctx, "/api/software.json", func(raw []byte) error {
		var w wireSoftware
		if json.Unmarshal(raw, &w) == nil && string(w.Name) == name && string(w.SoftwareVersion) == version {
			found = w.ID.id()
		}
		return nil
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("the server says that %s %s is there and does not list it: %w; take another name or version", web.OneLine(name), version, client.ErrConflict)
	}
	return found, err
}

// addParameter makes one parameter. The server knows no choices and no limits.
func (c *Client) addParameter(ctx context.Context, software client.ID, p descriptor.Parameter, index int) error {
	object := map[string]any{
		"software": software, "name": p.ID, "type": string(p.Type), "humanName": p.Label(), "index": index,
		"required": !p.Optional, "setByServer": p.SetByServer, "serverParameter": p.ServerParameter,
		"valueKey": p.ValueKey, "commandLineFlag": p.Flag,
	}
	if p.Default != nil {
		object["defaultValue"] = *p.Default
	}
	for name, text := range map[string]string{"uri": p.URI, "uriPrintAttribut": p.URIPrint, "uriSortAttribut": p.URISort} {
		if text != "" {
			object[name] = text
		}
	}
	answer, err := c.write(ctx, http.MethodPost, "/api/softwareparameter.json", object)
	if err != nil {
		return fmt.Errorf("cannot register parameter %s: %w", web.OneLine(p.ID), err)
	}
	id := rowID(unwrap(answer, "softwareparameter")).id()
	return c.addDescription(ctx, parameterClass, id, p.Description)
}

func (c *Client) addDescription(ctx context.Context, class string, id client.ID, data string) error {
	if data == "" || id == 0 {
		return nil
	}
	_, err := c.write(ctx, http.MethodPost, fmt.Sprintf("/api/domain/%s/%d/description.json", class, id),
		map[string]any{"domainClassName": class, "domainIdent": id, "data": data})
	if err != nil && !errors.Is(err, client.ErrConflict) {
		return fmt.Errorf("cannot store a description: %w", err)
	}
	return nil
}
