package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

// Failed says why no answer came from a site.
func Failed(ctx context.Context, site string, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
	case errors.Is(cause, context.Canceled):
		return fmt.Errorf("asking %s: %w", site, cause)
	default:
		err = cause
	}
	return Unreachable(site, err)
}

// Unreachable turns an error of the transport into one line. A certificate
// that is not trusted stays a *profile.CertificateError.
func Unreachable(site string, err error) error {
	var certificate *profile.CertificateError
	if errors.As(err, &certificate) {
		return certificate
	}
	return &networkError{site: site, err: err}
}

// Permanent tells whether the same request will fail the same way at once.
func Permanent(err error) bool {
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
	return OneLine(err.Error())
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

// Moved recognises a redirect that keeps the path of the request: the site is
// elsewhere. Nil means that it is some other redirect.
func Moved(base, path, location string) *client.MovedError {
	to, err := url.Parse(location)
	if err != nil || to.Host == "" {
		return nil
	}
	path, _, _ = strings.Cut(path, "?")
	site, ok := strings.CutSuffix(to.Scheme+"://"+to.Host+to.EscapedPath(), path)
	if !ok || site == base || to.User != nil || to.Scheme != "http" && to.Scheme != "https" {
		return nil
	}
	return &client.MovedError{From: base, To: site}
}

// WantsTLS recognises what web servers say when plain HTTP comes to a TLS port.
func WantsTLS(body []byte) bool {
	text := strings.ToLower(string(body))
	return strings.Contains(text, "http request to an https server") || strings.Contains(text, "http request was sent to https port")
}

// OnlySafer tells whether a site moved from http to https on the same host.
func OnlySafer(m *client.MovedError) bool {
	from, err := url.Parse(m.From)
	if err != nil {
		return false
	}
	to, err := url.Parse(m.To)
	return err == nil && from.Scheme == "http" && to.Scheme == "https" && strings.EqualFold(from.Hostname(), to.Hostname())
}
