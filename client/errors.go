package client

import (
	"errors"
	"fmt"
)

// Errors that callers branch on. They are wrapped by what failed and where.
var (
	// ErrUnauthorised: the server does not accept the keys.
	ErrUnauthorised = errors.New("keys not accepted")
	// ErrForbidden: the keys are good, the user may not do this.
	ErrForbidden = errors.New("not allowed")
	// ErrNotFound: the object does not exist or may not be seen.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the server has it already.
	ErrConflict = errors.New("already there")
	// ErrInvalid: the server refuses what was sent.
	ErrInvalid = errors.New("refused by the server")
	// ErrUnreachable: no answer, or not from a server.
	ErrUnreachable = errors.New("server not reachable")
	// ErrUnsupported: this server has no such ability.
	ErrUnsupported = errors.New("not supported by this server")
	// ErrNoChange is returned by the change function of UpdateJob when there
	// is nothing to write.
	ErrNoChange = errors.New("no change")
)

// HTTPError is an answer that is no success.
type HTTPError struct {
	Method, URL string // URL without query values that could hold secrets
	Status      int
	Message     string // what the server said, one line, untrusted
	Kind        error  // one of the errors above, or nil
}

// Error says what the server answered to what.
func (e *HTTPError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s %s: server answered %d", e.Method, e.URL, e.Status)
	}
	return fmt.Sprintf("%s %s: server answered %d: %s", e.Method, e.URL, e.Status, e.Message)
}

// Unwrap gives the kind, for errors.Is.
func (e *HTTPError) Unwrap() error { return e.Kind }

// Transient tells whether trying the same again later may help: the server
// could not be reached or failed by itself, rather than refused.
func Transient(err error) bool {
	if errors.Is(err, ErrUnreachable) {
		return true
	}
	var h *HTTPError
	return errors.As(err, &h) && (h.Status >= 500 || h.Status == 408 || h.Status == 429)
}

// NotFound is an error that is ErrNotFound and says so in its own words: "no
// project X that you may see; ..." needs no "not found" behind it.
func NotFound(format string, args ...any) error {
	return &notFound{fmt.Sprintf(format, args...)}
}

type notFound struct{ message string }

func (e *notFound) Error() string { return e.message }

func (e *notFound) Unwrap() error { return ErrNotFound }

// MovedError tells that the site answers at another address. Requests are not
// redirected, because a redirected write would become a read.
type MovedError struct {
	From, To string // addresses of the site, without the path of the request
}

// Error names both addresses.
func (e *MovedError) Error() string {
	return fmt.Sprintf("%s has moved to %s; run 'cytorun login %s'", e.From, e.To, e.To)
}
