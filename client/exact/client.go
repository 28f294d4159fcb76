// Package exact speaks the REST API of EXACT (the Django server of
// DeepMicroscopy, 2020-2026) and implements client.Server with those of the
// optional abilities that EXACT has, and typed calls of its own for the plugin
// jobs, results and annotations that a worker writes.
//
// A project is an image set, an algorithm is a plugin, and a job is a plugin job:
// it is over one image, has no parameters, and its state is derived from its
// columns (see PluginJob.State).
//
// Rules of this package:
//   - every path of the API ends in a slash, and nothing is redirected: Go would
//     turn a redirected POST into a GET;
//   - no cookies are kept: the server sets a session with every Basic login;
//   - 403 stands for everything about credentials and rights, told apart by its
//     "detail"; a body is parsed only where its Content-Type is JSON;
//   - "next" of a page is never followed, its host is wrong behind a proxy: the
//     offset is counted here, and rows are told apart by id, because lists shift
//     while they are read;
//   - the server ignores filters that it does not know, so rows are filtered
//     again here, and lists of ids that grow without bound are left out;
//   - times are the server's local ones without a zone; see clock;
//   - only GET is repeated, and writes that are made idempotent by a UUID;
//     whoever repeats anything else must look first.
package exact

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/web"
)

// Options changes how a Client behaves. The zero value is usable.
type Options struct {
	// Version of this program, for the User-Agent.
	Version string
	// Timeout bounds a call whose context has no deadline, 30 s when zero. For
	// a list or a download it bounds the silence, not the whole.
	Timeout time.Duration
	// RetryWait is the pause before a request is repeated, 250 ms when zero,
	// growing with each attempt.
	RetryWait time.Duration
	// Uploads is how many annotations are sent at once, 8 when zero.
	Uploads int
	// Debug is told of every finished call; url holds no secrets, status is 0
	// when no answer came.
	Debug func(method, url string, status int, took time.Duration)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Client is a connection to one EXACT server with one set of credentials. It is
// safe for use by many goroutines.
type Client struct {
	profile profile.Profile
	keys    client.Keys
	opts    Options
	rest    *resty.Client
	base    string // URL of the site with its path prefix, no trailing slash
	clock   clock

	// shown is the certificate of the last answer over TLS.
	shown atomic.Pointer[x509.Certificate]

	granted  granted
	updates  web.KeyedLock
	pageSize int
	known    known
}

var (
	_ client.Server            = (*Client)(nil)
	_ client.ImageLister       = (*Client)(nil)
	_ client.AnnotationCounter = (*Client)(nil)
	_ client.ImageCounter      = (*Client)(nil)
	_ client.AnnotationLister  = (*Client)(nil)
	_ client.ResultDeleter     = (*Client)(nil)
	_ client.JobDeleter        = (*Client)(nil)
	_ client.LaunchExplainer   = (*Client)(nil)
)

// New makes a client. It sends nothing yet. keys are one of
//   - a personal access token: Private is the whole token ("pat_….…"), Public
//     anything, by custom the token's prefix;
//   - a key of an older server: Public is "Token", Private the key;
//   - a user name and a password, for Basic;
//
// or empty for Probe alone.
func New(p profile.Profile, keys client.Keys, opts Options) (*Client, error) {
	site, err := url.Parse(p.URL)
	if err != nil || site.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server; check it with 'cytorun profile show'", p.URL)
	}
	tlsConfig, err := p.TLS()
	if err != nil {
		return nil, err
	}
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.RetryWait == 0 {
		opts.RetryWait = 250 * time.Millisecond
	}
	if opts.Uploads <= 0 {
		opts.Uploads = 8
	}
	if opts.Version == "" {
		opts.Version = "dev"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Client{profile: p, keys: keys, opts: opts, base: strings.TrimRight(p.URL, "/"), pageSize: defaultPageSize}
	c.clock.now = opts.Now
	c.rest = web.New(web.Options{TLS: tlsConfig, Connections: max(8, opts.Uploads), RetryWait: opts.RetryWait,
		Headers: map[string]string{"Accept": "application/json", "User-Agent": "cytorun/" + opts.Version}})
	return c, nil
}

// Token is the personal access token of this connection, empty where it uses
// other credentials. A program that speaks the API itself gets it, and nothing
// else may show it.
func (c *Client) Token() string {
	if isToken(c.keys.Private) {
		return c.keys.Private
	}
	return ""
}

// isToken tells a personal access token from a password.
func isToken(s string) bool { return strings.HasPrefix(s, "pat_") && strings.Contains(s, ".") }

// oldToken is the public key that stands for a key of an older server.
const oldToken = "Token"

// sign adds the credentials.
func (c *Client) sign(r *resty.Request) {
	switch {
	case c.keys.Private == "":
	case isToken(c.keys.Private):
		r.SetHeader("Authorization", "Bearer "+c.keys.Private)
	case c.keys.Public == oldToken:
		r.SetHeader("Authorization", "Token "+c.keys.Private)
	default:
		request := http.Request{Header: http.Header{}}
		request.SetBasicAuth(c.keys.Public, c.keys.Private)
		r.SetHeader("Authorization", request.Header.Get("Authorization"))
	}
}
