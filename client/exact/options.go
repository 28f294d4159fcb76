package exact

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// yieldSize is how many options are handed over at once.
const yieldSize = 500

// Options fetches the options of a Domain or ListDomain parameter. Its uri names
// images ("image", or Cytomine's …/imageinstance.json), annotation types
// ("annotationtype", or Cytomine's …/term.json), or a list of the API itself
// (/api/v1/…/, with $currentProject$ for the id of the image set). Images and types
// are always those of the image set.
func (c *Client) Options(ctx context.Context, q client.OptionQuery, page func([]client.Option) error) error {
	list, err := c.optionList(q)
	if err != nil {
		return fmt.Errorf("cannot list the choices of %s: %w", web.Cut(web.OneLine(q.URI), 200), err)
	}
	var (
		pack  client.FieldPacker
		batch []client.Option
	)
	yield := func() error {
		full := batch
		batch = nil
		return page(full)
	}
	var stopped error // by page
	err = list(ctx, func(raw []byte) error {
		if o, ok := optionOf(raw, &pack); ok {
			batch = append(batch, o)
		}
		if len(batch) == yieldSize {
			stopped = yield()
		}
		return stopped
	})
	switch {
	case stopped != nil:
		return stopped
	case err != nil:
		return fmt.Errorf("cannot list the choices of %s: %w", web.Cut(web.OneLine(q.URI), 200), err)
	case len(batch) > 0:
		return yield()
	}
	return nil
}

// optionList gives what reads the rows of a uri.
func (c *Client) optionList(q client.OptionQuery) (func(context.Context, func(raw []byte) error) error, error) {
	uri := strings.TrimSpace(q.URI)
	uri = strings.TrimPrefix(strings.ReplaceAll(uri, "$cytomineHost$", c.base), c.base)
	uri = strings.NewReplacer("$currentProject$", idText(q.Project.ID), "$currentImageSet$", idText(q.Project.ID)).Replace(uri)
	u, err := url.Parse(uri)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return nil, fmt.Errorf("%w: it is no list of this server", client.ErrInvalid)
	}
	path := "/" + strings.Trim(u.Path, "/") + "/"
	kind := strings.ToLower(strings.Trim(u.Path, "/"))
	kind = strings.TrimSuffix(kind[strings.LastIndex(kind, "/")+1:], ".json")
	switch {
	case strings.HasPrefix(path, imagesPath), kind == "image", kind == "images", kind == "imageinstance":
		return func(ctx context.Context, row func([]byte) error) error { return c.imageOptions(ctx, q.Project.ID, row) }, nil
	case strings.HasPrefix(path, typesPath), kind == "annotationtype", kind == "annotationtypes", kind == "annotation_type", kind == "term", kind == "terms":
		return func(ctx context.Context, row func([]byte) error) error { return c.typeOptions(ctx, q.Project.ID, row) }, nil
	case strings.HasPrefix(path, "/api/v1/"):
		// Lists of ids that grow without bound; the server ignores what it lacks.
		path = with(path, "omit", "annotations,images,results,entries,annotation_results,bitmap_results")
		if u.RawQuery != "" {
			path += "&" + u.RawQuery
		}
		return func(ctx context.Context, row func([]byte) error) error { return c.each(ctx, path, row) }, nil
	}
	return nil, client.NotFound("EXACT has no such list; name image, annotationtype or a list below /api/v1/")
}

func (c *Client) imageOptions(ctx context.Context, set client.ID, row func([]byte) error) error {
	path := with(imagesPath, "fields", imageFields+",time")
	if set != 0 {
		path = with(path, "image_set", idText(set))
	}
	return c.each(ctx, path, func(raw []byte) error {
		var i Image
		if json.Unmarshal(raw, &i) != nil || i.Type == GeneratedImage || set != 0 && i.ImageSet != set {
			return nil
		}
		return row(raw)
	})
}

func (c *Client) typeOptions(ctx context.Context, set client.ID, row func([]byte) error) error {
	var w struct {
		Types []json.RawMessage `json:"annotation_types"`
	}
	if err := c.get(ctx, with(typesOfSetPath, "imageset_id", idText(set)), &w); err != nil {
		return err
	}
	for _, raw := range w.Types {
		if err := row(raw); err != nil {
			return err
		}
	}
	return nil
}

// optionOf keeps the scalar fields of a row. An image is also called as Cytomine
// calls it, so that descriptors for both find it.
func optionOf(raw []byte, pack *client.FieldPacker) (client.Option, bool) {
	var row map[string]json.RawMessage
	if json.Unmarshal(raw, &row) != nil {
		return client.Option{}, false
	}
	var id client.ID
	if json.Unmarshal(row["id"], &id) != nil || id == 0 {
		return client.Option{}, false
	}
	fields := map[string]string{}
	for name, value := range row {
		switch value[0] {
		case '{', '[', 'n': // nested, or null
		case '"':
			var s string
			if json.Unmarshal(value, &s) == nil && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
				fields[name] = s
			}
		default:
			fields[name] = string(value)
		}
	}
	if _, ok := fields["image_set"]; ok {
		fields["instanceFilename"], fields["originalFilename"] = fields["name"], fields["filename"]
	}
	for name, value := range fields {
		pack.Add([]byte(name), []byte(value))
	}
	return client.Option{ID: id, Fields: pack.Fields()}, true
}
