package exact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

// failed says why no answer came.
func (c *Client) failed(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
	case errors.Is(cause, context.Canceled):
		return fmt.Errorf("asking %s: %w", c.base, cause)
	default:
		err = cause
	}
	return unreachable(c.base, err)
}

// unreachable turns an error of the transport into one line. A certificate
// that is not trusted stays a *profile.CertificateError.
func unreachable(site string, err error) error {
	var certificate *profile.CertificateError
	if errors.As(err, &certificate) {
		return certificate
	}
	return &networkError{site: site, err: err}
}

// permanent tells whether the same request will fail the same way at once.
func permanent(err error) bool {
	var name *net.DNSError
	var certificate *profile.CertificateError
	return errors.As(err, &name) && name.IsNotFound || errors.As(err, &certificate) || speaksPlain(err)
}

// networkError is a request without an answer.
type networkError struct {
	site string
	err  error
}

// Error says what went wrong and what to check.
func (e *networkError) Error() string {
	return fmt.Sprintf("cannot reach %s: %s; %s", e.site, e.why(), e.next())
}

// Unwrap gives client.ErrUnreachable and the cause.
func (e *networkError) Unwrap() []error { return []error{client.ErrUnreachable, e.err} }

func (e *networkError) why() string {
	var name *net.DNSError
	switch {
	case errors.As(e.err, &name) && name.IsNotFound:
		return "no such host"
	case errors.Is(e.err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(e.err, syscall.ENETUNREACH), errors.Is(e.err, syscall.EHOSTUNREACH):
		return "no way to that network"
	case errors.Is(e.err, io.ErrUnexpectedEOF), errors.Is(e.err, io.EOF), errors.Is(e.err, syscall.ECONNRESET):
		return "the connection broke off"
	case speaksPlain(e.err):
		return "the server does not speak https at this address"
	case errors.Is(e.err, context.DeadlineExceeded):
		return "no answer in time"
	}
	var network net.Error
	if errors.As(e.err, &network) && network.Timeout() {
		return "no answer in time"
	}
	err := e.err
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which is said already
	}
	return oneLine(err.Error())
}

func (e *networkError) next() string {
	if speaksPlain(e.err) {
		return "try http:// instead, if you trust the network"
	}
	return "check the address with 'cytorun profile show' and the network"
}

// speaksPlain recognises a plain HTTP answer where TLS was expected; net/http
// has no type for it.
func speaksPlain(err error) bool {
	return err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// refusal turns an answer that is no success into an error of the right kind.
func (c *Client) refusal(r call, status int, header http.Header, body []byte) error {
	if status >= 300 && status < 400 {
		if moved := c.moved(r.path, header.Get("Location")); moved != nil {
			return moved
		}
		return c.httpError(r, status, client.ErrInvalid, "the server sends this request elsewhere; check the address, or run 'cytorun login "+c.base+"'")
	}
	if succeeded(status) {
		return c.httpError(r, status, client.ErrUnsupported, "something else than data; check the address")
	}
	if status == http.StatusBadRequest && strings.HasPrefix(c.base, "http:") && wantsTLS(body) {
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

// moved recognises a redirect that keeps the path of the request: the site is
// elsewhere.
func (c *Client) moved(path, location string) *client.MovedError {
	to, err := url.Parse(location)
	if err != nil || to.Host == "" {
		return nil
	}
	path, _, _ = strings.Cut(path, "?")
	site, ok := strings.CutSuffix(to.Scheme+"://"+to.Host+to.EscapedPath(), path)
	if !ok || site == c.base || to.User != nil || to.Scheme != "http" && to.Scheme != "https" {
		return nil
	}
	return &client.MovedError{From: c.base, To: site}
}

// wantsTLS recognises what web servers say when plain HTTP comes to a TLS port.
func wantsTLS(body []byte) bool {
	text := strings.ToLower(string(body))
	return strings.Contains(text, "http request to an https server") || strings.Contains(text, "http request was sent to https port")
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
			return oneLine(text)
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
	return oneLine(strings.Join(all, "; "))
}

// oneLine makes text of a server fit into one line of an error: no control
// characters, at most 300 characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	return cut(s, 300)
}

// cut shortens text to at most n characters.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
