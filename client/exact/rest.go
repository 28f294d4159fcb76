package exact

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

// maxAnswer bounds an answer that is read as a whole, in bytes.
const maxAnswer = 64 << 20

// retries is how often a failed GET is repeated.
const retries = 2

// newRest sets resty up: no redirects, no cookies, nothing logged, only GET
// repeated.
func newRest(config *tls.Config, opts Options) *resty.Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: max(8, opts.Uploads),
		IdleConnTimeout:     90 * time.Second,
	}
	rest := resty.NewWithClient(&http.Client{Transport: transport})
	rest.SetLogger(silent{})
	rest.SetRedirectPolicy(resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}))
	rest.SetResponseBodyLimit(maxAnswer)
	rest.SetCookieJar(nil)
	rest.SetHeaders(map[string]string{
		"Accept":     "application/json",
		"User-Agent": "cytorun/" + opts.Version,
	})
	rest.SetRetryCount(retries).SetRetryWaitTime(opts.RetryWait).SetRetryMaxWaitTime(8 * opts.RetryWait)
	rest.AddRetryCondition(mayRepeat)
	rest.AddRetryHook(func(r *resty.Response, _ error) {
		if r != nil && r.RawResponse != nil && r.Request.Attempt <= retries {
			drop(r.RawResponse.Body) // this answer is not the last one
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
		return errors.Is(unreachable("", err), client.ErrUnreachable) && !permanent(err)
	}
	switch r.StatusCode() {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	}
	return false
}

// drop reads what is left of a small body, so that its connection can be used
// again, and closes it.
func drop(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	body.Close()
}

// silent is resty's logger: errors are returned, not printed.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
