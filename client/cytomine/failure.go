package cytomine

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// failed says why no answer came.
func (c *Client) failed(ctx context.Context, err error) error { return web.Failed(ctx, c.base, err) }

// refusal turns an answer that is no success into an error of the right kind.
func (c *Client) refusal(r *call, status int, header http.Header, body []byte) error {
	if status >= 300 && status < 400 {
		if moved := web.Moved(c.base, r.path, header.Get("Location")); moved != nil {
			return moved
		}
		return c.httpError(r, status, client.ErrUnauthorised, "the keys are not accepted; check both, or run 'cytorun login "+c.base+"'")
	}
	page := isPage(header.Get("Content-Type")) || strings.HasPrefix(strings.TrimSpace(string(body)), "<")
	if succeeded(status) {
		return c.httpError(r, status, client.ErrUnauthorised, "a web page instead of data; check the address and the keys, or run 'cytorun login "+c.base+"'")
	}
	if status == http.StatusBadRequest && strings.HasPrefix(c.base, "http:") && web.WantsTLS(body) {
		return &client.MovedError{From: c.base, To: "https" + strings.TrimPrefix(c.base, "http")}
	}
	message := serverMessage(body)
	if page {
		message = pageTitle(body)
	}
	next := ""
	switch {
	case status == http.StatusUnauthorized:
		next = "the public key is unknown or disabled; check the keys, or run 'cytorun login " + c.base + "'"
	case status == http.StatusForbidden:
		next = "ask a manager of the project for the right to do this"
	case status >= 500:
		next = "try again later, or tell the server's administrator"
	}
	if message != "" && next != "" {
		message += "; "
	}
	return c.httpError(r, status, kindOf(status), message+next)
}

func (c *Client) httpError(r *call, status int, kind error, message string) error {
	return &client.HTTPError{Method: r.method, URL: c.where(r.path), Status: status, Message: message, Kind: kind}
}

// kindOf maps a status to the error that callers branch on; nil for the ones
// that are the server's own failure.
func kindOf(status int) error {
	switch status {
	case http.StatusUnauthorized:
		return client.ErrUnauthorised
	case http.StatusForbidden:
		return client.ErrForbidden
	case http.StatusNotFound, http.StatusGone:
		return client.ErrNotFound
	case http.StatusConflict:
		return client.ErrConflict
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return client.ErrUnsupported
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return nil
	}
	if status >= 500 {
		return nil
	}
	return client.ErrInvalid
}

// serverMessage finds the message in an error body. "errors" is a string, an
// object with a message, or a list of either.
func serverMessage(body []byte) string {
	var answer struct {
		Errors  json.RawMessage `json:"errors"`
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return web.OneLine(string(body))
	}
	for _, raw := range []json.RawMessage{answer.Errors, answer.Message, answer.Error} {
		if text := messageIn(raw, 0); text != "" {
			return web.OneLine(text)
		}
	}
	return ""
}

func messageIn(raw json.RawMessage, depth int) string {
	var text string
	if len(raw) == 0 || depth > 3 || json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		for _, name := range []string{"message", "errors", "defaultMessage"} {
			if text := messageIn(object[name], depth+1); text != "" {
				return text
			}
		}
		return ""
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return ""
	}
	var all []string
	for _, item := range list {
		if text := messageIn(item, depth+1); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

var titles = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>(.*?)</(?:title|h1)>`)
})

// pageTitle is what a web page says first.
func pageTitle(body []byte) string {
	if found := titles().FindSubmatch(body); found != nil {
		return web.OneLine(html.UnescapeString(string(found[1])))
	}
	return "a web page"
}
