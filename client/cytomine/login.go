package cytomine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/web"
)

// Probe asks whether a Cytomine server with the classic API lives here.
// client.ErrUnsupported tells of a server without it, a *client.MovedError of one that
// is elsewhere.
func (c *Client) Probe(ctx context.Context) (client.Info, error) {
	info := client.Info{Kind: client.Cytomine, URL: c.base}
	var foreign error
	for _, path := range []string{"/server/ping.json", "/status.json"} {
		body, err := c.do(ctx, call{method: http.MethodGet, path: path, unsigned: true})
		var answer *client.HTTPError
		if errors.As(err, &answer) && answer.Status < 500 {
			foreign = err
			continue
		}
		if err != nil {
			return client.Info{}, err
		}
		var w struct {
			Alive   *truth
			Version text
		}
		if json.Unmarshal(body, &w) != nil || w.Alive == nil && w.Version == "" {
			continue
		}
		info.Version = web.OneLine(string(w.Version))
		if major(info.Version) >= 4 {
			return client.Info{}, c.noClassic("it runs version " + info.Version)
		}
		return info, nil
	}
	if foreign != nil {
		return client.Info{}, fmt.Errorf("no Cytomine server answers at %s: %w; check the address (%w)", c.base, client.ErrUnsupported, foreign)
	}
	return client.Info{}, fmt.Errorf("no Cytomine server answers at %s: %w; check the address", c.base, client.ErrUnsupported)
}

// noClassic is the error for a server that dropped jobs and software from its
// API, which happened with version 4.
func (c *Client) noClassic(why string) error {
	return fmt.Errorf("%s has no classic algorithms: %s; cytorun needs Cytomine up to 3.x or BIAFLOWS: %w", c.base, why, client.ErrUnsupported)
}

// major is the first number of a version, 0 when it has none.
func major(version string) int {
	first, _, _ := strings.Cut(strings.TrimLeft(version, "vV"), ".")
	n, _ := strconv.Atoi(first)
	return n
}

// LoginResult is what Login found out.
type LoginResult struct {
	// Profile is ready to be stored: where the site really answers, how it
	// wants its signatures, who the keys belong to.
	Profile profile.Profile
	User    client.User
	Info    client.Info
	// Notes are lines that a person should see.
	Notes []string
	// Certificate (PEM) is the one that the person chose to trust by its
	// fingerprint. Kept with profile.SaveCertificate as the profile's CA it
	// serves the programs in containers too. Nil in every other case.
	Certificate []byte
}

// Login checks the server of p and the keys. URL, CA and Trust of p are used,
// the rest is filled in; Name stays when it is set. It follows one redirect from
// http to https on the same host. A certificate that is not trusted is a
// *profile.CertificateError.
func Login(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) (LoginResult, error) {
	site, err := profile.NormaliseURL(p.URL)
	if err != nil {
		return LoginResult{}, err
	}
	p.URL, p.Kind = site, client.Cytomine
	var result LoginResult
	c, err := New(p, keys, opts)
	if err != nil {
		return LoginResult{}, err
	}
	result.Info, err = c.Probe(ctx)
	var moved *client.MovedError
	if errors.As(err, &moved) && web.OnlySafer(moved) {
		result.Notes = append(result.Notes, fmt.Sprintf("%s answers at %s; using that address", moved.From, moved.To))
		p.URL = moved.To
		if c, err = New(p, keys, opts); err != nil {
			return LoginResult{}, err
		}
		result.Info, err = c.Probe(ctx)
	}
	if err != nil {
		return LoginResult{}, err
	}
	if keys.Public == "" || keys.Private == "" {
		return LoginResult{}, fmt.Errorf("%w for %s; they are on your account page there, under 'API keys'", profile.ErrNoKeys, p.URL)
	}
	c.sure.Store(c.prefix == "") // find out again, whatever the profile said
	if result.User, err = c.CurrentUser(ctx); err != nil {
		return LoginResult{}, err
	}
	if err := c.checkClassic(ctx); err != nil {
		return LoginResult{}, err
	}
	p.User = result.User.Username
	p.SignaturePrefix = c.signPrefix.Load() && c.prefix != ""
	if p.Name == "" {
		p.Name = siteName(p.URL)
	}
	if shown := c.shown.Load(); shown != nil && p.Trust != "" {
		result.Certificate = profile.PEM(shown)
	}
	result.Profile = p
	return result, nil
}

// checkClassic asks for the list of algorithms, which newer servers do not
// have.
func (c *Client) checkClassic(ctx context.Context) error {
	_, err := c.rows(ctx, "/api/software.json?max=1&offset=0", func([]byte) error { return errEnough })
	if errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrUnsupported) || errors.Is(err, client.ErrUnauthorised) {
		return c.noClassic("it has no list of algorithms")
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough stops a list after its first row: some servers send all of it.
var errEnough = errors.New("enough")

// siteName names a profile after its host and path.
func siteName(site string) string {
	_, name, _ := strings.Cut(site, "://")
	return name
}
