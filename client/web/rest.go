// Package web is how every kind of server is asked over HTTP: nothing is
// redirected, no cookie is kept, nothing is printed, only GET is repeated, and what
// goes wrong is said in one line with what to do about it.
package web

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/cytorun/cytorun/client"
)

// MaxAnswer bounds an answer that is read as a whole, in bytes.
const MaxAnswer = 64 << 20

// Retries is how often a failed GET is repeated.
const Retries = 2

// Options of a connection.
type Options struct {
	TLS         *tls.Config
	Connections int           // how many to one host are kept open
	RetryWait   time.Duration // before a GET is repeated, growing with each attempt
	Headers     map[string]string
}

// New sets resty up.
func New(opts Options) *resty.Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     opts.TLS,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: opts.Connections,
		IdleConnTimeout:     90 * time.Second,
	}
	rest := resty.NewWithClient(&http.Client{Transport: transport})
	rest.SetLogger(silent{})
	rest.SetRedirectPolicy(resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}))
	rest.SetResponseBodyLimit(MaxAnswer)
	rest.SetCookieJar(nil)
	rest.SetHeaders(opts.Headers)
	rest.SetRetryCount(Retries).SetRetryWaitTime(opts.RetryWait).SetRetryMaxWaitTime(8 * opts.RetryWait)
	rest.AddRetryCondition(mayRepeat)
	rest.AddRetryHook(func(r *resty.Response, _ error) {
		if r != nil && r.RawResponse != nil && r.Request.Attempt <= Retries {
			Drop(r.RawResponse.Body) // this answer is not the last one
		}
	})
	return rest
}

// mayRepeat tells whether a request is sent again: a GET that got no answer,
// or one that says "later".
func mayRepeat(r *resty.Response, err error) bool {
	if r == nil || r.Request.Method != http.MethodGet || r.Request.Context().Err() != nil {
		return false
	}
	if err != nil {
		return errors.Is(Unreachable("", err), client.ErrUnreachable) && !Permanent(err)
	}
	switch r.StatusCode() {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	}
	return false
}

// Drop reads what is left of a small body, so that its connection can be used
// again, and closes it.
func Drop(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	body.Close()
}

// silent is resty's logger: errors are returned, not printed.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
