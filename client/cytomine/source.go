package cytomine

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Limits of what is read of an algorithm's source, in bytes. Sources with
// models in them are far larger than what it is read for.
const (
	maxSource     = 16 << 20
	maxDescriptor = 1 << 20
)

// AlgorithmDescriptor reads the descriptor.json in the source that an algorithm
// was uploaded with. Only newer servers keep sources, and only of algorithms that
// were uploaded as a zip file; all others are ErrNotFound.
func (c *Client) AlgorithmDescriptor(ctx context.Context, id client.ID) ([]byte, error) {
	none := func(why string) error {
		return fmt.Errorf("the server has no descriptor of algorithm %d: %s: %w", id, why, client.ErrNotFound)
	}
	body, err := c.open(ctx, fmt.Sprintf("/api/software/%d/download", id))
	var answer *client.HTTPError
	if errors.As(err, &answer) && answer.Status < 500 && !errors.Is(err, client.ErrUnauthorised) {
		return nil, none("its source cannot be downloaded")
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	source, err := io.ReadAll(io.LimitReader(body, maxSource+1))
	if err != nil {
		return nil, err
	}
	if len(source) > maxSource {
		return nil, none("its source is too large to look into")
	}
	files, err := zip.NewReader(bytes.NewReader(source), int64(len(source)))
	if err != nil {
		return nil, none("its source is no zip file")
	}
	found := shallowest(files.File)
	if found == nil {
		return nil, none("there is no descriptor.json in its source")
	}
	file, err := found.Open()
	if err != nil {
		return nil, none(err.Error())
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDescriptor+1))
	switch {
	case err != nil:
		return nil, none(err.Error())
	case len(data) > maxDescriptor:
		return nil, none("its descriptor.json is too large")
	}
	return data, nil
}

// shallowest is the descriptor.json that lies in the fewest folders.
func shallowest(files []*zip.File) *zip.File {
	var found *zip.File
	for _, f := range files {
		if path.Base(f.Name) != "descriptor.json" || strings.Contains(f.Name, "__MACOSX/") {
			continue
		}
		if found == nil || strings.Count(f.Name, "/") < strings.Count(found.Name, "/") {
			found = f
		}
	}
	return found
}
