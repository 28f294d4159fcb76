// Package cytomine speaks the classic Cytomine HTTP API (the Grails core of
// 2018-2022 and its forks) and implements client.Server with the abilities
// LogStore, FileStore, AnnotationCounter, JobKeys and Registrar.
//
// Rules of this package:
//   - a request is signed after its final URL and Content-Type are built, and
//     never redirected: Go would turn a redirected POST into a GET;
//   - only GET is repeated; whoever repeats anything else must look first;
//   - a PUT replaces the whole object, so an update reads it, changes it and
//     writes all of it back;
//   - what the server sends is read leniently: numbers as text, text as
//     numbers, null anywhere, unknown fields kept;
//   - lists are decoded row by row as they arrive.
package cytomine

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
	// a list, a log or a file it bounds the silence, not the whole.
	Timeout time.Duration
	// UploadTimeout does the same for an upload, 10 min when zero.
	UploadTimeout time.Duration
	// RetryWait is the pause before a GET is repeated, 250 ms when zero,
	// growing with each attempt.
	RetryWait time.Duration
	// Debug is told of every finished call; url holds no secrets, status is 0
	// when no answer came.
	Debug func(method, url string, status int, took time.Duration)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Client is a connection to one Cytomine server with one set of keys. It is
// safe for use by many goroutines.
type Client struct {
	profile profile.Profile
	keys    client.Keys
	opts    Options
	rest    *resty.Client
	base    string // URL of the site, no trailing slash
	prefix  string // path part of base, empty for most sites

	// signPrefix tells whether prefix is part of the signed path. An answer
	// "not logged in" makes a client that is not yet sure try the other way.
	signPrefix atomic.Bool
	sure       atomic.Bool

	// shown is the certificate of the last answer over TLS.
	shown atomic.Pointer[x509.Certificate]

	updates  web.KeyedLock
	pageSize int
}

var (
	_ client.Server            = (*Client)(nil)
	_ client.LogStore          = (*Client)(nil)
	_ client.FileStore         = (*Client)(nil)
	_ client.AnnotationCounter = (*Client)(nil)
	_ client.JobKeys           = (*Client)(nil)
	_ client.Registrar         = (*Client)(nil)
)

// New makes a client. It sends nothing yet. Keys may be empty for Probe alone.
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
	if opts.UploadTimeout == 0 {
		opts.UploadTimeout = 10 * time.Minute
	}
	if opts.RetryWait == 0 {
		opts.RetryWait = 250 * time.Millisecond
	}
	if opts.Version == "" {
		opts.Version = "dev"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Client{
		profile: p, keys: keys, opts: opts, pageSize: defaultPageSize,
		base: strings.TrimRight(p.URL, "/"), prefix: strings.TrimRight(site.EscapedPath(), "/"),
	}
	c.signPrefix.Store(p.SignaturePrefix)
	c.sure.Store(c.prefix == "")
	c.rest = web.New(web.Options{TLS: tlsConfig, Connections: 8, RetryWait: opts.RetryWait, Headers: map[string]string{
		"Accept": "application/json, */*", "X-Requested-With": "XMLHttpRequest", "User-Agent": "cytorun/" + opts.Version}})
	c.rest.SetPreRequestHook(c.prepare)
	return c, nil
}

// prepare is the last to touch a request before it goes out: it puts a
// streamed body in place and signs.
func (c *Client) prepare(_ *resty.Client, r *http.Request) error {
	call := callOf(r.Context())
	if call.stream != nil {
		r.Body, r.GetBody, r.ContentLength = call.stream, nil, call.streamSize
	}
	if call.unsigned {
		return nil
	}
	path := r.URL.RequestURI()
	if !call.signPrefix {
		path = strings.TrimPrefix(path, c.prefix)
	}
	date := c.opts.Now().UTC().Format(dateFormat)
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "CYTOMINE "+c.keys.Public+":"+
		signature(c.keys.Private, r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), date, path))
	return nil
}
