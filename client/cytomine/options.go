package cytomine

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// Options are handed over when there are many, or when somebody has waited for
// a while: over a slow line 500 of them are half a second.
const (
	yieldSize  = 500
	yieldAfter = 50 * time.Millisecond
)

// Options fetches the options of a Domain or ListDomain parameter.
func (c *Client) Options(ctx context.Context, q client.OptionQuery, page func([]client.Option) error) error {
	path, err := c.optionsPath(q)
	if err != nil {
		return err
	}
	var pack client.FieldPacker
	var batch []client.Option
	var waits time.Time // since when the first of the batch waits
	yield := func() error {
		full := batch
		batch = nil
		return page(full)
	}
	err = c.each(ctx, path, func(raw []byte) error {
		if len(batch) == 0 {
			waits = time.Now()
		}
		batch = append(batch, optionOf(raw, &pack))
		if len(batch) == yieldSize || time.Since(waits) >= yieldAfter {
			return yield()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot list the choices of %s: %w", web.OneLine(q.URI), err)
	}
	if len(batch) > 0 {
		return yield()
	}
	return nil
}

// optionOf keeps the scalar fields of a row, but the addresses of pictures:
// nobody chooses by them, and they are half of what an image has.
func optionOf(raw []byte, pack *client.FieldPacker) client.Option {
	eachField(raw, func(name, value []byte) bool {
		switch value[0] {
		case '{', '[', 'n': // nested, or null
			return true
		case '"':
			value = unquoted(value)
		}
		if !isAddress(value) {
			pack.Add(name, value)
		}
		return true
	})
	return client.Option{ID: rowID(raw).id(), Fields: pack.Fields()}
}

func isAddress(value []byte) bool {
	return bytes.HasPrefix(value, []byte("http://")) || bytes.HasPrefix(value, []byte("https://"))
}

var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$\w+\$`)
})

// optionsPath replaces the placeholders of a uri, as the web interface does,
// and makes it a path of this server.
func (c *Client) optionsPath(q client.OptionQuery) (string, error) {
	uri := strings.TrimSpace(q.URI)
	if uri == "" {
		return "", fmt.Errorf("the parameter names no list of choices: %w", client.ErrNotFound)
	}
	if strings.Contains(uri, "$currentOntology$") && q.Project.Ontology == 0 {
		return "", client.NotFound("project %q has no ontology, so there are no terms to choose from; give it one on the server", web.OneLine(q.Project.Name))
	}
	created := "null" // what the web interface puts for a date it does not know
	if !q.Project.Created.IsZero() {
		created = fmt.Sprint(q.Project.Created.UnixMilli())
	}
	uri = strings.NewReplacer(
		"$currentProjectCreationDate$", created,
		"$currentProject$", fmt.Sprint(q.Project.ID),
		"$cytomineHost$", c.base,
		"$currentDate$", fmt.Sprint(c.opts.Now().UnixMilli()),
		"$currentOntology$", fmt.Sprint(q.Project.Ontology),
	).Replace(uri)
	if left := placeholder().FindString(uri); left != "" {
		return "", fmt.Errorf("the list of choices %s needs %s, which nobody defines: %w; the descriptor of this algorithm is broken, ask its author", web.OneLine(q.URI), left, client.ErrInvalid)
	}
	path, err := c.localPath(uri)
	if err != nil {
		return "", fmt.Errorf("cannot use the list of choices %s: %w; the descriptor of this algorithm is broken, ask its author", web.OneLine(q.URI), err)
	}
	return path, nil
}

// localPath makes a uri of a descriptor a path from the root of the site. One
// that leads to another server is refused: it would be sent a signature.
func (c *Client) localPath(uri string) (string, error) {
	if rest, ok := strings.CutPrefix(uri, c.base+"/"); ok {
		uri = "/" + rest
	}
	parsed, err := url.Parse(strings.ReplaceAll(uri, " ", "%20"))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: not an address", client.ErrInvalid)
	case parsed.Scheme != "" || parsed.Host != "" || parsed.Opaque != "":
		return "", fmt.Errorf("%w: it leads to another server", client.ErrInvalid)
	}
	path := "/" + strings.TrimLeft(parsed.EscapedPath(), "/")
	if !strings.HasPrefix(path, "/api/") {
		path = "/api" + path
	}
	query := parsed.RawQuery
	if strings.HasSuffix(path, "/job.json") && !strings.Contains(query, "withJobParameters") {
		// An option needs no parameters, and they make this list slow.
		query = strings.TrimPrefix(query+"&withJobParameters=false", "&")
	}
	if query != "" {
		path += "?" + query
	}
	return path, nil
}
