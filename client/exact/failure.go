package exact

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// failed says why no answer came.
func (c *Client) failed(ctx context.Context, err error) error { return web.Failed(ctx, c.base, err) }

// refusal turns an answer that is no success into an error of the right kind.
func (c *Client) refusal(r call, status int, header http.Header, body []byte) error {
	if status >= 300 && status < 400 {
		if moved := web.Moved(c.base, r.path, header.Get("Location")); moved != nil {
			return moved
		}
		return c.httpError(r, status, client.ErrInvalid, "the server sends this request elsewhere; check the address, or run 'cytorun login "+c.base+"'")
	}
	if succeeded(status) {
		return c.httpError(r, status, client.ErrUnsupported, "something else than data; check the address")
	}
	if status == http.StatusBadRequest && strings.HasPrefix(c.base, "http:") && web.WantsTLS(body) {
		return &client.MovedError{From: c.base, To: "https" + strings.TrimPrefix(c.base, "http")}
	}
	message := ""
	if isJSON(header) {
		message = serverMessage(body)
	}
	kind, next := kindOf(status, message), ""
	switch {
	case errors.Is(kind, client.ErrUnauthorised):
		next = "run 'cytorun login " + c.base + "'"
	case errors.Is(kind, client.ErrForbidden):
		next = "ask the server's administrator for the right to do this"
	case status >= 500:
		next = "try again later, or tell the server's administrator"
	}
	if message != "" && next != "" {
		message = strings.TrimRight(message, ".") + "; "
	}
	return c.httpError(r, status, kind, message+next)
}

func (c *Client) httpError(r call, status int, kind error, message string) error {
	return &client.HTTPError{Method: r.method, URL: c.base + r.path, Status: status, Message: message, Kind: kind}
}

// credentialDetails begin what the server says with 403 when it does not know who
// asks (contract §1); any other 403 is about rights.
var credentialDetails = []string{
	"Authentication credentials were not provided", "Invalid username/password", "Invalid token", "Token expired or revoked",
	"Invalid Authorization header", "Invalid basic header", "User inactive or deleted", "CSRF Failed",
}

// kindOf maps a status to the error that callers branch on; nil for the ones that
// are the server's own failure.
func kindOf(status int, message string) error {
	switch status {
	case http.StatusUnauthorized:
		return client.ErrUnauthorised
	case http.StatusForbidden:
		for _, detail := range credentialDetails {
			if strings.HasPrefix(message, detail) {
				return client.ErrUnauthorised
			}
		}
		return client.ErrForbidden
	case http.StatusNotFound, http.StatusGone:
		return client.ErrNotFound
	case http.StatusConflict:
		return client.ErrConflict
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusNotAcceptable:
		return client.ErrUnsupported
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return nil
	}
	if status >= 500 {
		return nil
	}
	if strings.Contains(message, "Select a valid choice") {
		return client.ErrNotFound // a filter by something that is not there, or not to be seen
	}
	if strings.Contains(message, "already exists") {
		return client.ErrConflict
	}
	return client.ErrInvalid
}

// serverMessage finds the message in a JSON error body: {"detail": …},
// {"message": …}, {"Error": …}, or the complaints about each field
// ({"name": ["This field is required."]}), which are joined.
func serverMessage(body []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return ""
	}
	for _, name := range []string{"detail", "message", "Error"} {
		var text string
		if json.Unmarshal(object[name], &text) == nil && text != "" {
			return web.OneLine(text)
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		var complaints []string
		var one string
		switch {
		case json.Unmarshal(object[name], &complaints) == nil:
		case json.Unmarshal(object[name], &one) == nil:
			complaints = []string{one}
		default:
			continue
		}
		said := strings.Join(complaints, " ")
		if name != "non_field_errors" {
			said = name + ": " + said
		}
		all = append(all, said)
	}
	return web.OneLine(strings.Join(all, "; "))
}
