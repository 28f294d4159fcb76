package exact

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// call is one request.
type call struct {
	method      string
	path        string // from the root of the site, with its query as on the wire
	body        []byte
	contentType string
	anonymous   bool // without credentials
	any         bool // the answer may be something else than JSON
	// patience is how long a streamed answer may take to begin, Options.Timeout
	// when zero.
	patience time.Duration
}

// do sends a request and reads the whole answer, which must be JSON or empty.
func (c *Client) do(ctx context.Context, r call) (*resty.Response, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
	}
	return c.send(ctx, r, false)
}

// get reads one object.
func (c *Client) get(ctx context.Context, path string, into any) error {
	response, err := c.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	return c.decode(path, response.Body(), into)
}

// write sends an object and reads the answer into another, unless that is nil.
func (c *Client) write(ctx context.Context, method, path string, object, into any) (*resty.Response, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("cannot write the request %s %s: %w", method, path, err)
	}
	response, err := c.do(ctx, call{method: method, path: path, body: body, contentType: "application/json"})
	if err != nil || into == nil {
		return response, err
	}
	return response, c.decode(path, response.Body(), into)
}

// remove deletes one object.
func (c *Client) remove(ctx context.Context, path string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: path})
	return err
}

// open sends a GET and gives the answer with its body to be read as it arrives.
// Silence longer than the time-out ends it.
func (c *Client) open(ctx context.Context, r call) (http.Header, io.ReadCloser, error) {
	ctx, watch := web.NewWatch(ctx, max(c.opts.Timeout, r.patience), c.opts.Timeout, c.base+r.path)
	response, err := c.send(ctx, r, true)
	if err != nil {
		watch.Stop()
		return nil, nil, err
	}
	return response.Header(), watch.Body(response.RawBody()), nil
}

// send sends a request and turns every answer that is no success into an error.
func (c *Client) send(ctx context.Context, r call, stream bool) (*resty.Response, error) {
	start := c.opts.Now()
	request := c.rest.R().SetContext(ctx).SetDoNotParseResponse(stream)
	if r.contentType != "" {
		request.SetHeader("Content-Type", r.contentType)
	}
	if r.body != nil {
		request.SetBody(r.body)
	}
	if !r.anonymous {
		c.sign(request)
	}
	response, err := request.Execute(r.method, c.base+r.path)
	status := 0
	if err == nil {
		status = response.StatusCode()
		c.clock.answered(response.Header().Get("Date"))
		if secured := response.RawResponse.TLS; secured != nil {
			c.shown.Store(secured.PeerCertificates[0])
		}
	}
	if c.opts.Debug != nil {
		c.opts.Debug(r.method, c.base+r.path, status, c.opts.Now().Sub(start))
	}
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	if r.method != http.MethodGet {
		c.forget()
	}
	if succeeded(status) && (r.any || status == http.StatusNoContent || isJSON(response.Header())) {
		return response, nil
	}
	body := response.Body()
	if stream {
		body, _ = io.ReadAll(io.LimitReader(response.RawBody(), 64<<10)) // as much as came
		web.Drop(response.RawBody())
	}
	return nil, c.refusal(r, status, response.Header(), body)
}

func succeeded(status int) bool { return status >= 200 && status < 300 }

// isJSON tells whether an answer may be parsed.
func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func (c *Client) decode(path string, body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return c.unreadable(path, err)
	}
	return nil
}

func (c *Client) unreadable(path string, err error) error {
	return fmt.Errorf("%w: the answer of %s cannot be read: %w; try again", client.ErrUnreachable, c.base+path, err)
}

// with adds query parameters, as pairs of name and value, to a path. Lists of ids
// keep their commas (contract §1.3: id__in=1,2).
func with(path string, pairs ...string) string {
	return strings.ReplaceAll(web.With(path, pairs...), "%2C", ",")
}

// again calls try until it succeeds or fails for good, at most web.Retries times more.
// It is for writes that may be repeated.
func (c *Client) again(ctx context.Context, try func() error) error {
	for attempt := 0; ; attempt++ {
		err := try()
		if err == nil || attempt == web.Retries || !client.Transient(err) || ctx.Err() != nil {
			return err
		}
		if !web.Sleep(ctx, c.opts.RetryWait<<attempt) {
			return c.failed(ctx, ctx.Err())
		}
	}
}
