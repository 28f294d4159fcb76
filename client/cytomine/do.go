package cytomine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-resty/resty/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// do sends a request and reads the whole answer, which must be JSON.
func (c *Client) do(ctx context.Context, r call) ([]byte, error) {
	ctx, cancel := c.deadline(ctx, r)
	defer cancel()
	response, err := c.send(ctx, &r, false)
	if err != nil {
		return nil, err
	}
	return response.Body(), nil
}

// get reads one object.
func (c *Client) get(ctx context.Context, path string, into any) error {
	body, err := c.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	return c.decode(path, body, into)
}

// write sends an object and gives the answer.
func (c *Client) write(ctx context.Context, method, path string, object any) ([]byte, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("cannot write the request %s %s: %w", method, path, err)
	}
	return c.do(ctx, call{method: method, path: path, body: body, contentType: "application/json"})
}

// open sends a GET and gives the body to be read as it arrives. Silence longer
// than the time-out ends it.
func (c *Client) open(ctx context.Context, path string) (io.ReadCloser, error) {
	ctx, watch := web.NewWatch(ctx, c.opts.Timeout, c.opts.Timeout, c.where(path))
	r := call{method: http.MethodGet, path: path}
	response, err := c.send(ctx, &r, true)
	if err != nil {
		watch.Stop()
		return nil, err
	}
	return watch.Body(response.RawBody()), nil
}

func (c *Client) deadline(ctx context.Context, r call) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	limit := c.opts.Timeout
	if r.stream != nil {
		limit = c.opts.UploadTimeout
	}
	return context.WithTimeout(ctx, limit)
}

// send sends a request. Where it is not known whether the path of the site is
// part of the signature, an answer "not logged in" is followed by one more try
// the other way.
func (c *Client) send(ctx context.Context, r *call, stream bool) (*resty.Response, error) {
	r.signPrefix = c.signPrefix.Load()
	response, err := c.once(ctx, r, stream)
	if err == nil && !r.unsigned {
		c.sure.Store(true)
	}
	if !errors.Is(err, client.ErrUnauthorised) || c.sure.Load() || r.unsigned || r.stream != nil {
		return response, err
	}
	other := *r
	other.signPrefix = !r.signPrefix
	if response, otherErr := c.once(ctx, &other, stream); otherErr == nil {
		c.signPrefix.Store(other.signPrefix)
		c.sure.Store(true)
		return response, nil
	}
	return response, err
}

// once sends a request and turns every answer that is no success into an
// error.
func (c *Client) once(ctx context.Context, r *call, stream bool) (*resty.Response, error) {
	start := c.opts.Now()
	request := c.rest.R().SetContext(context.WithValue(ctx, callKey{}, r)).SetDoNotParseResponse(stream)
	if r.contentType != "" {
		request.SetHeader("Content-Type", r.contentType)
	}
	if r.header[0] != "" {
		request.SetHeader(r.header[0], r.header[1])
	}
	if r.body != nil {
		request.SetBody(r.body)
	}
	response, err := request.Execute(r.method, c.base+r.path)
	status := 0
	if err == nil {
		status = response.StatusCode()
		if secured := response.RawResponse.TLS; secured != nil {
			c.shown.Store(secured.PeerCertificates[0])
		}
	}
	if c.opts.Debug != nil {
		c.opts.Debug(r.method, c.where(r.path), status, c.opts.Now().Sub(start))
	}
	if err != nil {
		if r.stream != nil {
			r.stream.Close()
		}
		return nil, c.failed(ctx, err)
	}
	if err := c.check(r, response, stream); err != nil {
		if stream {
			web.Drop(response.RawBody())
		}
		return nil, err
	}
	return response, nil
}

// check tells whether an answer is a success: 200 (the server's answer to
// everything that went well) or a kin of it, with something else than a web
// page. 206 means that a part was refused.
func (c *Client) check(r *call, response *resty.Response, stream bool) error {
	page := isPage(response.Header().Get("Content-Type"))
	if succeeded(response.StatusCode()) && (!page || stream && isDownload(r.path)) {
		return nil
	}
	body := response.Body()
	if stream {
		body, _ = io.ReadAll(io.LimitReader(response.RawBody(), 64<<10)) // as much as came
	}
	return c.refusal(r, response.StatusCode(), response.Header(), body)
}

func succeeded(status int) bool {
	return status >= 200 && status < 300 && status != http.StatusPartialContent
}

// isPage tells whether a Content-Type is that of a web page.
func isPage(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
	}
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// isDownload tells whether a path gives a stored file, which may itself be a
// web page.
func isDownload(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return strings.HasSuffix(path, "/download")
}

// decode reads an answer that must be JSON.
func (c *Client) decode(path string, body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return c.unreadable(path, body, err)
	}
	return nil
}

func (c *Client) unreadable(path string, body []byte, err error) error {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return fmt.Errorf("%w: %s sent a web page instead of data; check the address and log in again with 'cytorun login %s'",
			client.ErrUnauthorised, c.where(path), c.base)
	}
	return fmt.Errorf("%w: the answer of %s cannot be read: %w; try again", client.ErrUnreachable, c.where(path), err)
}

// where is the address of a path for people: the values of query parameters
// that could hold secrets are left out.
func (c *Client) where(path string) string {
	path, query, ok := strings.Cut(path, "?")
	if !ok {
		return c.base + path
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		lower := strings.ToLower(name)
		for _, word := range []string{"key", "token", "secret", "password", "signature"} {
			if strings.Contains(lower, word) {
				pairs[i] = name + "=…"
			}
		}
	}
	return c.base + path + "?" + strings.Join(pairs, "&")
}
